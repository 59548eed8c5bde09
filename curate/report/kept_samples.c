#include "curate/report/kept_samples.h"

#include "base/hash.h"

uint64_t kept_hash(const char *name) { return xxh3(name, strlen(name)); }

/* The first source whose hash is not below. */
static size_t source_place(const struct kept_samples *k, uint64_t hash)
{
    size_t i = 0;

    while (i < k->count && k->v[i].hash < hash)
        i++;
    return i;
}

static size_t sample_place(const struct kept_source *s, uint64_t hash)
{
    size_t i = 0;

    while (i < s->count && s->v[i].hash < hash)
        i++;
    return i;
}

bool kept_samples_want(const struct kept_samples *k, const char *source, const char *id)
{
    uint64_t hash = kept_hash(source);
    size_t at = source_place(k, hash), in;
    const struct kept_source *s;

    if (k->most == 0)
        return false;
    if (at == k->count || k->v[at].hash != hash)
        return at < KEPT_SOURCES;
    s = &k->v[at];
    hash = kept_hash(id);
    in = sample_place(s, hash);
    return in < k->most && (in == s->count || s->v[in].hash != hash);
}

static void release_source(struct kept_source *s)
{
    for (size_t i = 0; i < s->count; i++)
        json_decref(s->v[i].json);
    free(s->v);
    free(s->name);
}

static struct kept_source *source_for(struct kept_samples *k, const char *name)
{
    uint64_t hash = kept_hash(name);
    size_t at = source_place(k, hash);

    if (at < k->count && k->v[at].hash == hash)
        return &k->v[at];
    if (k->v == NULL)
        k->v = mem_array(KEPT_SOURCES, sizeof *k->v);
    if (k->count == KEPT_SOURCES)
        release_source(&k->v[--k->count]);
    memmove(k->v + at + 1, k->v + at, (k->count - at) * sizeof *k->v);
    k->v[at] = (struct kept_source){
        .hash = hash, .name = mem_strdup(name), .v = mem_array(k->most, sizeof *k->v[at].v),
    };
    k->count++;
    return &k->v[at];
}

void kept_samples_add(struct kept_samples *k, const char *source, const char *id, json_t *json)
{
    struct kept_source *s;
    uint64_t hash = kept_hash(id);
    size_t at;

    if (!kept_samples_want(k, source, id)) {
        json_decref(json);
        return;
    }
    s = source_for(k, source);
    at = sample_place(s, hash);
    if (s->count == k->most)
        json_decref(s->v[--s->count].json);
    memmove(s->v + at + 1, s->v + at, (s->count - at) * sizeof *s->v);
    s->v[at] = (struct kept_sample){ hash, json };
    s->count++;
}

void kept_samples_merge(struct kept_samples *k, const struct kept_samples *from)
{
    for (size_t i = 0; i < from->count; i++)
        for (size_t j = 0; j < from->v[i].count; j++) {
            json_t *json = from->v[i].v[j].json;

            kept_samples_add(k, from->v[i].name, json_text(json, "id"), json_incref(json));
        }
}

/* ---- JSON ---- */

static int by_name(const void *a, const void *b)
{
    const struct kept_source *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static json_t *source_json(const struct kept_source *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->count; i++)
        json_array_append(list, s->v[i].json);
    return json_pack("{s:o,s:o}", "source", json_text_of(s->name), "samples", list);
}

json_t *kept_samples_json(const struct kept_samples *k)
{
    const struct kept_source *sorted[KEPT_SOURCES];
    json_t *list = json_array();

    for (size_t i = 0; i < k->count; i++)
        sorted[i] = &k->v[i];
    if (k->count > 0)
        qsort(sorted, k->count, sizeof *sorted, by_name);
    for (size_t i = 0; i < k->count; i++)
        json_array_append_new(list, source_json(sorted[i]));
    return list;
}

static enum status read_sample(const json_t *sample, const char *what)
{
    const char *text;
    int64_t bytes;

    TRY(json_get_str(sample, "id", what, &text));
    TRY(json_get_str(sample, "text", what, &text));
    return json_get_int(sample, "bytes", what, &bytes);
}

enum status kept_samples_read(struct kept_samples *k, const json_t *from, const char *what)
{
    const json_t *row;
    json_t *sample;
    size_t i, j;

    if (!json_is_array(from))
        return fail(ST_FORMAT, "%s is not a list", what);
    json_array_foreach(from, i, row) {
        const json_t *list = json_object_get(row, "samples");
        const char *source;

        TRY(json_get_str(row, "source", what, &source));
        if (!json_is_array(list))
            return fail(ST_FORMAT, "%s: '%.60s' has no list of samples", what, source);
        json_array_foreach(list, j, sample) {
            TRY(read_sample(sample, what));
            kept_samples_add(k, source, json_text(sample, "id"), json_incref(sample));
        }
    }
    return ST_OK;
}

void kept_samples_release(struct kept_samples *k)
{
    for (size_t i = 0; i < k->count; i++)
        release_source(&k->v[i]);
    free(k->v);
    k->v = NULL;
    k->count = 0;
}
