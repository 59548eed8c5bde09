/*
 * What a gate reads of a report: its numbers, and its scores of each document (FORMATS.md,
 * "report").
 *
 * The list of metrics that can be held against another model's with a confidence: those whose value
 * is a sum over documents divided by another one, scale * sum(numerator) / sum(weight). To add a
 * metric: one row, once a stage writes the file with these columns.
 */
#ifndef TUNDISH_PIPELINES_GATE_REPORT_H
#define TUNDISH_PIPELINES_GATE_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"
#include "pipelines/plan/metric.h"

/* A number of metrics.json; dots between levels. */
struct gate_number {
    const char *name;
    double value;
};
struct gate_numbers {
    struct gate_number *v;       /* in the order of the file */
    size_t count;
};
/* what names the text in errors. Members that are no numbers are passed over. (The fuzz target.) */
MUST_USE enum status gate_numbers_parse(struct arena *a, const char *what, const char *text,
                                        size_t n, struct gate_numbers *out);
/* Of the report folder; ST_INTEGRITY if the file is not the one of the manifest. */
MUST_USE enum status gate_numbers_read(struct arena *a, const char *report,
                                       struct gate_numbers *out);
/* ST_CONFIG, with the nearest name or the names that there are, if it is not among them. */
MUST_USE enum status gate_numbers_find(const struct gate_numbers *numbers, const char *report,
                                       const char *name, double *out);

/* One document's part of a metric. */
struct gate_document {
    const char *id;
    double numerator, weight;    /* scale is in the numerator */
};
struct gate_documents {
    struct gate_document *v;     /* sorted by id; of equal ones the first in the file first */
    size_t count;
};
/* what names the text in errors, which tell the line. (The fuzz target.) */
MUST_USE enum status gate_documents_parse(struct arena *a, const struct gate_metric *m,
                                          const char *what, const char *text, size_t n,
                                          struct gate_documents *out);
MUST_USE enum status gate_documents_read(struct arena *a, const struct gate_metric *m,
                                         const char *report, struct gate_documents *out);

#endif
