/*
 * One piece to ids, without the cache: what a tokenizer has for it beside the table of merges.
 * Shared by threads. The tables of what follows are made when so much has been merged that they pay: a
 * line of text does without them, as does what only decodes. Until then all is merged by rank.
 *
 * Three ways, all with the same result: a short piece that is a token and surely becomes it
 * (ignore_merges, or it stands: bpe_tree.h) is found in a table by its key; where symbols are bytes,
 * merging is done in linear time (bpe_linear.h); else by rank (bpe.h).
 */
#ifndef TUNDISH_TOKENIZE_PIECE_MERGE_H
#define TUNDISH_TOKENIZE_PIECE_MERGE_H

#include "tokenize/encode/bpe_linear.h"
#include "tokenize/encode/piece_key.h"

struct tokenizer;
struct piece_merge;
struct piece_merge *piece_merge_new(const struct tokenizer *t);      /* borrows it */
void piece_merge_free(struct piece_merge *m);
/* Makes the tables at once. By any number of threads. */
void piece_merge_prepare(struct piece_merge *m);
/* The trees of the vocabulary, or NULL where there are none: symbols are not bytes. After piece_merge_prepare(). */
const struct bpe_tree *piece_merge_trees(const struct piece_merge *m);

/* The id of a short piece that is a token for certain, or NO_TOKEN (also where that is not known yet). hash: piece_key_hash(). */
uint32_t piece_merge_word(const struct piece_merge *m, struct piece_key key, uint32_t hash);
/* Calls up what that will read first. */
void piece_merge_word_soon(const struct piece_merge *m, uint32_t hash);

struct piece_merge_scratch {     /* of one thread; {0} before use */
    struct bpe_scratch rank;
    struct bpe_linear_scratch linear;
};
void piece_merge_scratch_release(struct piece_merge_scratch *s);
/* The ids of a piece, 0 < n < 2^31, into ids[n]; returns how many. A short one must not be a word. */
size_t piece_merge_ids(struct piece_merge *m, struct piece_merge_scratch *s, struct span piece,
                       uint32_t *ids);

#endif
