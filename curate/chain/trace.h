/*
 * What the rules of one step measured of one document: the values behind a verdict.
 *
 * A filter hands every value that it has to doc_judge(), in the order of its rules. The first rule that is broken
 * drops the document; what stands behind it is looked at only if somebody wants to know (`full`: --explain, scores
 * in the metadata). The report makes its histograms of values from here, `--explain` its table, `metadata` its scores.
 */
#ifndef TUNDISH_CURATE_TRACE_H
#define TUNDISH_CURATE_TRACE_H

#include <stdbool.h>
#include <stddef.h>

struct drop_reason;
struct doc;

enum trace_side {
    TRACE_AT_MOST,          /* a value above the threshold breaks the rule */
    TRACE_AT_LEAST,         /* one below it does */
    TRACE_TELLS,            /* nothing is asked of it: a score that is told */
};
struct trace_value {
    const struct drop_reason *rule;
    double value, threshold;
    enum trace_side side;
    bool broken;            /* decided by the rule itself: some want "at the threshold" to pass, some not */
};

struct trace {
    bool full;              /* set by who owns it; stays over trace_clear() */
    struct trace_value *values;
    size_t count, cap;
};
void trace_clear(struct trace *t);
void trace_release(struct trace *t);
void trace_add(struct trace *t, const struct trace_value *v);
/* Records v; if it is broken and d still lives, drops d. True: the filter may stop here. */
bool doc_judge(struct doc *d, struct trace *t, const struct trace_value *v);

#endif
