/*
 * Which of several sources a row belongs to. A balanced binary tree over the sources; an inner node
 * whose left half has the share a of its rows sends row i to the left if floor((i + 1) a) > floor(i
 * a), as number floor(i a) of the left, else as number i - floor(i a) of the right. So after any i
 * rows each source has had its share of them to within one a level of the tree, and both questions
 * (whose is row i? how many of the first i rows are mine?) take O(log sources).
 *
 * Shares are 64-bit fractions, products 128-bit integers: the same on every machine.
 */
#ifndef TUNDISH_STORE_SAMPLE_BLEND_H
#define TUNDISH_STORE_SAMPLE_BLEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sample_blend {
    size_t count;
    uint64_t *shares; /* of node 1 and, below node i, 2 i (left) and 2 i + 1 */
};
/* Weights: at least 1 each, in sum below 2^64. */
void sample_blend_init(struct sample_blend *b, const uint64_t *weights, size_t count);
void sample_blend_release(struct sample_blend *b);
/* The source of row i, and as which of its rows. */
size_t sample_blend_find(const struct sample_blend *b, uint64_t i, uint64_t *number);
/* How many of the rows [0, i) are the source's. */
uint64_t sample_blend_count(const struct sample_blend *b, size_t source, uint64_t i);
/* Which row is the source's row `number`; UINT64_MAX where it is 2^62 or more. */
uint64_t sample_blend_row(const struct sample_blend *b, size_t source, uint64_t number);

/* Real weights (finite, above 0) as integers in proportion: the largest becomes 2^54, which no sum
 * of 256 takes past 2^62. Those below a 2^40th of it become too coarse: false, and *which. */
#define SAMPLE_WEIGHT_LARGEST ((uint64_t)1 << 54)
bool sample_blend_weights(const double *weights, size_t count, uint64_t *out, size_t *which);

#endif
