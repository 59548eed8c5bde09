#include "pipelines/registry/gate_bootstrap.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/rng.h"
#include "base/stop.h"

#define RESAMPLES_LIMIT 10000000
#define STREAM 0x676174650000ull         /* draws of resample r are stream STREAM + r */

/* Side by side, so that a draw is one look into memory. */
struct pair {
    double difference, weight;
};

static struct pair *pairs_of(const struct bootstrap_args *args)
{
    struct pair *pairs = mem_array(args->n, sizeof *pairs);

    for (size_t i = 0; i < args->n; i++)
        pairs[i] = (struct pair){ args->difference[i], args->weight[i] };
    return pairs;
}

static double gain_of_all(const struct bootstrap_args *args)
{
    double difference = 0, weight = 0;

    for (size_t i = 0; i < args->n; i++) {
        difference += args->difference[i];
        weight += args->weight[i];
    }
    return difference / weight;
}

/* A draw in which nothing has weight says nothing: it is drawn again. */
static double gain_of_draw(const struct pair *pairs, size_t n, uint64_t seed, uint64_t r)
{
    struct rng rng = { seed, STREAM + r, 0 };
    double difference, weight;

    do {
        difference = weight = 0;
        for (size_t i = 0; i < n; i++) {
            const struct pair *drawn = &pairs[rng_below(&rng, n)];

            difference += drawn->difference;
            weight += drawn->weight;
        }
    } while (weight <= 0);
    return difference / weight;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Linear between order statistics (Hyndman and Fan's type 7, as numpy and R have it). */
static double quantile(const double *sorted, size_t n, double p)
{
    double at = p * (double)(n - 1);
    size_t below = (size_t)at;
    double part = at - (double)below;

    if (below + 1 >= n)
        return sorted[n - 1];
    return part > 0 ? sorted[below] + part * (sorted[below + 1] - sorted[below]) : sorted[below];
}

static enum status check(const struct bootstrap_args *args)
{
    double draws = (double)args->n * (double)args->resamples;

    if (args->n == 0)
        return fail(ST_CONFIG, "no documents to draw from, want at least 1");
    if (args->resamples < 1 || args->resamples > RESAMPLES_LIMIT)
        return fail(ST_CONFIG, "%lld resamples, want 1 to %d", args->resamples, RESAMPLES_LIMIT);
    if (!(args->confidence > 0 && args->confidence < 1))
        return fail(ST_CONFIG, "confidence is %g, want more than 0 and less than 1",
                    args->confidence);
    if (draws > BOOTSTRAP_DRAWS_LIMIT)
        return fail(ST_LIMIT, "%lld resamples of %zu documents are too much work; want at most %.0f "
                              "resamples",
                    args->resamples, args->n, floor(BOOTSTRAP_DRAWS_LIMIT / (double)args->n));
    if (!isfinite(gain_of_all(args)))
        return fail(ST_CONFIG, "the documents have no weight, or too much");
    return ST_OK;
}

static enum status draw_all(const struct bootstrap_args *args, double *gains)
{
    struct pair *pairs = pairs_of(args);
    enum status st = ST_OK;

    for (long long r = 0; st == ST_OK && r < args->resamples; r++) {
        if (stop_requested())
            st = fail(ST_INTERRUPTED, "stopped after %lld of %lld resamples", r, args->resamples);
        gains[r] = gain_of_draw(pairs, args->n, args->seed, (uint64_t)r);
    }
    free(pairs);
    return st;
}

enum status bootstrap_gain(const struct bootstrap_args *args, struct bootstrap_result *out)
{
    size_t rounds;
    double *gains;
    enum status st;

    TRY(check(args));
    rounds = (size_t)args->resamples;
    gains = mem_array(rounds, sizeof *gains);
    st = draw_all(args, gains);
    if (st == ST_OK) {
        qsort(gains, rounds, sizeof *gains, by_value);
        *out = (struct bootstrap_result){ .gain = gain_of_all(args),
                                          .low = quantile(gains, rounds, 1 - args->confidence),
                                          .high = quantile(gains, rounds, args->confidence) };
    }
    free(gains);
    return st;
}
