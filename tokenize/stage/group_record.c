#include "tokenize/stage/group_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "store/artifact/manifest.h"

#define RECORD_VERSION 1

const char *group_record_path(struct arena *a, const char *folder, size_t group)
{
    return arena_printf(a, "%s/group-%05zu.json", folder, group);
}

const char *group_shard_path(struct arena *a, const char *folder, size_t group, size_t number)
{
    return arena_printf(a, "%s/group-%05zu-%03zu.mdb", folder, group, number);
}

struct shard_entry *group_record_add(struct group_record *r)
{
    if (r->count == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 4;
        r->v = mem_grow(r->v, r->cap, sizeof *r->v);
    }
    r->v[r->count] = (struct shard_entry){ 0 };
    return &r->v[r->count++];
}

void group_record_release(struct group_record *r)
{
    free(r->v);
    *r = (struct group_record){ 0 };
}

/* ---- counts ---- */

void part_counts_of(const struct token_shard_meta *m, struct part_counts out[TOKENS_PARTS])
{
    for (int p = 0; p < TOKENS_PARTS; p++)
        out[p] = (struct part_counts){ m->parts[p].documents, m->parts[p].tokens, m->parts[p].text_bytes };
}

uint64_t part_counts_documents(const struct part_counts c[TOKENS_PARTS])
{
    return c[TOKENS_TRAIN].documents + c[TOKENS_VALIDATION].documents;
}

uint64_t part_counts_tokens(const struct part_counts c[TOKENS_PARTS])
{
    return c[TOKENS_TRAIN].tokens + c[TOKENS_VALIDATION].tokens;
}

/* ---- reading ---- */

static enum status read_count(const json_t *o, const char *key, const char *path, uint64_t *out)
{
    int64_t v;

    TRY(json_get_int(o, key, path, &v));
    if (v < 0 || v > INT64_C(1) << 50)
        return fail(ST_FORMAT, "%s: '%s' is %lld, want 0 to 2^50", path, key, (long long)v);
    *out = (uint64_t)v;
    return ST_OK;
}

static enum status read_entry(const json_t *o, const char *path, struct shard_entry *e)
{
    const char *sha256;

    TRY(read_count(o, "bytes", path, &e->bytes));
    TRY(json_get_str(o, "sha256", path, &sha256));
    if (!manifest_is_digest(sha256))
        return fail(ST_FORMAT, "%s: 'sha256' is '%.80s', want 64 hex digits", path, sha256);
    memcpy(e->sha256, sha256, SHA256_HEX);
    for (int p = 0; p < TOKENS_PARTS; p++) {
        const json_t *part = json_object_get(o, token_part_names[p]);

        TRY(read_count(part, "documents", path, &e->parts[p].documents));
        TRY(read_count(part, "tokens", path, &e->parts[p].tokens));
        TRY(read_count(part, "text_bytes", path, &e->parts[p].text_bytes));
    }
    return ST_OK;
}

static enum status read_all(const json_t *o, const char *path, struct group_record *out)
{
    const json_t *shards = json_object_get(o, "shards"), *done = json_object_get(o, "done");
    uint64_t version = 0;

    TRY(read_count(o, "version", path, &version));
    if (version != RECORD_VERSION)
        return fail(ST_UNSUPPORTED, "%s: version %llu, this program reads version %d", path,
                    (unsigned long long)version, RECORD_VERSION);
    if (!json_is_array(shards) || !json_is_boolean(done))
        return fail(ST_FORMAT, "%s: want 'shards', a list, and 'done', true or false", path);
    out->done = json_is_true(done);
    for (size_t i = 0; i < json_array_size(shards); i++)
        TRY(read_entry(json_array_get(shards, i), path, group_record_add(out)));
    return ST_OK;
}

enum status group_record_read(const char *path, struct group_record *out)
{
    json_t *o;
    enum status st;

    *out = (struct group_record){ 0 };
    if (!file_exists(path))
        return ST_OK;
    TRY(json_read_file(path, &o));
    st = read_all(o, path, out);
    json_decref(o);
    if (st != ST_OK)
        group_record_release(out);
    return st;
}

/* ---- writing ---- */

static json_t *entry_json(const struct shard_entry *e)
{
    json_t *o = json_pack("{s:I, s:s}", "bytes", (json_int_t)e->bytes, "sha256", e->sha256);

    for (int p = 0; p < TOKENS_PARTS; p++)
        json_object_set_new(o, token_part_names[p],
                            json_pack("{s:I, s:I, s:I}", "documents", (json_int_t)e->parts[p].documents,
                                      "tokens", (json_int_t)e->parts[p].tokens, "text_bytes",
                                      (json_int_t)e->parts[p].text_bytes));
    return o;
}

enum status group_record_write(const char *path, const struct group_record *r)
{
    json_t *shards = json_array();
    json_t *o = json_pack("{s:i, s:b, s:o}", "version", RECORD_VERSION, "done", (int)r->done, "shards",
                          shards);
    enum status st;

    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(shards, entry_json(&r->v[i]));
    st = json_write_file(path, o);
    json_decref(o);
    return st;
}
