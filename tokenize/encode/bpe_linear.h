/*
 * Byte-pair merging in linear time: the result is the only sequence of symbols that stand in which all
 * neighbours can neighbour (proven in bpe_tree.h for any order of ranks), so it can be searched for from
 * the left (after "bpe" of github/rust-gems, which takes ranks that are ids).
 *
 * At each place the longest symbol is tried that the text goes on with, then the shorter ones.
 * Where none can stand behind the symbol before, that symbol is taken back and the place is marked. The
 * way to a place is unique, so a marked place is never entered again: each place is entered once, and
 * the worst case is n times (longest symbol + symbols that are each other's prefixes * steps of a
 * test of neighbours, at most twice the tallest tree). Typically there is less than one step back for
 * ten symbols.
 *
 * The longest match comes from a trie (bpe_trie.h). Tests of neighbours are remembered in a small table that
 * each thread has.
 */
#ifndef TUNDISH_TOKENIZE_BPE_LINEAR_H
#define TUNDISH_TOKENIZE_BPE_LINEAR_H

#include "tokenize/encode/bpe_tree.h"

struct bpe_linear;       /* immutable, shared by threads */
/* t is borrowed, and its nodes' `shorter` set. NULL: too many bytes of symbols (2^24 places). s as given to bpe_tree_new(). */
struct bpe_linear *bpe_linear_new(struct bpe_tree *t, const struct bpe_symbols *s);
void bpe_linear_free(struct bpe_linear *l);

struct bpe_linear_scratch {      /* of one thread; {0} before use */
    uint64_t *memo;              /* left:21 right:21 answer:1, of one bpe_linear */
    uint64_t *dead;              /* a bit a place */
    size_t cap;                  /* words of dead */
};
void bpe_linear_scratch_release(struct bpe_linear_scratch *s);
/* The symbols of a piece, 0 < n < 2^31, into ids[n]; returns how many. 0: the piece is not made of base
 * symbols (it always is where all single bytes are). */
size_t bpe_linear_merge(const struct bpe_linear *l, struct bpe_linear_scratch *s, struct span piece,
                        uint32_t *ids);

#endif
