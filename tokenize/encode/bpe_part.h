/* The table of merges from inside, for the files that look pairs up in their inner loops. */
#ifndef TUNDISH_TOKENIZE_BPE_PART_H
#define TUNDISH_TOKENIZE_BPE_PART_H

#include "tokenize/encode/bpe.h"

#define BPE_FREE UINT64_MAX
#define BPE_RANK_BITS 22

struct bpe {
    uint64_t *slots;         /* left:21 right:21 rank:22, open addressing; BPE_FREE */
    size_t mask, count;
    uint32_t *joined;        /* [ranks]; UINT32_MAX where the rank has no merge */
    size_t ranks, joined_cap;
};

static inline uint64_t bpe_key(uint32_t left, uint32_t right)
{
    return (uint64_t)left << 21 | right;
}

static inline uint64_t bpe_hash(uint64_t key)
{
    uint64_t h = key * 0x9E3779B97F4A7C15u;

    return h ^ h >> 32;
}

/* The slot of the pair, or the free one where it belongs. */
static inline size_t bpe_slot(const struct bpe *b, uint64_t key)
{
    size_t i = bpe_hash(key) & b->mask;

    while (b->slots[i] >> BPE_RANK_BITS != key && b->slots[i] != BPE_FREE)
        i = (i + 1) & b->mask;
    return i;
}

/* As bpe_rank(): a free slot has all bits set, and so the rank that means none. */
static inline uint32_t bpe_rank_of(const struct bpe *b, uint32_t left, uint32_t right)
{
    return (uint32_t)b->slots[bpe_slot(b, bpe_key(left, right))] & BPE_NO_RANK;
}

#endif
