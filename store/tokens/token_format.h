/*
 * The bytes of a token shard (FORMATS.md, "token store"): what writer and reader share.
 */
#ifndef TUNDISH_STORE_TOKEN_FORMAT_H
#define TUNDISH_STORE_TOKEN_FORMAT_H

#include <lmdb.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/status.h"
#include "base/str.h"
#include "store/tokens/tokens.h"

#define TOKEN_FORMAT_VERSION 2
/* An LMDB overflow value has a 16-byte header before it, so k*4096-16 bytes fill k pages, and begin
 * at a multiple of 16. */
#define TOKEN_PAGE         4096
#define TOKEN_VALUE_HEAD   16
#define TOKEN_BLOCK_BYTES  ((1u << 20) - TOKEN_VALUE_HEAD)
#define TOKEN_ID_MAX       65535u /* bytes of a document's id, of a source's or language's name */
#define TOKEN_SHARDS_MAX   100000
#define TOKEN_EDITIONS_MAX 1000000000
#define TOKEN_META_KEY     "meta"

/* The tables (named databases) of a shard. Each part has the first four, with text before the dot;
 * what follows is shared. TOKEN_META and TOKEN_WORK have text keys, the others u64. TOKEN_WORK is
 * only in a shard that is being written. */
enum token_table { TOKEN_TOK, TOKEN_SUM, TOKEN_DOC, TOKEN_SKIP, TOKEN_PART_TABLES };
enum {
    TOKEN_SRC = TOKENS_PARTS * TOKEN_PART_TABLES,
    TOKEN_META,
    TOKEN_TABLES,
    TOKEN_WORK = TOKEN_TABLES,
    TOKEN_TABLES_WRITING
};
extern const char *const token_table_names[TOKEN_TABLES_WRITING];
static inline int token_table_of(enum token_part part, enum token_table table)
{
    return (int)part * TOKEN_PART_TABLES + (int)table;
}
extern const char *const token_part_names[TOKENS_PARTS];

/* What the meta record says. */
struct token_counts {
    uint64_t tokens, documents, text_bytes;
    uint64_t skips; /* spans of tokens that are not to be learnt */
};
struct token_shard_meta {
    uint32_t vocab;
    int width; /* bytes a token: 2 or 4 */
    char tokenizer[SHA256_HEX];
    char corpus[SHA256_HEX]; /* of the corpus that it was made from; "" if there is none */
    uint64_t labels;         /* distinct pairs of source and language */
    struct token_counts parts[TOKENS_PARTS];
};
int token_width_of(uint32_t vocab);
/* n bytes and what fills the last page of an overflow value. */
uint64_t token_padded(uint64_t n);
/* The bytes of block `block` of a part of so many tokens, filling included. */
uint64_t token_block_bytes(uint64_t tokens, int width, uint64_t block);
/* How many blocks so many tokens take. */
uint64_t token_block_count(uint64_t tokens, int width);
void token_meta_print(const struct token_shard_meta *m, struct buf *out);
MUST_USE enum status token_meta_parse(const char *what, struct span text,
                                      struct token_shard_meta *m);
/* A member that is a whole number from 0 to max. what names the object in errors. */
MUST_USE enum status token_get_count(const json_t *o, const char *key, const char *what,
                                     int64_t max, uint64_t *out);

/* A shard's place in its store is the number in its name. A shard that was rewritten (documents
 * were removed) keeps its number and is the next edition of it; a store holds one edition of a
 * number. Numbers may be missing. */
struct token_shard_id {
    uint32_t number;  /* below TOKEN_SHARDS_MAX */
    uint32_t edition; /* below TOKEN_EDITIONS_MAX */
};
#define TOKEN_SHARD_NAME 40
/* "shard-00012.mdb", "shard-00012.1.mdb" into out. */
void token_shard_name(struct token_shard_id id, char out[TOKEN_SHARD_NAME]);
/* False if it is not exactly such a name. */
bool token_shard_parse_name(const char *name, struct token_shard_id *out);
/* LMDB maps a file by what its heads say, and whoever reads behind a file's end is ended by a signal:
 * is it as long as that? */
MUST_USE enum status token_check_length(MDB_env *env, const char *path);
/* fail() with LMDB's words for rc. */
enum status token_fail_lmdb(int rc, const char *doing, const char *path);

#endif
