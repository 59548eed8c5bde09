/* The reading half of store/tokens.h: shards to parts. */
#include <stdio.h>

#include "base/file.h"
#include "store/artifact.h"
#include "store/digests.h"
#include "store/token_reader.h"

struct part {
    struct token_shard *shards;
    size_t count;
    uint64_t tokens, documents, text_bytes;
};

struct token_store {
    struct arena arena;
    const char *path;
    json_t *manifest;
    uint32_t vocab;
    int width;
    const char *tokenizer;
    struct part parts[TOKENS_PARTS];
};

/* ---- opening ---- */

/* LMDB trusts the pages it maps, so it sees only files whose bytes are those of the manifest. */
static enum status check_file(const struct token_store *s, struct digest_cache *cache,
                              const char *name)
{
    const json_t *file = json_object_get(json_object_get(s->manifest, "files"), name);
    const char *want = json_string_value(json_object_get(file, "sha256"));
    char path[4096], seen[SHA256_HEX];

    if ((size_t)snprintf(path, sizeof path, "%s/%s", s->path, name) >= sizeof path)
        return fail(ST_LIMIT, "the path '%s/%s' is too long", s->path, name);
    TRY(digest_cache_file(cache, path, seen));
    if (strcmp(seen, want) != 0)
        return fail(ST_INTEGRITY, "'%s' is damaged: its SHA-256 is %s, want %s", path, seen, want);
    return ST_OK;
}

/* How many shards of the part the manifest names: they are numbered from 0 without a hole. */
static size_t count_shards(const struct token_store *s, enum token_part part)
{
    const json_t *files = json_object_get(s->manifest, "files");
    char name[40];
    size_t n = 0;

    do
        token_shard_name(part, n, name);
    while (json_object_get(files, name) && ++n);
    return n;
}

static enum status check_numbering(const struct token_store *s)
{
    size_t seen = 0, train = count_shards(s, TOKENS_TRAIN),
           want = train + count_shards(s, TOKENS_VALIDATION);
    const char *name;
    json_t *file;

    json_object_foreach(json_object_get(s->manifest, "files"), name, file)
        seen += str_ends_with(name, ".mdb");
    if (seen != want || train == 0)
        return fail(
            ST_FORMAT,
            "'%s' has %zu .mdb files, but %zu shards numbered from 0 (want all, and one of train)",
            s->path, seen, want);
    return ST_OK;
}

/* Does the shard belong where it lies? The first one says what the store is. */
static enum status check_meta(struct token_store *s, const struct token_shard *shard,
                              enum token_part part, size_t number)
{
    const struct token_shard_meta *m = &shard->meta;

    if (s->tokenizer == NULL) {
        s->vocab = m->vocab;
        s->width = m->width;
        s->tokenizer = arena_strdup(&s->arena, m->tokenizer);
    }
    if (m->part != part || m->shard != number)
        return fail(ST_FORMAT, "'%s' says that it is shard %llu of %s", shard->path,
                    (unsigned long long)m->shard, token_part_names[m->part]);
    if (m->vocab != s->vocab || strcmp(m->tokenizer, s->tokenizer) != 0)
        return fail(ST_FORMAT,
                    "'%s' was made with another tokenizer (%u entries, %s) than the shards before "
                    "it (%u, %s)",
                    shard->path, m->vocab, m->tokenizer, s->vocab, s->tokenizer);
    return ST_OK;
}

static enum status open_part(struct token_store *s, enum token_part which,
                             struct digest_cache *cache)
{
    struct part *part = &s->parts[which];
    size_t count = count_shards(s, which);
    char name[40];

    part->shards = mem_array(count + 1, sizeof *part->shards);
    for (size_t i = 0; i < count; i++) {
        struct token_shard *shard = &part->shards[i];

        token_shard_name(which, i, name);
        TRY(check_file(s, cache, name));
        part->count++;
        TRY(token_shard_open(shard, path_join(&s->arena, s->path, name)));
        TRY(check_meta(s, shard, which, i));
        shard->first_token = part->tokens;
        shard->first_document = part->documents;
        part->tokens += shard->meta.tokens;
        part->documents += shard->meta.documents;
        part->text_bytes += shard->meta.text_bytes;
    }
    return ST_OK;
}

static enum status open_store(struct token_store *s)
{
    struct digest_cache *cache;
    enum status st;

    TRY(artifact_open(s->path, "token-store", &s->manifest));
    TRY(check_numbering(s));
    cache = digest_cache_open(digest_cache_default(&s->arena));
    st = open_part(s, TOKENS_TRAIN, cache);
    if (st == ST_OK)
        st = open_part(s, TOKENS_VALIDATION, cache);
    digest_cache_close(cache);
    return st;
}

enum status token_store_open(const char *path, struct token_store **out)
{
    struct token_store *s = mem_alloc(sizeof *s);
    enum status st;

    s->path = arena_strdup(&s->arena, path);
    st = open_store(s);
    if (st != ST_OK) {
        token_store_close(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

void token_store_close(struct token_store *s)
{
    if (s == NULL)
        return;
    for (int p = 0; p < TOKENS_PARTS; p++) {
        for (size_t i = 0; i < s->parts[p].count; i++)
            token_shard_close(&s->parts[p].shards[i]);
        free(s->parts[p].shards);
    }
    json_decref(s->manifest);
    arena_release(&s->arena);
    free(s);
}

uint32_t token_store_vocab(const struct token_store *s) { return s->vocab; }
int token_store_width(const struct token_store *s) { return s->width; }
const char *token_store_digest(const struct token_store *s) { return artifact_digest(s->manifest); }
const char *token_store_tokenizer(const struct token_store *s) { return s->tokenizer; }

uint64_t token_store_shards(const struct token_store *s, enum token_part part)
{
    return s->parts[part].count;
}

uint64_t token_store_tokens(const struct token_store *s, enum token_part part)
{
    return s->parts[part].tokens;
}

uint64_t token_store_documents(const struct token_store *s, enum token_part part)
{
    return s->parts[part].documents;
}

uint64_t token_store_text_bytes(const struct token_store *s, enum token_part part)
{
    return s->parts[part].text_bytes;
}

/* ---- tokens ---- */

/* The shard with token t of the part, which must be in it: the last one that begins at or before t
 * (empty shards, which begin there too, stand before it). */
static const struct token_shard *shard_of_token(const struct part *p, uint64_t t)
{
    size_t low = 0, high = p->count;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (p->shards[mid].first_token <= t)
            low = mid;
        else
            high = mid;
    }
    return &p->shards[low];
}

/* first < the part's tokens. */
static void slice(const struct token_store *s, const struct part *part, uint64_t first,
                  const void **p, uint64_t *n)
{
    const struct token_shard *shard = shard_of_token(part, first);
    uint64_t in_block = TOKEN_BLOCK_BYTES / (unsigned)s->width, at = first - shard->first_token;
    uint64_t left_in_block = in_block - at % in_block, left_in_shard = shard->meta.tokens - at;

    *p = shard->blocks[at / in_block] + at % in_block * (unsigned)s->width;
    *n = left_in_block < left_in_shard ? left_in_block : left_in_shard;
}

static enum status check_range(const struct token_store *s, enum token_part part, uint64_t first,
                               uint64_t n)
{
    uint64_t tokens = s->parts[part].tokens;

    if (first > tokens || n > tokens - first)
        return fail(ST_LIMIT, "%llu tokens from %llu on, but %s of '%s' has %llu",
                    (unsigned long long)n, (unsigned long long)first, token_part_names[part],
                    s->path, (unsigned long long)tokens);
    return ST_OK;
}

/* Widens n tokens and gives the largest. */
static uint32_t widen_u16(int32_t *out, const uint16_t *p, uint64_t n)
{
    uint16_t largest = 0;

    for (uint64_t i = 0; i < n; i++) {
        out[i] = p[i];
        largest = p[i] > largest ? p[i] : largest;
    }
    return largest;
}

static uint32_t widen_u32(int32_t *out, const uint32_t *p, uint64_t n)
{
    uint32_t largest = 0;

    memcpy(out, p, n * sizeof *p);
    for (uint64_t i = 0; i < n; i++)
        largest = p[i] > largest ? p[i] : largest;
    return largest;
}

enum status token_store_read(const struct token_store *s, enum token_part part, uint64_t first,
                             uint64_t n, int32_t *out)
{
    TRY(check_range(s, part, first, n));
    while (n > 0) {
        const void *p;
        uint64_t some;
        uint32_t largest;

        slice(s, &s->parts[part], first, &p, &some);
        some = some < n ? some : n;
        largest = s->width == 2 ? widen_u16(out, p, some) : widen_u32(out, p, some);
        if (largest >= s->vocab)
            return fail(
                ST_INTEGRITY,
                "'%s' has the token %u between %llu and %llu of %s, but its vocabulary ends at %u",
                s->path, largest, (unsigned long long)first, (unsigned long long)(first + some),
                token_part_names[part], s->vocab - 1);
        out += some;
        first += some;
        n -= some;
    }
    return ST_OK;
}

enum status token_store_slice(const struct token_store *s, enum token_part part, uint64_t first,
                              const void **p, uint64_t *n)
{
    TRY(check_range(s, part, first, 1));
    slice(s, &s->parts[part], first, p, n);
    return ST_OK;
}

/* ---- documents ---- */

static const struct token_shard *shard_of_document(const struct part *p, uint64_t index)
{
    size_t low = 0, high = p->count;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (p->shards[mid].first_document <= index)
            low = mid;
        else
            high = mid;
    }
    return &p->shards[low];
}

enum status token_store_document(const struct token_store *s, enum token_part part, uint64_t index,
                                 struct token_range *out)
{
    const struct token_shard *shard;
    struct token_record r;

    if (index >= s->parts[part].documents)
        return fail(ST_LIMIT, "document %llu of %s of '%s', which has %llu",
                    (unsigned long long)index, token_part_names[part], s->path,
                    (unsigned long long)s->parts[part].documents);
    shard = shard_of_document(&s->parts[part], index);
    TRY(token_shard_record(shard, index - shard->first_document, &r));
    *out = (struct token_range){ .first = shard->first_token + r.first, .count = r.count,
                                 .text_hash = r.text_hash, .id = r.id };
    return token_shard_source(shard, r.source, &out->source);
}

enum status token_store_verify(const struct token_store *s)
{
    for (int p = 0; p < TOKENS_PARTS; p++)
        for (size_t i = 0; i < s->parts[p].count; i++)
            TRY(token_shard_verify(&s->parts[p].shards[i]));
    return ST_OK;
}
