/*
 * One round of training: a pair becomes a token at all its places, and the pairs that come to be
 * around it are counted and listed.
 *
 * All of these have the new token on one side, so they are told apart by the other token alone and
 * need no table: two counters a token, one for each side.
 */
#ifndef TUNDISH_TOKENIZE_BPE_ROUND_H
#define TUNDISH_TOKENIZE_BPE_ROUND_H

#include "tokenize/learn/bpe_text.h"
#include "tokenize/learn/pair_index.h"

struct bpe_fresh {
    int64_t count;
    size_t first;            /* of its places in the list of all */
    uint32_t n;              /* 0: not met in this round */
    bool kept;
};
struct bpe_round {
    struct bpe_text *text;
    struct pair_index *index;
    const uint32_t *length;          /* bytes, by id */
    uint32_t max_length;             /* 0: unbounded */
    struct paged_array *places;      /* of the pairs of the index */
    size_t *listed;
    struct bpe_fresh *fresh;         /* [2 * vocab]: token * 2, + 1 where the token is the right one */
    struct paged_array met;          /* of this round: struct bpe_met */
    size_t met_count, met_block;
    uint32_t *touched;               /* of fresh */
    size_t touched_count, touched_cap;
};
void bpe_round_init(struct bpe_round *r, uint32_t vocab);
void bpe_round_release(struct bpe_round *r);
struct bpe_merging {
    uint32_t left, right, id;
};
/* Merges at the places of the pair that the index gave, which rise. */
MUST_USE enum status bpe_round_merge(struct bpe_round *r, const struct bpe_merging *m,
                                     const struct pair *pair);
/* Merges wherever the pair stands, without the index, which does not hold any longer. */
void bpe_round_merge_everywhere(struct bpe_round *r, const struct bpe_merging *m);

#endif
