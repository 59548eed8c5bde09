/*
 * The different pieces while their pairs are merged.
 *
 * All pieces lie behind each other in one array, one place a byte, with a border before, between
 * and behind them. A token's id stands at its first and its last byte, so that both neighbours of
 * a token are found at once and a merge costs the same in short and in long pieces. At its first
 * byte stands also how often its piece is in the text, so that a merge needs nothing from elsewhere.
 */
#ifndef TUNDISH_TOKENIZE_BPE_TEXT_H
#define TUNDISH_TOKENIZE_BPE_TEXT_H

#include "tokenize/learn/paged_array.h"

#define BPE_BORDER UINT32_MAX            /* before, between and behind the pieces */
#define BPE_INNER (UINT32_MAX - 1)       /* a byte that is neither a token's first nor its last */
#define BPE_HEAVY ((uint32_t)1 << 31)    /* a weight from here on is a place in the list of heavy ones */
#define BPE_PLACES_MOST ((uint64_t)UINT32_MAX - 1)

struct bpe_place {
    uint32_t symbol, weight;
};
struct bpe_text {
    struct paged *paged;
    struct paged_array array;
    struct bpe_place *at;    /* of the array */
    size_t size;             /* places, borders included */
    size_t block;            /* that was filled last */
    uint64_t *heavy;
    size_t heavy_count, heavy_cap;
};
/* Appends a piece of n bytes: count ids, of which id i has length[ids[i]] bytes. */
struct bpe_text_piece {
    const uint32_t *ids, *length;
    size_t count, n;
    uint64_t weight;
};
MUST_USE enum status bpe_text_add(struct bpe_text *t, const struct bpe_text_piece *piece);
void bpe_text_release(struct bpe_text *t);

static inline int64_t bpe_text_weight(const struct bpe_text *t, size_t at)
{
    uint32_t w = t->at[at].weight;

    return (int64_t)(w < BPE_HEAVY ? w : t->heavy[w - BPE_HEAVY]);
}

#endif
