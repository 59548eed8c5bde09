/* The table of merges from inside, for the files that look pairs up in their inner loops. */
#ifndef TUNDISH_TOKENIZE_BPE_PART_H
#define TUNDISH_TOKENIZE_BPE_PART_H

#include "tokenize/encode/bpe.h"

#define BPE_RANK_BITS 22

/* Most look-ups are of pairs that have no merge. They read the tags alone, an eighth of the slots' memory. */
struct bpe {
    uint64_t *slots;         /* left:21 right:21 rank:22, open addressing, at most half full */
    uint8_t *tags;           /* bits of the slot's hash, 0: free */
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

static inline uint8_t bpe_tag(uint64_t hash)
{
    return (uint8_t)(hash >> 56 | 1);
}

/* The slot of the pair, or the free one where it belongs. */
static inline size_t bpe_slot(const struct bpe *b, uint64_t key)
{
    uint64_t hash = bpe_hash(key);
    size_t i = hash & b->mask;

    while (b->tags[i] != 0 &&
           (b->tags[i] != bpe_tag(hash) || b->slots[i] >> BPE_RANK_BITS != key))
        i = (i + 1) & b->mask;
    return i;
}

/* As bpe_rank(). */
static inline uint32_t bpe_rank_of(const struct bpe *b, uint32_t left, uint32_t right)
{
    size_t i = bpe_slot(b, bpe_key(left, right));

    return b->tags[i] == 0 ? BPE_NO_RANK : (uint32_t)b->slots[i] & BPE_NO_RANK;
}

#endif
