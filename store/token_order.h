/*
 * In which order training reads a token stream: a pure function of (tokens, length, seed, sample
 * number), so that resuming, or any number of threads and ranks, needs nothing but the number of
 * the next sample. Who has a checkpoint's options can tell what it has read (FORMATS.md,
 * "checkpoint").
 *
 * The stream is cut into windows of T + 1 tokens, one every T; the cut is shifted by a seeded
 * offset each epoch, and an epoch's windows come in a seeded permutation.
 */
#ifndef TUNDISH_STORE_TOKEN_ORDER_H
#define TUNDISH_STORE_TOKEN_ORDER_H

#include <stdint.h>

#include "base/status.h"

struct token_order {
    uint64_t length;          /* T */
    uint64_t seed;
    uint64_t windows;         /* of one epoch */
};
/* tokens >= 2 T + 1. */
struct token_order token_order_of(uint64_t tokens, uint64_t length, uint64_t seed);
/* The first token of a sample's window. */
uint64_t token_order_start(const struct token_order *o, uint64_t sample);

/* What the samples [0, samples) have read, in O(1) memory. */
struct token_reading {
    struct token_order order;
    uint64_t low, high;       /* every token of it stood in a whole epoch; low = high: no such */
    uint64_t offset, seed;    /* of the epoch that is not whole */
    uint64_t samples;         /* of that epoch */
};
/* ST_LIMIT for more than a million epochs; ST_FORMAT where the stream is too short for one window.
 */
MUST_USE enum status token_reading_init(struct token_reading *r, uint64_t tokens, uint64_t length,
                                        uint64_t seed, uint64_t samples);
/* How many of the tokens [first, first + count) were read at least once, be it as the last word
 * that is foretold. O(count / T). */
uint64_t token_reading_count(const struct token_reading *r, uint64_t first, uint64_t count);

#endif
