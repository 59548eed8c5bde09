/*
 * Token stores: a folder of LMDB shards, one environment a shard, write-once
 * (FORMATS.md, "token store").
 *
 * The store has two parts, train and validation; a document belongs to one by the hash of its text,
 * so that equal documents never stand on both sides and the split does not depend on order. A shard
 * holds some of both. Each part is one stream of tokens over the shards in the order of their
 * numbers; documents are ranges of it. Tokens are u16 where the vocabulary has at most 65,536
 * entries, else u32.
 *
 * Written in a working folder, synced, hashed into the manifest, renamed. Files are checked
 * against the manifest's digests before LMDB opens them (LMDB may crash on a damaged page); a
 * file once checked is remembered by inode, size and times (digests.h). Opened
 * MDB_RDONLY|MDB_NOLOCK, after fork only.
 */
#ifndef TUNDISH_STORE_TOKENS_H
#define TUNDISH_STORE_TOKENS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/status.h"
#include "base/str.h"

enum token_part { TOKENS_TRAIN, TOKENS_VALIDATION, TOKENS_PARTS };

/* ---- writing: one writer for the whole store, documents in order ---- */
struct token_writer_args {
    const char *folder;    /* existing, the artifact's temporary folder */
    uint32_t vocab;        /* entries; decides the width */
    uint64_t shard_tokens; /* a shard is closed at the first document end past this */
    const char *tokenizer_digest;
    const char *corpus_digest; /* of what the documents are from; NULL: it is not said */
    double validation;         /* share of documents, by text hash: [0, 0.5] */
};
struct token_span {
    uint64_t first, count;
};
struct token_document {
    struct span id, source;
    struct span language; /* n = 0: not known */
    uint64_t text_hash;   /* XXH3 of the text: decides the part */
    uint64_t text_bytes;
    const uint32_t *tokens; /* with the end-of-text token at the end */
    uint64_t count;
    const struct token_span *unlearnt; /* read, but not to be learnt; ascending, apart */
    size_t unlearnt_count;
};
struct token_writer;
MUST_USE enum status token_writer_open(const struct token_writer_args *args,
                                       struct token_writer **out);
MUST_USE enum status token_writer_add(struct token_writer *w, const struct token_document *d);
/* Finishes the shards; *counts gets {"shards", "train": {"documents","tokens","text_bytes"},
 * "validation": {...}}. Frees w in any case. */
MUST_USE enum status token_writer_close(struct token_writer *w, json_t **counts);
void token_writer_abort(struct token_writer *w);
/* The part of a document: pure in (hash, share). The hash's upper 53 bits, scaled to [0, 1), are
 * below the share for validation. */
enum token_part token_part_of(uint64_t text_hash, double validation);

/* ---- reading ---- */
struct token_store;
/* Opens an artifact of kind "token-store"; verifies digests first (see above). */
MUST_USE enum status token_store_open(const char *path, struct token_store **out);
/* The store as it was when it had that content digest, before documents were appended or removed:
 * its documents with the numbers, places and lengths of then. One that was removed since has no id
 * but by token_store_removed(); tokens are refused. ST_MISSING: it never had the digest. */
MUST_USE enum status token_store_open_then(const char *path, const char *digest,
                                           struct token_store **out);
#define TOKEN_STORE_REMOVED "(removed)"
/* Tells each document of such a store that has the id and was removed since; of a store as it is
 * now none. */
typedef enum status token_removed_fn(void *ctx, enum token_part part, uint64_t index);
MUST_USE enum status token_store_removed(const struct token_store *s, struct span id,
                                         token_removed_fn *tell, void *ctx);
void token_store_close(struct token_store *s);
uint32_t token_store_vocab(const struct token_store *s);
int token_store_width(const struct token_store *s);          /* 2 or 4 bytes a token */
const char *token_store_digest(const struct token_store *s); /* content digest of the artifact */
/* digest of the tokenizer artifact */
const char *token_store_tokenizer(const struct token_store *s);
uint64_t token_store_shards(const struct token_store *s);
uint64_t token_store_tokens(const struct token_store *s, enum token_part part);
uint64_t token_store_documents(const struct token_store *s, enum token_part part);
uint64_t token_store_text_bytes(const struct token_store *s, enum token_part part);
/* Copies tokens [first, first+n) of a part's stream (shards one after the other) as int32. Out of
 * range is ST_LIMIT; a token that the vocabulary lacks is ST_INTEGRITY. An open store may be read
 * by several threads. */
MUST_USE enum status token_store_read(const struct token_store *s, enum token_part part,
                                      uint64_t first, uint64_t n, int32_t *out);
/* A slice without copying: *p points at token `first`, *n tokens follow in the same block. */
MUST_USE enum status token_store_slice(const struct token_store *s, enum token_part part,
                                       uint64_t first, const void **p, uint64_t *n);
struct token_range {
    uint64_t first, count; /* in the part's stream */
    uint64_t text_hash, text_bytes;
    struct span id, source, language; /* valid while the store is open */
};
MUST_USE enum status token_store_document(const struct token_store *s, enum token_part part,
                                          uint64_t index, struct token_range *out);
/* How many tokens document `index` has; index < token_store_documents(). A look at an array: no
 * failure, no lock. */
uint64_t token_store_length(const struct token_store *s, enum token_part part, uint64_t index);
/* Where document `index` begins in the part's stream; likewise. */
uint64_t token_store_first(const struct token_store *s, enum token_part part, uint64_t index);
/* The ids of documents [index, index + *n), or of as many of them as lie in one shard; *n says how
 * many. For who looks through all: about 10 ns a document. */
MUST_USE enum status token_store_ids(const struct token_store *s, enum token_part part,
                                     uint64_t index, struct span *ids, uint64_t *n);
/* The spans of a document that are not to be learnt, counted from its first token; in the arena. */
MUST_USE enum status token_store_skips(const struct token_store *s, enum token_part part,
                                       uint64_t index, struct arena *a,
                                       const struct token_span **spans, size_t *count);
/* Sets targets[i] = -1 where token first + i of the part's stream is one that is not to be learnt.
 * Cheap where the store has no such tokens. */
void token_store_mask(const struct token_store *s, enum token_part part, uint64_t first, uint64_t n,
                      int32_t *targets);
/* Recomputes every checksum; ST_INTEGRITY names shard, table, block and the documents that it is
 * about. */
MUST_USE enum status token_store_verify(const struct token_store *s);
/* SHA-256 of tokens and records of both parts in order, and of vocabulary and tokenizer: what the
 * store holds, however it is cut into shards. Reads all of it. */
MUST_USE enum status token_store_content(const struct token_store *s, char hex[SHA256_HEX]);

#endif
