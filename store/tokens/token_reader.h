/*
 * An open token shard, for the files that make up the reading half of tokens.h. After opening, all
 * but labels and checksums is a look into the map: no lock, no search.
 */
#ifndef TUNDISH_STORE_TOKEN_READER_H
#define TUNDISH_STORE_TOKEN_READER_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/tokens/token_records.h"

/* One part of a shard; all pointers into the map. */
struct token_shard_part {
    const unsigned char **blocks; /* [block_count] */
    struct token_docs *docs;      /* [doc_blocks] */
    const uint64_t **skips;       /* [skip_blocks]: spans {first, end} */
    uint64_t block_count, doc_blocks, skip_blocks;
    uint64_t first_token, first_document; /* in the part's stream; set by the store */
};
struct token_label {
    struct span source, language;
};
struct token_shard {
    struct token_shard_meta meta;
    char *path;
    MDB_env *env;
    MDB_txn *txn; /* one for as long as the shard is open */
    MDB_dbi tables[TOKEN_TABLES];
    pthread_mutex_t lock; /* of txn, which serves one thread at a time, and the making of labels */
    struct token_label *_Atomic labels; /* NULL until one is asked for */
    struct token_shard_part parts[TOKENS_PARTS];
};

/* A document's record. first counts from the part's first token in this shard. */
struct token_record {
    uint64_t first, count, text_hash;
    uint32_t label, text_bytes;
    struct span id;
};

/* Opens the file, whose bytes must be known to be sound. Keys, sizes, alignment and what leads from
 * one place to another (ends of documents, of ids, labels' numbers, spans) are checked; checksums
 * are not. */
MUST_USE enum status token_shard_open(struct token_shard *s, const char *path);
void token_shard_close(struct token_shard *s);
/* index counts from the part's first document in this shard and must be below its `documents`. */
struct token_record token_shard_record(const struct token_shard *s, enum token_part part,
                                       uint64_t index);
/* The document's first token; of index = documents: the end of all. */
uint64_t token_shard_first(const struct token_shard *s, enum token_part part, uint64_t index);
/* The first document that ends behind token t (`documents` if none does). */
uint64_t token_shard_document_at(const struct token_shard *s, enum token_part part, uint64_t t);
/* number < meta.labels. */
MUST_USE enum status token_shard_label(const struct token_shard *s, uint32_t number,
                                       struct token_label *out);
/* Span i of a part, i < its `skips`; and the first span that ends behind token t. */
const uint64_t *token_shard_skip(const struct token_shard *s, enum token_part part, uint64_t i);
uint64_t token_shard_skip_at(const struct token_shard *s, enum token_part part, uint64_t t);
/* The value with this number in a table, under the lock. */
MUST_USE enum status token_shard_value(const struct token_shard *s, int table, uint64_t number,
                                       struct span *out);
/* Recomputes every checksum; ST_INTEGRITY names table, block and documents. */
MUST_USE enum status token_shard_verify(const struct token_shard *s);

#endif
