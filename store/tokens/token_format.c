#include "store/tokens/token_format.h"

#include <errno.h>
#include <stdio.h>

#include "base/file.h"
#include "base/rng.h"
#include "store/artifact/manifest.h"

const char *const token_table_names[TOKEN_TABLES_WRITING] = {
    "train.tok",      "train.sum",      "train.doc",       "train.skip", "validation.tok",
    "validation.sum", "validation.doc", "validation.skip", "src",        "meta",
    "work",
};
const char *const token_part_names[TOKENS_PARTS] = { "train", "validation" };
static const char *const width_names[5] = { [2] = "u16", [4] = "u32" };

enum token_part token_part_of(uint64_t text_hash, double validation)
{
    return rng_unit(text_hash) < validation ? TOKENS_VALIDATION : TOKENS_TRAIN;
}

int token_width_of(uint32_t vocab) { return vocab <= 65536 ? 2 : 4; }

uint64_t token_block_count(uint64_t tokens, int width)
{
    uint64_t in_block = TOKEN_BLOCK_BYTES / (unsigned)width;

    return tokens / in_block + (tokens % in_block > 0);
}

uint64_t token_padded(uint64_t n)
{
    return (n + TOKEN_VALUE_HEAD + TOKEN_PAGE - 1) / TOKEN_PAGE * TOKEN_PAGE - TOKEN_VALUE_HEAD;
}

uint64_t token_block_bytes(uint64_t tokens, int width, uint64_t block)
{
    uint64_t left = tokens - block * (TOKEN_BLOCK_BYTES / (unsigned)width);

    return left >= TOKEN_BLOCK_BYTES / (unsigned)width ? TOKEN_BLOCK_BYTES
                                                       : token_padded(left * (unsigned)width);
}

/* ---- names ---- */

void token_shard_name(struct token_shard_id id, char out[TOKEN_SHARD_NAME])
{
    if (id.edition == 0)
        snprintf(out, TOKEN_SHARD_NAME, "shard-%05u.mdb", id.number);
    else
        snprintf(out, TOKEN_SHARD_NAME, "shard-%05u.%u.mdb", id.number, id.edition);
}

static const char *read_digits(const char *p, uint32_t *out)
{
    uint64_t v = 0;

    while (*p >= '0' && *p <= '9' && v < TOKEN_EDITIONS_MAX)
        v = 10 * v + (uint64_t)(*p++ - '0');
    *out = (uint32_t)(v < TOKEN_EDITIONS_MAX ? v : TOKEN_EDITIONS_MAX);
    return p;
}

/* Reads what it can, and looks whether that is written so. */
bool token_shard_parse_name(const char *name, struct token_shard_id *out)
{
    char again[TOKEN_SHARD_NAME];
    const char *p = name;

    if (strncmp(p, "shard-", 6) != 0)
        return false;
    *out = (struct token_shard_id){ 0 };
    p = read_digits(p + 6, &out->number);
    if (*p == '.')
        read_digits(p + 1, &out->edition);
    if (out->number >= TOKEN_SHARDS_MAX || out->edition >= TOKEN_EDITIONS_MAX)
        return false;
    token_shard_name(*out, again);
    return strcmp(again, name) == 0;
}

/* ---- meta ---- */

static json_t *print_counts(const struct token_counts *c)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "tokens", (json_int_t)c->tokens, "documents",
                     (json_int_t)c->documents, "text_bytes", (json_int_t)c->text_bytes, "skips",
                     (json_int_t)c->skips);
}

void token_meta_print(const struct token_shard_meta *m, struct buf *out)
{
    json_t *o = json_pack("{s:i, s:s, s:I, s:I, s:s, s:s, s:I}", "version", TOKEN_FORMAT_VERSION,
                          "dtype", width_names[m->width], "vocab", (json_int_t)m->vocab,
                          "block_bytes", (json_int_t)TOKEN_BLOCK_BYTES, "tokenizer", m->tokenizer,
                          "corpus", m->corpus, "labels", (json_int_t)m->labels);

    BUG_IF(o == NULL);
    for (int p = 0; p < TOKENS_PARTS; p++)
        json_object_set_new(o, token_part_names[p], print_counts(&m->parts[p]));
    json_canonical(out, o);
    json_decref(o);
}

enum status token_get_count(const json_t *o, const char *key, const char *what, int64_t max,
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

static enum status read_counts(const json_t *o, const char *key, const char *what,
                               struct token_counts *c)
{
    const json_t *part = json_object_get(o, key);

    if (!json_is_object(part))
        return fail(ST_FORMAT, "%s: '%s' is missing, or no object", what, key);
    TRY(token_get_count(part, "tokens", what, COUNT_MAX, &c->tokens));
    TRY(token_get_count(part, "documents", what, COUNT_MAX, &c->documents));
    TRY(token_get_count(part, "text_bytes", what, COUNT_MAX, &c->text_bytes));
    TRY(token_get_count(part, "skips", what, COUNT_MAX, &c->skips));
    if (c->skips > c->tokens)
        return fail(ST_FORMAT, "%s: %llu spans in %llu tokens of '%s'", what,
                    (unsigned long long)c->skips, (unsigned long long)c->tokens, key);
    return ST_OK;
}

static enum status read_digest(const json_t *o, const char *key, const char *what, bool needed,
                               char out[SHA256_HEX])
{
    const char *seen;

    TRY(json_get_str(o, key, what, &seen));
    if (!manifest_is_digest(seen) && (needed || *seen))
        return fail(ST_FORMAT, "%s: the digest '%s' is '%.80s', want 64 hex digits", what, key,
                    seen);
    memcpy(out, seen, strlen(seen) + 1);
    return ST_OK;
}

static enum status read_shape(const json_t *o, const char *what, struct token_shard_meta *m)
{
    uint64_t block = 0, vocab = 0;

    TRY(token_get_count(o, "block_bytes", what, TOKEN_BLOCK_BYTES, &block));
    if (block != TOKEN_BLOCK_BYTES)
        return fail(ST_FORMAT, "%s: blocks of %llu bytes, want %u", what, (unsigned long long)block,
                    TOKEN_BLOCK_BYTES);
    TRY(get_word(o, "dtype", what, width_names, 5, &m->width));
    TRY(token_get_count(o, "vocab", what, UINT32_MAX, &vocab));
    m->vocab = (uint32_t)vocab;
    if (token_width_of(m->vocab) != m->width)
        return fail(ST_FORMAT, "%s: tokens of %d bytes with a vocabulary of %u", what, m->width,
                    m->vocab);
    return ST_OK;
}

static enum status read_meta(const json_t *o, const char *what, struct token_shard_meta *m)
{
    uint64_t version = 0;

    TRY(token_get_count(o, "version", what, INT64_MAX, &version));
    if (version != TOKEN_FORMAT_VERSION)
        return fail(ST_UNSUPPORTED,
                    "%s: token shard version %llu, this program reads version %d; make the token "
                    "store again",
                    what, (unsigned long long)version, TOKEN_FORMAT_VERSION);
    TRY(read_shape(o, what, m));
    TRY(token_get_count(o, "labels", what, UINT32_MAX, &m->labels));
    for (int p = 0; p < TOKENS_PARTS; p++)
        TRY(read_counts(o, token_part_names[p], what, &m->parts[p]));
    TRY(read_digest(o, "tokenizer", what, true, m->tokenizer));
    return read_digest(o, "corpus", what, false, m->corpus);
}

/* A scan of the form that token_meta_print() makes, for stores of thousands of shards: a parse
 * takes a quarter of the time of opening one. It takes only what the parse would take, and leaves
 * all else to it. */
struct meta_scan {
    const char *p, *end;
    bool ok;
};

static void scan_literal(struct meta_scan *c, const char *text)
{
    size_t n = strlen(text);

    c->ok = c->ok && (size_t)(c->end - c->p) >= n && memcmp(c->p, text, n) == 0;
    c->p += c->ok ? n : 0;
}

static uint64_t scan_count(struct meta_scan *c, const char *before, uint64_t max)
{
    uint64_t v = 0;
    int digits = 0;

    scan_literal(c, before);
    while (c->ok && c->p < c->end && *c->p >= '0' && *c->p <= '9' && digits < 16) {
        v = 10 * v + (uint64_t)(*c->p++ - '0');
        digits++;
    }
    c->ok = c->ok && digits > 0 && v <= max && (digits == 1 || c->p[-digits] != '0');
    return v;
}

static void scan_digest(struct meta_scan *c, const char *before, bool needed, char out[SHA256_HEX])
{
    size_t n = 0;

    scan_literal(c, before);
    while (c->ok && n < SHA256_HEX - 1 && c->p < c->end && *c->p != '"')
        out[n++] = *c->p++;
    out[n] = 0;
    c->ok = c->ok && (manifest_is_digest(out) || (!needed && n == 0));
}

static void scan_counts(struct meta_scan *c, const char *before, struct token_counts *out)
{
    scan_literal(c, before);
    out->documents = scan_count(c, ":{\"documents\":", COUNT_MAX);
    out->skips = scan_count(c, ",\"skips\":", COUNT_MAX);
    out->text_bytes = scan_count(c, ",\"text_bytes\":", COUNT_MAX);
    out->tokens = scan_count(c, ",\"tokens\":", COUNT_MAX);
    scan_literal(c, "}");
    c->ok = c->ok && out->skips <= out->tokens;
}

static bool scan_meta(struct span text, struct token_shard_meta *m)
{
    struct meta_scan c = { text.p, text.p + text.n, true };
    uint64_t bits;

    c.ok = scan_count(&c, "{\"block_bytes\":", TOKEN_BLOCK_BYTES) == TOKEN_BLOCK_BYTES && c.ok;
    scan_digest(&c, ",\"corpus\":\"", false, m->corpus);
    bits = scan_count(&c, "\",\"dtype\":\"u", 32);
    m->labels = scan_count(&c, "\",\"labels\":", UINT32_MAX);
    scan_digest(&c, ",\"tokenizer\":\"", true, m->tokenizer);
    scan_counts(&c, "\",\"train\"", &m->parts[TOKENS_TRAIN]);
    scan_counts(&c, ",\"validation\"", &m->parts[TOKENS_VALIDATION]);
    c.ok = scan_count(&c, ",\"version\":", UINT32_MAX) == TOKEN_FORMAT_VERSION && c.ok;
    m->vocab = (uint32_t)scan_count(&c, ",\"vocab\":", UINT32_MAX);
    scan_literal(&c, "}");
    m->width = token_width_of(m->vocab);
    return c.ok && c.p == c.end && bits == 8 * (uint64_t)m->width;
}

enum status token_meta_parse(const char *what, struct span text, struct token_shard_meta *m)
{
    json_t *o;
    enum status st;

    if (scan_meta(text, m))
        return ST_OK;
    TRY(json_parse(text.p, text.n, what, &o));
    st = read_meta(o, what, m);
    json_decref(o);
    return st;
}

enum status token_check_length(MDB_env *env, const char *path)
{
    MDB_envinfo info;
    MDB_stat stat;
    uint64_t bytes;

    TRY(file_size(path, &bytes));
    mdb_env_info(env, &info);
    mdb_env_stat(env, &stat);
    if (bytes / stat.ms_psize <= info.me_last_pgno)
        return fail(ST_FORMAT,
                    "'%s' was cut off: %llu bytes, want %llu; remove it, and it is made again", path,
                    (unsigned long long)bytes,
                    (unsigned long long)(info.me_last_pgno + 1) * stat.ms_psize);
    return ST_OK;
}

enum status token_fail_lmdb(int rc, const char *doing, const char *path)
{
    enum status st = rc == MDB_NOTFOUND || rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH ||
                             rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND ||
                             rc == MDB_INCOMPATIBLE
                         ? ST_FORMAT
                         : ST_IO;

    if (rc == EMFILE || rc == ENFILE)
        return fail(st, "%s '%s': %s; raise the limit (ulimit -n): each shard of a store needs one", doing, path,
                    mdb_strerror(rc));
    return fail(st, "%s '%s': %s", doing, path, mdb_strerror(rc));
}
