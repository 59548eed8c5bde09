/*
 * Byte-pair merging of one piece (Sennrich et al. 2016; ranks as in Hugging Face's BPE): of all
 * neighbouring pairs that have a merge, the one of lowest rank, leftmost on ties, becomes one
 * symbol, until there is none.
 *
 * Short pieces are scanned for the minimum after each merge; long ones go through a heap of (rank,
 * position) and a linked list: n log n in the worst case.
 */
#ifndef TUNDISH_TOKENIZE_BPE_H
#define TUNDISH_TOKENIZE_BPE_H

#include <stddef.h>
#include <stdint.h>

struct bpe;      /* the merges: immutable once filled, shared by threads */
struct bpe *bpe_new(size_t merges);
void bpe_free(struct bpe *b);
/* left, right -> id at a rank. A pair that is there already takes the new rank and id. */
struct bpe_merge {
    uint32_t left, right, rank, id;
};
void bpe_add(struct bpe *b, const struct bpe_merge *m);
/* The merge of a pair, or NULL. */
const struct bpe_merge *bpe_find(const struct bpe *b, uint32_t left, uint32_t right);

struct bpe_scratch {     /* of one thread; {0} before use */
    uint32_t *prev, *next;
    uint64_t *heap;
    size_t cap;
};
void bpe_scratch_release(struct bpe_scratch *s);
/* Merges ids[0..n) in place, n < 2^31; returns how many are left. */
size_t bpe_merge_piece(const struct bpe *b, struct bpe_scratch *s, uint32_t *ids, size_t n);

#endif
