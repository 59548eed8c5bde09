/*
 * The paired bootstrap of a ratio: how sure is it that one model is better than another, given
 * both models' scores of the same documents?
 *
 * Documents are drawn with replacement, as many as there are, each with both models' scores, and
 * the gain of that draw is computed anew; the quantiles of many such gains bound the true one
 * (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, 13.3, the percentile interval;
 * for paired comparisons of language systems: Koehn, "Statistical significance tests for machine
 * translation evaluation", EMNLP 2004). Pairing takes out what makes documents hard for both.
 *
 * A document's part of the gain is difference[i] of weight[i]; the gain is sum(difference) /
 * sum(weight).
 */
#ifndef TUNDISH_PIPELINES_GATE_BOOTSTRAP_H
#define TUNDISH_PIPELINES_GATE_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define BOOTSTRAP_DRAWS_LIMIT 2e10       /* documents x resamples: some minutes */

struct bootstrap_args {
    const double *difference, *weight;   /* n; weights 0 or more, not all 0 */
    size_t n;
    long long resamples;
    uint64_t seed;
    double confidence;                   /* in (0, 1), of each bound alone */
};
struct bootstrap_result {
    double gain;                         /* of the documents as they are */
    double low, high;                    /* the gain's quantiles at 1 - confidence and confidence */
};
/* A function of its arguments alone. O(n x resamples) time, O(n + resamples) memory. ST_LIMIT if
 * that were more than BOOTSTRAP_DRAWS_LIMIT; ST_INTERRUPTED on Ctrl-C. */
MUST_USE enum status bootstrap_gain(const struct bootstrap_args *args,
                                    struct bootstrap_result *out);

#endif
