/*
 * An open token shard, for the files that make up the reading half of tokens.h.
 */
#ifndef TUNDISH_STORE_TOKEN_READER_H
#define TUNDISH_STORE_TOKEN_READER_H

#include <pthread.h>

#include "store/token_format.h"

struct token_shard {
    struct token_shard_meta meta;
    char *path;
    MDB_env *env;
    MDB_txn *txn;                       /* one for as long as the shard is open */
    MDB_dbi tables[TOKEN_TABLES];
    pthread_mutex_t lock;               /* a transaction serves one thread at a time */
    const unsigned char **blocks;       /* into the map */
    uint64_t block_count;
    uint64_t first_token, first_document;   /* in the part's stream */
};

/* A document's record, checked. first counts from the shard's first token. */
struct token_record {
    uint64_t first, text_hash;
    uint32_t count, source;
    struct span id;
};

/* Opens the file, whose bytes must be known to be sound. Every block's key, size and
 * alignment is checked. */
MUST_USE enum status token_shard_open(struct token_shard *s, const char *path);
void token_shard_close(struct token_shard *s);
/* index counts from the shard's first document and must be below meta.documents. */
MUST_USE enum status token_shard_record(const struct token_shard *s, uint64_t index,
                                        struct token_record *out);
MUST_USE enum status token_shard_source(const struct token_shard *s, uint32_t number,
                                        struct span *out);
MUST_USE enum status token_shard_verify(const struct token_shard *s);

#endif
