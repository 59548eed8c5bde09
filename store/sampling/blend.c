#include "store/sampling/blend.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "store/artifact/artifact.h"
#include "store/artifact/artifact_search.h"
#include "store/artifact/manifest.h"
#include "store/tokens/store_history.h"

#define BLEND_VERSION    1
#define BLEND_BYTES_MOST ((uint64_t)1 << 20)

/* ---- blend.json ---- */

void blend_print(const struct blend_record *r, struct buf *out)
{
    json_t *stores = json_array(), *all;

    for (size_t i = 0; i < r->count; i++) {
        const struct blend_store *s = &r->stores[i];

        json_array_append_new(stores,
                              json_pack("{s:s, s:f, s:f, s:I, s:I}", "digest", s->digest, "weight",
                                        s->weight, "epochs", s->epochs, "documents",
                                        (json_int_t)s->documents, "tokens", (json_int_t)s->tokens));
    }
    all = json_pack("{s:i, s:s, s:o}", "version", BLEND_VERSION, "tokenizer", r->tokenizer,
                    "stores", stores);
    json_canonical(out, all);
    buf_addc(out, '\n');
    json_decref(all);
}

static enum status get_count(const json_t *object, const char *key, const char *what, uint64_t *out)
{
    int64_t n;

    TRY(json_get_int(object, key, what, &n));
    if (n < 1)
        return fail(ST_FORMAT, "'%s': %s is %lld, want at least 1", what, key, (long long)n);
    *out = (uint64_t)n;
    return ST_OK;
}

static enum status get_digest(const json_t *object, const char *key, const char *what,
                              struct arena *a, const char **out)
{
    const char *text;

    TRY(json_get_str(object, key, what, &text));
    if (!manifest_is_digest(text))
        return fail(ST_FORMAT, "'%s': %s is '%.80s', want 64 hex digits", what, key, text);
    *out = arena_strdup(a, text);
    return ST_OK;
}

static enum status parse_store(const char *what, const json_t *item, struct arena *a,
                               struct blend_store *out)
{
    TRY(get_digest(item, "digest", what, a, &out->digest));
    TRY(json_get_real(item, "weight", what, &out->weight));
    TRY(json_get_real(item, "epochs", what, &out->epochs));
    TRY(get_count(item, "documents", what, &out->documents));
    TRY(get_count(item, "tokens", what, &out->tokens));
    if (!isfinite(out->weight) || out->weight <= 0)
        return fail(ST_FORMAT, "'%s': a weight of %g, want a number above 0", what, out->weight);
    if (!(out->epochs >= 0) || !isfinite(out->epochs))
        return fail(ST_FORMAT, "'%s': %g epochs, want a number, at least 0", what, out->epochs);
    return ST_OK;
}

static enum status parse_record(const char *what, const json_t *all, struct arena *a,
                                struct blend_record *out)
{
    const json_t *stores = json_object_get(all, "stores");
    int64_t version;

    TRY(json_get_int(all, "version", what, &version));
    if (version != BLEND_VERSION)
        return fail(ST_FORMAT, "'%s' has version %lld, want %d", what, (long long)version,
                    BLEND_VERSION);
    TRY(get_digest(all, "tokenizer", what, a, &out->tokenizer));
    out->count = json_array_size(stores);
    if (out->count < 1 || out->count > SAMPLING_SOURCES_MOST)
        return fail(ST_FORMAT, "'%s': stores is a list of %zu, want 1 to %d", what, out->count,
                    SAMPLING_SOURCES_MOST);
    out->stores = arena_array(a, out->count, sizeof *out->stores);
    for (size_t i = 0; i < out->count; i++)
        TRY(parse_store(what, json_array_get(stores, i), a, &out->stores[i]));
    return ST_OK;
}

enum status blend_parse(const char *what, struct span text, struct arena *a,
                        struct blend_record *out)
{
    json_t *all;
    enum status st;

    TRY(json_parse(text.p, text.n, what, &all));
    st = parse_record(what, all, a, out);
    json_decref(all);
    return st;
}

enum status blend_read_record(const char *path, const json_t *manifest, struct arena *a,
                              struct blend_record *out)
{
    const char *file = path_join(a, path, BLEND_FILE);
    struct buf text = { 0 };
    enum status st;

    TRY(artifact_verify_file(path, manifest, BLEND_FILE));
    st = file_read(file, BLEND_BYTES_MOST, &text);
    if (st == ST_OK)
        st = blend_parse(file, (struct span){ text.p ? text.p : "", text.n }, a, out);
    buf_release(&text);
    return st;
}

/* ---- opening ---- */

/* then: NULL, or the digest that it has or had. */
static enum status open_store(const char *path, const char *then, const struct token_store **out)
{
    struct token_store *store;

    TRY(token_store_open(path, &store));
    if (then && strcmp(token_store_digest(store), then) != 0) {
        token_store_close(store);
        TRY(token_store_open_then(path, then, &store));
    }
    *out = store;
    return ST_OK;
}

/* The store of the blend at `path` or beside the blend. */
static enum status find_store(const struct blend *b, struct artifact_search *s, const char *path,
                              struct sampling_source *out)
{
    const char *beside =
        path_join(s->arena, b->path, arena_printf(s->arena, "../%s", path_base(path)));
    bool found;

    out->name = path;
    s->also = b->then ? store_history_had : NULL;
    TRY(artifact_search_at(s, path, &found));
    if (!found) {
        out->name = beside;
        TRY(artifact_search_at(s, beside, &found));
    }
    if (found)
        return open_store(out->name, b->then ? s->digest : NULL, &out->store);
    if (s->seen)
        return fail(
            ST_MISSING,
            "'%s' is not the store that the blend '%s' was made of: its digest is %.16s, want "
            "%.16s; make the blend again, or put the store back",
            s->seen, b->path, s->seen_digest, s->digest);
    return fail(
        ST_MISSING,
        "the store %.16s of the blend '%s' is neither '%s' nor '%s'; put it at one of them, or "
        "make the blend again",
        s->digest, b->path, path, beside);
}

static enum status open_stores(struct blend *b, const json_t *manifest,
                               const struct blend_record *r)
{
    const json_t *paths =
        json_object_get(json_object_get(json_object_get(manifest, "aside"), "paths"), "store");

    if (json_array_size(paths) != r->count)
        return fail(ST_FORMAT, "'%s': the manifest has paths for %zu stores, want %zu", b->path,
                    json_array_size(paths), r->count);
    b->sources = arena_array(&b->arena, r->count, sizeof *b->sources);
    for (size_t i = 0; i < r->count; i++) {
        struct artifact_search s = { .arena = &b->arena, .digest = r->stores[i].digest };
        const char *path = json_string_value(json_array_get(paths, i));
        struct sampling_source *out = &b->sources[b->count++];

        if (path == NULL)
            return fail(ST_FORMAT, "'%s': the path of store %zu is no text", b->path, i);
        out->weight = r->stores[i].weight;
        out->epochs = r->stores[i].epochs;
        TRY(find_store(b, &s, arena_strdup(&b->arena, path), out));
        if (strcmp(token_store_tokenizer(out->store), r->tokenizer) != 0)
            return fail(ST_FORMAT, "'%s' has the tokenizer %.16s, the blend '%s' says %.16s",
                        out->name, token_store_tokenizer(out->store), b->path, r->tokenizer);
    }
    return ST_OK;
}

static enum status open_record(struct blend *b, const json_t *manifest)
{
    struct blend_record r;

    TRY(blend_read_record(b->path, manifest, &b->arena, &r));
    return open_stores(b, manifest, &r);
}

static enum status open_one(struct blend *b)
{
    const struct token_store *store;

    TRY(open_store(b->path, b->then, &store));
    b->sources = arena_new(&b->arena, struct sampling_source);
    b->sources[b->count++] =
        (struct sampling_source){ .store = store, .name = b->path, .weight = 1 };
    return ST_OK;
}

static enum status open_any(struct blend *b)
{
    json_t *manifest;
    const char *kind;
    enum status st;

    TRY(artifact_open(b->path, NULL, &manifest));
    kind = json_text(manifest, "kind");
    if (strcmp(kind, "token-store") == 0)
        st = open_one(b);
    else if (strcmp(kind, "token-blend") == 0)
        st = open_record(b, manifest);
    else
        st = fail(ST_CONFIG,
                  "'%s' is a %s, want a token-store or a token-blend (tundish store blend)",
                  b->path, kind);
    json_decref(manifest);
    return st;
}

enum status blend_open(const char *path, struct blend *out)
{
    return blend_open_then(path, NULL, out);
}

enum status blend_open_then(const char *path, const char *digest, struct blend *out)
{
    enum status st;

    *out = (struct blend){ 0 };
    out->path = arena_strdup(&out->arena, path);
    out->then = digest ? arena_strdup(&out->arena, digest) : NULL;
    st = open_any(out);
    if (st != ST_OK)
        blend_close(out);
    return st;
}

void blend_close(struct blend *b)
{
    for (size_t i = 0; i < b->count; i++)
        token_store_close((struct token_store *)b->sources[i].store);
    arena_release(&b->arena);
    *b = (struct blend){ 0 };
}

uint64_t blend_tokens(const struct blend *b, enum token_part part)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < b->count; i++)
        sum += token_store_tokens(b->sources[i].store, part);
    return sum;
}
