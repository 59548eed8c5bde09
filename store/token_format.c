#include "store/token_format.h"

#include <stdio.h>

#include "store/manifest.h"

const char *const token_table_names[TOKEN_TABLES] = { "tok", "sum", "doc", "src", "meta" };
const char *const token_part_names[TOKENS_PARTS] = { "train", "validation" };
static const char *const width_names[5] = { [2] = "u16", [4] = "u32" };

enum token_part token_part_of(uint64_t text_hash, double validation)
{
    return (double)(text_hash >> 11) * 0x1p-53 < validation ? TOKENS_VALIDATION : TOKENS_TRAIN;
}

int token_width_of(uint32_t vocab)
{
    return vocab <= 65536 ? 2 : 4;
}

uint64_t token_block_count(uint64_t tokens, int width)
{
    uint64_t in_block = TOKEN_BLOCK_BYTES / (unsigned)width;

    return tokens / in_block + (tokens % in_block > 0);
}

uint64_t token_block_bytes(uint64_t tokens, int width, uint64_t block)
{
    uint64_t left = tokens - block * (TOKEN_BLOCK_BYTES / (unsigned)width);
    uint64_t pages;

    if (left >= TOKEN_BLOCK_BYTES / (unsigned)width)
        return TOKEN_BLOCK_BYTES;
    pages = (left * (unsigned)width + TOKEN_VALUE_HEAD + TOKEN_PAGE - 1) / TOKEN_PAGE;
    return pages * TOKEN_PAGE - TOKEN_VALUE_HEAD;
}

void token_shard_name(enum token_part part, uint64_t shard, char out[40])
{
    snprintf(out, 40, "%s-%05llu.mdb", token_part_names[part], (unsigned long long)shard);
}

void token_meta_print(const struct token_shard_meta *m, struct buf *out)
{
    json_t *o = json_pack("{s:i, s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "version",
                          TOKEN_FORMAT_VERSION, "part", token_part_names[m->part], "shard",
                          (json_int_t)m->shard, "dtype", width_names[m->width], "vocab",
                          (json_int_t)m->vocab, "block_bytes", (json_int_t)TOKEN_BLOCK_BYTES,
                          "tokens", (json_int_t)m->tokens, "documents", (json_int_t)m->documents,
                          "sources", (json_int_t)m->sources, "text_bytes",
                          (json_int_t)m->text_bytes, "tokenizer", m->tokenizer);

    BUG_IF(o == NULL);
    json_canonical(out, o);
    json_decref(o);
}

static enum status get_count(const json_t *o, const char *key, const char *what, int64_t max,
                             uint64_t *out)
{
    int64_t v;

    TRY(json_get_int(o, key, what, &v));
    if (v < 0 || v > max)
        return fail(ST_FORMAT, "%s: '%s' is %lld, want 0 to %lld", what, key, (long long)v,
                    (long long)max);
    *out = (uint64_t)v;
    return ST_OK;
}

static enum status get_word(const json_t *o, const char *key, const char *what,
                            const char *const *words, int count, int *out)
{
    const char *seen;

    TRY(json_get_str(o, key, what, &seen));
    for (*out = 0; *out < count; ++*out)
        if (words[*out] && strcmp(words[*out], seen) == 0)
            return ST_OK;
    return fail(ST_FORMAT, "%s: '%s' is '%.40s', which is none that this version knows", what, key,
                seen);
}

/* Each count is far below 2^63, so sums over TOKEN_SHARDS_MAX shards cannot overflow. */
#define COUNT_MAX (INT64_C(1) << 46)

static enum status read_meta(const json_t *o, const char *what, struct token_shard_meta *m)
{
    uint64_t version = 0, block = 0, vocab = 0;
    const char *tokenizer;
    int part, width;

    TRY(get_count(o, "version", what, INT64_MAX, &version));
    if (version != TOKEN_FORMAT_VERSION)
        return fail(ST_UNSUPPORTED, "%s: token shard version %llu, this program reads version %d",
                    what, (unsigned long long)version, TOKEN_FORMAT_VERSION);
    TRY(get_count(o, "block_bytes", what, TOKEN_BLOCK_BYTES, &block));
    if (block != TOKEN_BLOCK_BYTES)
        return fail(ST_FORMAT, "%s: blocks of %llu bytes, want %u", what, (unsigned long long)block,
                    TOKEN_BLOCK_BYTES);
    TRY(get_word(o, "part", what, token_part_names, TOKENS_PARTS, &part));
    TRY(get_word(o, "dtype", what, width_names, 5, &width));
    TRY(get_count(o, "shard", what, TOKEN_SHARDS_MAX - 1, &m->shard));
    TRY(get_count(o, "vocab", what, UINT32_MAX, &vocab));
    TRY(get_count(o, "tokens", what, COUNT_MAX, &m->tokens));
    TRY(get_count(o, "documents", what, COUNT_MAX, &m->documents));
    TRY(get_count(o, "sources", what, UINT32_MAX, &m->sources));
    TRY(get_count(o, "text_bytes", what, COUNT_MAX, &m->text_bytes));
    TRY(json_get_str(o, "tokenizer", what, &tokenizer));
    if (!manifest_is_digest(tokenizer))
        return fail(ST_FORMAT, "%s: the tokenizer's digest is '%.80s', want 64 hex digits", what,
                    tokenizer);
    m->vocab = (uint32_t)vocab;
    m->part = (enum token_part)part;
    m->width = width;
    memcpy(m->tokenizer, tokenizer, SHA256_HEX);
    if (token_width_of(m->vocab) != width)
        return fail(ST_FORMAT, "%s: tokens of %d bytes with a vocabulary of %u", what, width,
                    m->vocab);
    return ST_OK;
}

enum status token_meta_parse(const char *what, struct span text, struct token_shard_meta *m)
{
    json_t *o;
    enum status st;

    TRY(json_parse(text.p, text.n, what, &o));
    st = read_meta(o, what, m);
    json_decref(o);
    return st;
}

enum status token_fail_lmdb(int rc, const char *doing, const char *path)
{
    enum status st = rc == MDB_NOTFOUND || rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH ||
                             rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND ||
                             rc == MDB_INCOMPATIBLE
                         ? ST_FORMAT
                         : ST_IO;

    return fail(st, "%s '%s': %s", doing, path, mdb_strerror(rc));
}
