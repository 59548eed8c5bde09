/*
 * A histogram of what one rule measured: documents that passed the rule and those that broke it, apart.
 *
 * Bins are the same for every rule and every threshold, so that histograms add up: sixteen linear ones to each power
 * of two from 2^-10 to 2^30 (found from the number's own exponent, no logarithm is taken), one for zero and the
 * little above it, one for what is below zero, one for all above. A share between 0.5 and 1 is told to 1/32, a count
 * to 6 %.
 */
#ifndef TUNDISH_CURATE_RULE_VALUES_H
#define TUNDISH_CURATE_RULE_VALUES_H

#include <stdint.h>

#include "base/json.h"
#include "curate/chain/trace.h"

#define VALUE_OCTAVES 40
#define VALUE_OCTAVE_BINS 16
#define VALUE_LEAST_EXPONENT (-10)
#define VALUE_BINS (3 + VALUE_OCTAVES * VALUE_OCTAVE_BINS)

struct rule_value {
    double value, threshold;
    enum trace_side side;
    bool broken;
};
struct rule_values {
    uint64_t kept[VALUE_BINS], broken[VALUE_BINS];
    double least, most;                          /* of values */
    double threshold_least, threshold_most;      /* rules may have one for each language */
    enum trace_side side;
};

/* The bin of a value, from 0. */
int value_bin(double v);
/* Where bin i begins; the first one (below zero) has no beginning: -DBL_MAX. */
double value_bin_from(int i);
/* A number as reports can hold it: no NaN (0), nothing infinite (the largest finite one). */
double value_finite(double v);

/* Adds a value; *to is made when it is NULL. The owner frees it with free(). */
void rule_values_add(struct rule_values **to, const struct rule_value *v);
/* Adds all of from (may be NULL). */
void rule_values_merge(struct rule_values **to, const struct rule_values *from);

/* For partial reports: bins by number. */
json_t *rule_values_partial(const struct rule_values *v);
/* *out is made; what: names the place in an error. */
MUST_USE enum status rule_values_read(const json_t *partial, const char *what, struct rule_values **out);
/* For people: members side, threshold_min, threshold_max, value_min, value_max, bins: [[from, to, kept, broken]...]
 * of those that are not empty. */
json_t *rule_values_json(const struct rule_values *v);

#endif
