/*
 * Gates: whether a report is good enough for what waits behind it to go on.
 *
 *   absolute          the metric is at most `max`, at least `min`
 *   versus, alone     it is better than the promoted model's by at least `gain`: values compared
 *   versus, sure      the same with a `confidence`: both models' scores of the same documents are
 *                     compared (gate_bootstrap.h), and the gain's lower bound at that confidence
 *                     must be at least `gain`
 *
 * The one idea: a gain counts from the side that is better, so it is positive where the new model
 * is better, whatever the metric. Which side that is, the gate says; the plan takes it from
 * gate_metrics[] (gate_report.h) for metrics that are in it.
 *
 * Documents are paired by id. One whose weight (its bytes, of bits_per_byte) is not the same in
 * both reports is another text under the same id and is left out; of an id that stands twice in a
 * report the first is paired with the first. Fewer than GATE_DOCUMENTS_LEAST pairs say nothing for
 * sure: the gate fails and says so.
 *
 * While nothing is promoted there is nothing to be better than: the gate is open.
 * But where the registry has an alias of nearly that name, it is taken for a slip (ST_CONFIG).
 */
#ifndef TUNDISH_PIPELINES_GATE_H
#define TUNDISH_PIPELINES_GATE_H

#include "pipelines/plan/plan.h"

#define GATE_DOCUMENTS_LEAST 20
#define GATE_COVERED_LEAST 0.5   /* of the promoted one's text: a minority of it may be no sample of it */

/*    name     word */
#define GATE_OUTCOMES(X)                                                                           \
    X(PASSED, "passed")                                                                            \
    X(FAILED, "failed")                                                                            \
    X(OPEN,   "open")
enum gate_outcome {
#define X(name, word) GATE_##name,
    GATE_OUTCOMES(X)
#undef X
    GATE_OUTCOME_COUNT
};
extern const char *const gate_outcome_words[];       /* NULL-terminated */

struct gate_result {
    enum gate_outcome outcome;
    double value;                /* the report's */
    double other;                /* the promoted one's; 0 without */
    double gain;                 /* over it, of the paired documents where they were compared */
    double low, high;            /* the gain's bounds, each at `confidence`; 0 without */
    size_t documents;            /* paired */
    const char *words;           /* "bits_per_byte 1.612 is over 1.5 by 0.112"; in the arena */
};

/* report: the folder of an artifact with metrics.json. A failed gate is ST_OK with GATE_FAILED; a
 * failure is a gate that cannot be told: no such metric (with the nearest name), a promoted version
 * without a report, a metric without scores of documents, files that are damaged. */
MUST_USE enum status gate_check(struct arena *a, const struct plan_gate *g, const char *report,
                                struct gate_result *out);

/* The pairs of two reports' documents: difference[i] is positive where the new one is better. */
struct gate_documents;
struct gate_pairs {
    double *difference, *weight;
    size_t count;
    size_t other_text;           /* same id, another weight: left out */
    double covered;              /* share of the other report's weight that is in pairs */
};
void gate_pair(struct arena *a, const struct gate_documents *mine,
               const struct gate_documents *other, bool higher_is_better, struct gate_pairs *out);

#endif
