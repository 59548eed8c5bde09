/* The reading half of store/tokens/tokens.h: shards to parts. */
#include <stdio.h>

#include "store/tokens/token_store_shards.h"
#include "base/file.h"
#include "base/platform.h"
#include "base/pool.h"
#include "store/artifact/artifact.h"
#include "store/artifact/digests.h"
#include "store/artifact/manifest.h"
#include "store/tokens/token_past.h"
#include "store/tokens/token_reader.h"

#define SHARDS_FOR_POOL 32 /* with fewer, threads take longer than they save */

#define OPEN_TRIES 10                   /* while it is changed again and again */

struct token_store {
    struct arena arena;
    const char *path;
    json_t *manifest;
    uint32_t vocab;
    int width;
    const char *tokenizer;
    struct token_shard *shards; /* by number */
    size_t count;
    struct token_counts parts[TOKENS_PARTS];
    struct token_past *past;            /* NULL, or what it was: then it has no shards */
};

/* ---- opening ---- */

static int by_number(const void *a, const void *b)
{
    const struct token_shard_id *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

/* The shards that the manifest names, one edition of each. */
static enum status list_shards(const struct token_store *s, struct token_shard_id *ids,
                               size_t *count)
{
    const char *name;
    json_t *file;

    *count = 0;
    json_object_foreach(json_object_get(s->manifest, "files"), name, file)
    {
        if (!str_ends_with(name, ".mdb"))
            continue;
        if (strncmp(name, "train-", 6) == 0 || strncmp(name, "validation-", 11) == 0)
            return fail(ST_UNSUPPORTED,
                        "'%s' is a token store of version 1 ('%s'), this program reads version %d; "
                        "make it again",
                        s->path, name, TOKEN_FORMAT_VERSION);
        if (!token_shard_parse_name(name, &ids[(*count)++]))
            return fail(ST_FORMAT, "'%s/%s' has no shard's name, want shard-00000.mdb or the like",
                        s->path, name);
    }
    if (*count == 0)
        return fail(ST_FORMAT, "the token store '%s' has no shards", s->path);
    qsort(ids, *count, sizeof *ids, by_number);
    for (size_t i = 1; i < *count; i++)
        if (ids[i].number == ids[i - 1].number)
            return fail(ST_FORMAT, "'%s' has the editions %u and %u of shard %u, want one", s->path,
                        ids[i - 1].edition, ids[i].edition, ids[i].number);
    return ST_OK;
}

/* Was the shard made with the others? The first one says what the store is. */
static enum status check_meta(struct token_store *s, const struct token_shard *shard)
{
    const struct token_shard_meta *m = &shard->meta;

    if (s->tokenizer == NULL) {
        s->vocab = m->vocab;
        s->width = m->width;
        s->tokenizer = arena_strdup(&s->arena, m->tokenizer);
    }
    if (m->vocab != s->vocab || strcmp(m->tokenizer, s->tokenizer) != 0)
        return fail(ST_FORMAT,
                    "'%s' was made with another tokenizer (%u entries, %s) than the shards before "
                    "it (%u, %s)",
                    shard->path, m->vocab, m->tokenizer, s->vocab, s->tokenizer);
    return ST_OK;
}

static void add_counts(struct token_store *s, struct token_shard *shard)
{
    for (int p = 0; p < TOKENS_PARTS; p++) {
        const struct token_counts *c = &shard->meta.parts[p];
        struct token_counts *sum = &s->parts[p];

        shard->parts[p].first_token = sum->tokens;
        shard->parts[p].first_document = sum->documents;
        sum->tokens += c->tokens;
        sum->documents += c->documents;
        sum->text_bytes += c->text_bytes;
        sum->skips += c->skips;
    }
}

/* LMDB trusts the pages it maps, so it sees only files whose bytes are those of the manifest. */
static enum status check_files(struct token_store *s, const char *const *names)
{
    struct digest_cache *cache = digest_cache_open(digest_cache_default(&s->arena));
    const json_t *files = json_object_get(s->manifest, "files");
    char(*seen)[SHA256_HEX] = mem_array(s->count, sizeof *seen);
    enum status st = digest_cache_files(
        cache, &(struct digest_files){ .folder = s->path, .names = names, .count = s->count },
        seen);

    for (size_t i = 0; st == ST_OK && i < s->count; i++) {
        const char *want = json_text(json_object_get(files, names[i]), "sha256");

        if (strcmp(seen[i], want) != 0)
            st = fail(ST_INTEGRITY, "'%s/%s' is damaged: its SHA-256 is %s, want %s", s->path,
                      names[i], seen[i], want);
    }
    free(seen);
    digest_cache_close(cache);
    return st;
}

struct opening {
    struct token_store *s;
    const char **names;
};

static enum status open_one(void *ctx, size_t item, int worker)
{
    struct opening *o = ctx;
    struct buf path = { 0 };
    enum status st;

    (void)worker;
    buf_printf(&path, "%s/%s", o->s->path, o->names[item]);
    st = token_shard_open(&o->s->shards[item], path.p);
    buf_release(&path);
    return st;
}

/* Opening maps a file and reads 16 bytes a document: with many shards a matter for all cores. */
static enum status open_shards(struct token_store *s, const char **names)
{
    struct opening o = { s, names };
    struct pool *pool;
    enum status st = ST_OK;

    allow_many_files();              /* a shard is an open file for as long as the store is */
    if (s->count < SHARDS_FOR_POOL || pool_inside()) {
        for (size_t i = 0; st == ST_OK && i < s->count; i++)
            st = open_one(&o, i, 0);
        return st;
    }
    pool = pool_new(0);
    st = pool_for(pool, s->count, open_one, &o);
    pool_free(pool);
    return st;
}

static enum status open_store(struct token_store *s)
{
    struct token_shard_id *ids;
    const char **names;

    TRY(artifact_open(s->path, "token-store", &s->manifest));
    ids = arena_array(&s->arena, json_object_size(json_object_get(s->manifest, "files")) + 1,
                      sizeof *ids);
    TRY(list_shards(s, ids, &s->count));
    s->shards = mem_array(s->count, sizeof *s->shards);
    names = arena_array(&s->arena, s->count, sizeof *names);
    for (size_t i = 0; i < s->count; i++) {
        char name[TOKEN_SHARD_NAME];

        token_shard_name(ids[i], name);
        names[i] = arena_strdup(&s->arena, name);
    }
    TRY(check_files(s, names));
    TRY(open_shards(s, names));
    for (size_t i = 0; i < s->count; i++) {
        TRY(check_meta(s, &s->shards[i]));
        add_counts(s, &s->shards[i]);
    }
    return ST_OK;
}

static enum status open_once(const char *path, struct token_store **out)
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

/* Which manifest stands there: another file after a change. */
static ino_t manifest_inode(const char *path)
{
    struct buf name = { 0 };
    struct stat s = { 0 };

    buf_printf(&name, "%s/" MANIFEST_NAME, path);
    if (stat(name.p, &s) != 0)
        s.st_ino = 0;
    buf_release(&name);
    return s.st_ino;
}

/* A change (artifact_amend.h) removes files that the manifest of a moment ago names. */
enum status token_store_open(const char *path, struct token_store **out)
{
    enum status st = ST_OK;

    for (int i = 0; i < OPEN_TRIES; i++) {
        ino_t before = manifest_inode(path);

        st = open_once(path, out);
        if (st == ST_OK || manifest_inode(path) == before)
            return st;
    }
    return st;
}

static enum status look_back(struct token_store *s, const char *digest)
{
    const struct token_store *now;

    TRY(token_past_open(s->path, digest, &s->past));
    now = token_past_now(s->past);
    s->manifest = json_incref(now->manifest);
    s->vocab = now->vocab;
    s->width = now->width;
    s->tokenizer = now->tokenizer;
    for (int p = 0; p < TOKENS_PARTS; p++)
        token_past_counts(s->past, (enum token_part)p, &s->parts[p]);
    return ST_OK;
}

enum status token_store_open_then(const char *path, const char *digest, struct token_store **out)
{
    struct token_store *s = mem_alloc(sizeof *s);
    enum status st;

    s->path = arena_strdup(&s->arena, path);
    st = look_back(s, digest);
    if (st != ST_OK) {
        token_store_close(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

enum status token_store_removed(const struct token_store *s, struct span id,
                                token_removed_fn *tell, void *ctx)
{
    return s->past ? token_past_removed(s->past, id, tell, ctx) : ST_OK;
}

void token_store_close(struct token_store *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; s->shards && i < s->count; i++)
        token_shard_close(&s->shards[i]);
    free(s->shards);
    token_past_close(s->past);
    json_decref(s->manifest);
    arena_release(&s->arena);
    free(s);
}

uint32_t token_store_vocab(const struct token_store *s) { return s->vocab; }
int token_store_width(const struct token_store *s) { return s->width; }
const char *token_store_digest(const struct token_store *s)
{
    return s->past ? token_past_digest(s->past) : artifact_digest(s->manifest);
}
const char *token_store_tokenizer(const struct token_store *s) { return s->tokenizer; }
uint64_t token_store_shards(const struct token_store *s) { return s->count; }

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
 * (shards without tokens of the part, which begin there too, stand before it). */
static const struct token_shard *shard_of_token(const struct token_store *s, enum token_part part,
                                                uint64_t t)
{
    size_t low = 0, high = s->count;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (s->shards[mid].parts[part].first_token <= t)
            low = mid;
        else
            high = mid;
    }
    return &s->shards[low];
}

/* first < the part's tokens. */
static void slice(const struct token_store *s, enum token_part part, uint64_t first, const void **p,
                  uint64_t *n)
{
    const struct token_shard *shard = shard_of_token(s, part, first);
    const struct token_shard_part *in = &shard->parts[part];
    uint64_t in_block = TOKEN_BLOCK_BYTES / (unsigned)s->width, at = first - in->first_token;
    uint64_t left_in_block = in_block - at % in_block,
             left_in_shard = shard->meta.parts[part].tokens - at;

    *p = in->blocks[at / in_block] + at % in_block * (unsigned)s->width;
    *n = left_in_block < left_in_shard ? left_in_block : left_in_shard;
}

static enum status check_range(const struct token_store *s, enum token_part part, uint64_t first,
                               uint64_t n)
{
    uint64_t tokens = s->parts[part].tokens;

    if (s->past)
        return token_past_refuse(s->past);
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

        slice(s, part, first, &p, &some);
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
    slice(s, part, first, p, n);
    return ST_OK;
}

/* The first span that ends behind `first` and all that begin before first + n, in one shard after
 * the other. */
void token_store_mask(const struct token_store *s, enum token_part part, uint64_t first, uint64_t n,
                      int32_t *targets)
{
    const struct token_shard *shard;

    if (s->parts[part].skips == 0 || n == 0 || first >= s->parts[part].tokens)
        return;
    for (shard = shard_of_token(s, part, first); shard < s->shards + s->count; shard++) {
        uint64_t base = shard->parts[part].first_token, skips = shard->meta.parts[part].skips;

        if (base >= first + n)
            return;
        for (uint64_t i = token_shard_skip_at(shard, part, first > base ? first - base : 0);
             i < skips; i++) {
            const uint64_t *span = token_shard_skip(shard, part, i);
            uint64_t at = base + span[0], end = base + span[1];

            if (at >= first + n)
                return;
            end = end < first + n ? end : first + n;
            for (at = at > first ? at : first; at < end; at++)
                targets[at - first] = -1;
        }
    }
}

/* ---- documents ---- */

static const struct token_shard *shard_of_document(const struct token_store *s,
                                                   enum token_part part, uint64_t index)
{
    size_t low = 0, high = s->count;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (s->shards[mid].parts[part].first_document <= index)
            low = mid;
        else
            high = mid;
    }
    return &s->shards[low];
}

static enum status check_index(const struct token_store *s, enum token_part part, uint64_t index)
{
    if (s->past && index < s->parts[part].documents)
        return token_past_refuse(s->past);
    if (index < s->parts[part].documents)
        return ST_OK;
    return fail(ST_LIMIT, "document %llu of %s of '%s', which has %llu", (unsigned long long)index,
                token_part_names[part], s->path, (unsigned long long)s->parts[part].documents);
}

enum status token_store_document(const struct token_store *s, enum token_part part, uint64_t index,
                                 struct token_range *out)
{
    const struct token_shard *shard;
    struct token_label label;
    struct token_record r;

    if (s->past && index < s->parts[part].documents)
        return token_past_document(s->past, part, index, out);
    TRY(check_index(s, part, index));
    shard = shard_of_document(s, part, index);
    r = token_shard_record(shard, part, index - shard->parts[part].first_document);
    TRY(token_shard_label(shard, r.label, &label));
    *out = (struct token_range){ .first = shard->parts[part].first_token + r.first,
                                 .count = r.count,
                                 .text_hash = r.text_hash,
                                 .text_bytes = r.text_bytes,
                                 .id = r.id,
                                 .source = label.source,
                                 .language = label.language };
    return ST_OK;
}

enum status token_store_ids(const struct token_store *s, enum token_part part, uint64_t index,
                            struct span *ids, uint64_t *n)
{
    const struct token_shard *shard;
    uint64_t at, left;

    TRY(check_index(s, part, index));
    shard = shard_of_document(s, part, index);
    at = index - shard->parts[part].first_document;
    left = shard->meta.parts[part].documents - at;
    *n = left < *n ? left : *n;
    for (uint64_t i = 0; i < *n; i++)
        ids[i] = token_shard_record(shard, part, at + i).id;
    return ST_OK;
}

uint64_t token_store_first(const struct token_store *s, enum token_part part, uint64_t index)
{
    const struct token_shard *shard;

    if (s->past)
        return token_past_first(s->past, part, index);
    shard = shard_of_document(s, part, index);
    return shard->parts[part].first_token +
           token_shard_first(shard, part, index - shard->parts[part].first_document);
}

uint64_t token_store_length(const struct token_store *s, enum token_part part, uint64_t index)
{
    const struct token_shard *shard;
    uint64_t at;

    if (s->past)
        return token_past_length(s->past, part, index);
    shard = shard_of_document(s, part, index);
    at = index - shard->parts[part].first_document;
    return token_shard_first(shard, part, at + 1) - token_shard_first(shard, part, at);
}

enum status token_store_skips(const struct token_store *s, enum token_part part, uint64_t index,
                              struct arena *a, const struct token_span **spans, size_t *count)
{
    const struct token_shard *shard;
    struct token_span *out;
    struct token_record r;
    uint64_t skips, from, to;

    TRY(check_index(s, part, index));
    shard = shard_of_document(s, part, index);
    r = token_shard_record(shard, part, index - shard->parts[part].first_document);
    skips = shard->meta.parts[part].skips;
    from = to = token_shard_skip_at(shard, part, r.first);
    while (to < skips && token_shard_skip(shard, part, to)[0] < r.first + r.count)
        to++;
    out = arena_array(a, to - from + 1, sizeof *out);
    for (uint64_t i = from; i < to; i++) {
        const uint64_t *span = token_shard_skip(shard, part, i);

        if (span[0] < r.first || span[1] > r.first + r.count)
            return fail(ST_FORMAT, "'%s': the span %llu of %s crosses the edge of a document",
                        shard->path, (unsigned long long)i, token_part_names[part]);
        out[i - from] = (struct token_span){ span[0] - r.first, span[1] - span[0] };
    }
    *spans = out;
    *count = to - from;
    return ST_OK;
}

enum status token_store_verify(const struct token_store *s)
{
    for (size_t i = 0; i < s->count; i++)
        TRY(token_shard_verify(&s->shards[i]));
    return ST_OK;
}

/* ---- shards (token_store_shards.h) ---- */

void token_store_shard_place(const struct token_store *s, size_t i, enum token_part part,
                             struct token_shard_place *out)
{
    const struct token_shard *shard = &s->shards[i];

    *out = (struct token_shard_place){ .first = shard->parts[part].first_document,
                                       .count = shard->meta.parts[part].documents };
    BUG_IF(!token_shard_parse_name(path_base(shard->path), &out->shard));
}

const struct token_shard_meta *token_store_shard_meta(const struct token_store *s, size_t i)
{
    return &s->shards[i].meta;
}

void token_store_place(const struct token_store *s, enum token_part part, uint64_t index,
                       struct token_shard_place *out)
{
    token_store_shard_place(s, (size_t)(shard_of_document(s, part, index) - s->shards), part, out);
}

uint64_t token_store_skip_spans(const struct token_store *s, enum token_part part)
{
    return s->parts[part].skips;
}

const json_t *token_store_manifest(const struct token_store *s) { return s->manifest; }
