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
#include "store/tokens.h"

#define TOKEN_FORMAT_VERSION 1
/* An LMDB overflow value has a 16-byte header before it, so k*4096-16 bytes fill k pages, and begin
 * at a multiple of 16. */
#define TOKEN_PAGE 4096
#define TOKEN_VALUE_HEAD 16
#define TOKEN_BLOCK_BYTES ((1u << 20) - TOKEN_VALUE_HEAD)
#define TOKEN_ID_MAX 65535u             /* bytes of a document's id, of a source's name */
#define TOKEN_SHARDS_MAX 100000
#define TOKEN_RECORD_HEAD 24            /* a document's record before its id */
#define TOKEN_META_KEY "meta"

/* The five databases of a shard; the last has text keys, the others u64. */
enum token_table { TOKEN_TOK, TOKEN_SUM, TOKEN_DOC, TOKEN_SRC, TOKEN_META, TOKEN_TABLES };
extern const char *const token_table_names[TOKEN_TABLES];
extern const char *const token_part_names[TOKENS_PARTS];

/* What the meta record says. */
struct token_shard_meta {
    uint32_t vocab;
    int width;                          /* bytes a token: 2 or 4 */
    enum token_part part;
    uint64_t shard, tokens, documents, sources, text_bytes;
    char tokenizer[SHA256_HEX];
};
int token_width_of(uint32_t vocab);
/* The bytes of block `block` of a shard of so many tokens, filling included. */
uint64_t token_block_bytes(uint64_t tokens, int width, uint64_t block);
/* How many blocks so many tokens take. */
uint64_t token_block_count(uint64_t tokens, int width);
void token_meta_print(const struct token_shard_meta *m, struct buf *out);
MUST_USE enum status token_meta_parse(const char *what, struct span text,
                                      struct token_shard_meta *m);
/* "train-00012.mdb" into out. */
void token_shard_name(enum token_part part, uint64_t shard, char out[40]);
/* fail() with LMDB's words for rc. */
enum status token_fail_lmdb(int rc, const char *doing, const char *path);

#endif
