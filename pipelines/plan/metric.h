/*
 * The metrics that our own stages write into metrics.json: which way they are better, and where the
 * scores of single documents stand.
 */
#ifndef TUNDISH_PIPELINES_METRIC_H
#define TUNDISH_PIPELINES_METRIC_H

#include <stdbool.h>

/* What is known of a metric; the one list. To add a metric that our stages write: a row. */
struct gate_metric {
    const char *name;            /* in metrics.json; where it stands below others, its last name */
    const char *file;            /* one JSON object a line, one line a document; NULL: single documents
                                    have no scores */
    const char *numerator, *weight;      /* members of a line; weight NULL: 1 each */
    double scale;
    bool higher_is_better;
};
/* Ends with a NULL name. */
extern const struct gate_metric gate_metrics[];
/* The row of that name, or of the name behind its last dot; NULL: nothing is known of it. */
const struct gate_metric *gate_metric_find(const char *name);

#endif
