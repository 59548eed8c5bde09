/*
 * One token shard being written. It grows in an LMDB environment under a working name; finishing
 * copies it, compacted, to its final name. A copy has the pages of the tree alone, in the tree's
 * order, under transaction number 1; the transactions that led to it are cut by bytes written. So
 * the same documents give the same file.
 */
#ifndef TUNDISH_STORE_TOKEN_SHARD_H
#define TUNDISH_STORE_TOKEN_SHARD_H

#include "store/token_format.h"

struct token_shard_writer;
/* meta: part, shard, vocab, width and tokenizer are taken from it; counts begin at 0. */
MUST_USE enum status token_shard_begin(const char *folder, const struct token_shard_meta *meta,
                                       struct token_shard_writer **out);
MUST_USE enum status token_shard_add(struct token_shard_writer *w, const struct token_document *d);
/* Its counts so far. */
const struct token_shard_meta *token_shard_state(const struct token_shard_writer *w);
/* Frees w in any case. */
MUST_USE enum status token_shard_finish(struct token_shard_writer *w);
void token_shard_abort(struct token_shard_writer *w);

#endif
