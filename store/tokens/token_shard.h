/*
 * One token shard being written: both parts of it, in one LMDB environment.
 *
 * It grows under a working name (PATH.part) by transactions that are cut by bytes written. A
 * transaction holds tokens, document records, and how many documents were taken, so whatever ends
 * the process, the working file stands at a document's end, knows at which, and is gone on with.
 * Finishing makes PATH of it: the same documents give the same bytes, whatever interruptions there
 * were. PATH is synced; the working file is not, as waiting for the disk would be most of the time:
 * after a loss of power it is not to be trusted, and who goes on removes it first (platform.h tells
 * one start of the machine from another).
 */
#ifndef TUNDISH_STORE_TOKEN_SHARD_H
#define TUNDISH_STORE_TOKEN_SHARD_H

#include "store/tokens/token_format.h"

struct token_shard_writer;
/* Begins the shard that will be at `path`, or goes on with path.part, if there is one and `meta`
 * (vocab, width, tokenizer, corpus) fits it; ST_CONFIG says what does not. Counts of meta are not
 * looked at. */
MUST_USE enum status token_shard_begin(const char *path, const struct token_shard_meta *meta,
                                       struct token_shard_writer **out);
/* A transaction that fails (a full disk) leaves the working file as it was before it. */
MUST_USE enum status token_shard_add(struct token_shard_writer *w, enum token_part part,
                                     const struct token_document *d);
/* Its counts so far; the documents of both parts together say where the input goes on. */
const struct token_shard_meta *token_shard_state(const struct token_shard_writer *w);
/* Makes PATH and removes the working file. Frees w in any case. */
MUST_USE enum status token_shard_finish(struct token_shard_writer *w);
/* Keeps the working file at the last transaction, after committing what is open where `commit`. */
void token_shard_leave(struct token_shard_writer *w, bool commit);
/* Removes the working file. */
void token_shard_abort(struct token_shard_writer *w);

#endif
