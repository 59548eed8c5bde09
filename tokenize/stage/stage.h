/*
 * The stage `tokenize`: a corpus becomes a token store in one pass, by all cores and all ranks, and goes on where
 * it was whatever ended it.
 *
 * The work is divided by input, so that no byte depends on who does it: the corpus's files, in order, make groups
 * (corpus_groups.h), and a group's documents, in order, make shards, each closed at the first document end at or
 * past --shard-tokens. Group g is rank g mod ranks'. A rank works on several groups at a time where it has many
 * threads: a group has one reader, and one reader feeds only so many encoders. Each such lane has its pool
 * (encode_stream.h), its growing shard, and a thread that finishes and hashes the shard before it (sealer.h).
 *
 * Everything stands in OUT.work (store/artifact/unfinished.h; FORMATS.md, "Token store"): growing shards, which know at
 * which document they stand, finished ones, and a record of a group's finished shards with their digests. At the
 * end rank 0 gives the shards their numbers in the store, by hard links, and commits; so a kill at any moment finds
 * either the store or all of OUT.work.
 */
#ifndef TUNDISH_TOKENIZE_STAGE_H
#define TUNDISH_TOKENIZE_STAGE_H

#include "base/command.h"
#include "comm/comm.h"
#include "store/tokens/token_format.h"
#include "tokenize/corpus_text.h"
#include "tokenize/stage/corpus_groups.h"
#include "tokenize/tokenizer.h"

struct tokenize_options {
    const char *tokenizer, *corpus, *out, *learn_only;
    double validation;
    uint64_t group_bytes;
    int64_t shard_tokens, threads;
    const char *tokenizer_digest;    /* of no row; NULL: the tokenizer's own, else what the shards are to name (for
                                        one that a store carries) */
};
/* The whole of it, as the command runs it (command: for the manifest). Opens the ranks. */
MUST_USE enum status tokenize_stage(const struct command *command, const struct tokenize_options *o);

/* ---- what its files share; private to this folder ---- */

/* What a rank's lanes read. */
struct tokenize_work {
    const struct tokenize_options *o;
    struct tokenizer *tokenizer;
    int64_t end;                     /* the end-of-text token */
    struct corpus_files files;
    struct corpus_groups groups;
    const char *folder;              /* OUT.work */
    struct token_shard_meta meta;    /* what all shards have */
    int rank, ranks;
    _Atomic uint64_t encoded;        /* bytes of text in this run */
    _Atomic bool over;               /* a lane has failed: the others stop */
    _Atomic bool input_fault;        /* because of a document */
};
/* Encodes this rank's groups. */
MUST_USE enum status groups_encode(struct tokenize_work *w);

#endif
