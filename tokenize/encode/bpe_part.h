/* The table of merges from inside, for the files that look pairs up in their inner loops. */
#ifndef TUNDISH_TOKENIZE_BPE_PART_H
#define TUNDISH_TOKENIZE_BPE_PART_H

#include "tokenize/encode/bpe.h"

#define BPE_RANK_BITS 22

/* Most look-ups are of pairs that have no merge. Three of four end at a bit that says whether any pair's
 * hash is that of this slot, most others at the tags: 1/64 and 1/8 of the slots' memory. */
struct bpe {
    uint64_t *slots;         /* left:21 right:21 rank+1:22, open addressing, at most half full; 0: free */
    uint64_t *homes;         /* a bit a slot: a pair's search begins there */
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
    uint64_t key = bpe_key(left, right);
    size_t i = bpe_hash(key) & b->mask;

    if (!(b->homes[i / 64] >> i % 64 & 1))
        return BPE_NO_RANK;
    i = bpe_slot(b, key);
    return b->tags[i] == 0 ? BPE_NO_RANK : ((uint32_t)b->slots[i] & BPE_NO_RANK) - 1;
}

/* The same where the pair most likely has a merge: one read. */
static inline uint32_t bpe_rank_likely(const struct bpe *b, uint32_t left, uint32_t right)
{
    uint64_t key = bpe_key(left, right);
    size_t i = bpe_hash(key) & b->mask;

    while (b->slots[i] >> BPE_RANK_BITS != key) {
        if (b->slots[i] == 0)
            return BPE_NO_RANK;
        i = (i + 1) & b->mask;
    }
    return b->slots[i] == 0 ? BPE_NO_RANK : ((uint32_t)b->slots[i] & BPE_NO_RANK) - 1;
}

#endif
