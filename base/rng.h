/*
 * Counter-based random numbers (Philox4x32-10; Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC'11): a draw is a pure function of (seed, stream, index), so any thread or rank may
 * take any draw in any order and nothing needs saving but the seed. The key is the seed, the
 * counter is (index, stream), low words first; a draw is the first two words of the result. Every
 * function gives the same bits on every machine (no C library functions but sqrt()).
 */
#ifndef TUNDISH_BASE_RNG_H
#define TUNDISH_BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t seed;
    uint64_t stream;      /* what the draws are for: a tensor, a site; keeps streams apart */
    uint64_t index;       /* the next draw */
};
/* Of 64 random bits, or of a hash: [0, 1), a multiple of 2^-53. */
static inline double rng_unit(uint64_t bits) { return (double)(bits >> 11) * 0x1p-53; }
uint64_t rng_at(uint64_t seed, uint64_t stream, uint64_t index);
double rng_uniform_at(uint64_t seed, uint64_t stream, uint64_t index);   /* [0, 1) */
/* N(0, 1), Box-Muller, one draw an index */
double rng_normal_at(uint64_t seed, uint64_t stream, uint64_t index);
uint64_t rng_next(struct rng *r);
double rng_next_uniform(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n);       /* [0, n), unbiased; n > 0 */
/* The i-th element of a seeded permutation of [0, n), in O(1) memory (Feistel network with cycle
 * walking): a bijection for every (seed, n). */
uint64_t rng_permute(uint64_t seed, uint64_t n, uint64_t i);
/* The inverse: rng_unpermute(seed, n, rng_permute(seed, n, i)) is i. */
uint64_t rng_unpermute(uint64_t seed, uint64_t n, uint64_t i);

#endif
