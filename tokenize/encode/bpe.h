/*
 * Byte-pair merging of one piece (Sennrich et al. 2016): of all neighbouring pairs that have a merge,
 * the one of lowest rank, leftmost on ties, becomes one symbol, until there is none.
 *
 * The ranks have either of two meanings, and the table holds both:
 *   - the position in a list of merges (Hugging Face): each rank has one pair;
 *   - the id of the joined token (tiktoken): whatever two symbols make a token's bytes merge at
 *     that token's rank, so that a rank has as many pairs as the token has splits.
 * In both a rank stands for one joined symbol, so a slot of the table needs the rank alone: 64 bits
 * are left, right and rank.
 *
 * Short pieces are scanned for the minimum after each merge; long ones go through a heap of (rank,
 * position) and a linked list: n log n in the worst case. bpe_linear.h has the same result
 * in linear time, for tables for which it can be proven.
 */
#ifndef TUNDISH_TOKENIZE_BPE_H
#define TUNDISH_TOKENIZE_BPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define BPE_ID_LIMIT ((1u << 21) - 1)        /* ids are below */
#define BPE_NO_RANK ((1u << 22) - 1)         /* ranks are below; "no merge" */

struct bpe;      /* the merges: immutable once filled, shared by threads */
struct bpe *bpe_new(size_t merges);
void bpe_free(struct bpe *b);
/* left, right -> id at a rank. A pair that is there already takes the new rank and id. Of the merges
 * of one rank all have the same id. */
struct bpe_merge {
    uint32_t left, right, rank, id;
};
void bpe_add(struct bpe *b, const struct bpe_merge *m);
/* The rank of a pair's merge, or BPE_NO_RANK. */
uint32_t bpe_rank(const struct bpe *b, uint32_t left, uint32_t right);
/* The symbol that a rank (one that bpe_rank() gave) makes. */
uint32_t bpe_joined(const struct bpe *b, uint32_t rank);
/* All merges, by rank; of one rank in no order. The caller's to free; *count may be 0. */
struct bpe_merge *bpe_list(const struct bpe *b, size_t *count);

/* The merges of a list of ranks, as tiktoken has them: two symbols whose bytes together are entry i
 * merge at rank i into i. bytes[count] are the entries by rank (p NULL: none there), all
 * different, count < BPE_ID_LIMIT. The table is exact, since every split of every entry that
 * is made of two entries is in it. The entry's whole text is looked up before any merging by
 * tiktoken; that is for the caller (ignore_merges). */
struct bpe *bpe_from_ranks(const struct span *bytes, size_t count);

struct bpe_scratch {     /* of one thread; {0} before use */
    uint32_t *prev, *next;
    uint64_t *heap;
    size_t cap;
};
void bpe_scratch_release(struct bpe_scratch *s);
/* Where symbols are bytes: their ids, and the rank of each two, in a table that is mostly cached. */
struct bpe_bytes {
    uint32_t id[256], rank[256][256];
};
struct bpe_bytes *bpe_bytes_new(const struct bpe *b, const uint32_t id[256]);
#define BPE_SHORT 64
/* The symbols of a piece of 1 to BPE_SHORT bytes into ids[n]; returns how many. */
size_t bpe_merge_bytes(const struct bpe *b, const struct bpe_bytes *bytes, struct span piece,
                       uint32_t *ids);
/* Merges ids[0..n) in place, n < 2^31; returns how many are left. */
size_t bpe_merge_piece(const struct bpe *b, struct bpe_scratch *s, uint32_t *ids, size_t n);

#endif
