#include "pipelines/lineage/document_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/stop.h"
#include "store/documents/documents.h"

#define LOOK_EVERY 4096      /* documents between looks at Ctrl-C */

/* ---- a corpus ---- */

struct shard {
    const char *name, *path;
    struct corpus_place place;
    struct id_hints hints;
};
struct search {
    const char *id;
    struct shard *shards;
};

static char *copy_span(struct span s)
{
    char *copy = mem_alloc(s.n + 1);

    memcpy(copy, s.p, s.n);
    return copy;
}

static enum status search_reader(struct document_reader *r, const char *id, struct shard *shard)
{
    for (uint64_t line = 1;; line++) {
        struct document d;
        bool got;

        TRY(document_reader_next(r, &d, &got));
        if (!got)
            return ST_OK;
        if (line % LOOK_EVERY == 0 && stop_requested())
            return fail(ST_INTERRUPTED, "stopped");
        if (!span_eq(d.id, id))
            id_hints_add(&shard->hints, id, d.id);
        else if (shard->place.documents++ == 0)
            shard->place = (struct corpus_place){
                .documents = 1, .shard = mem_strdup(shard->name), .line = line,
                .text_bytes = d.text.n, .text_hash = xxh3(d.text.p, d.text.n),
                .source = d.source.n ? copy_span(d.source) : NULL,
            };
    }
}

static enum status search_shard(void *ctx, size_t item, int worker)
{
    const struct search *s = ctx;
    struct document_reader *r;
    enum status st;

    TRY(document_reader_open(s->shards[item].path, &r));
    st = search_reader(r, s->id, &s->shards[item]);
    document_reader_close(r);
    return st;
}

/* The place is that of the first shard that has it; documents and hints are those of all. */
static void gather(struct search *s, size_t n, struct corpus_place *out, struct id_hints *hints)
{
    for (size_t i = 0; i < n; i++) {
        struct shard *shard = &s->shards[i];

        for (size_t k = 0; k < ID_HINTS && shard->hints.best[k].id; k++)
            id_hints_add(hints, s->id, span_of(shard->hints.best[k].id));
        id_hints_free(&shard->hints);
        if (out->documents == 0) {
            *out = shard->place;
            continue;
        }
        out->documents += shard->place.documents;
        corpus_place_free(&shard->place);
    }
}

static bool is_shard(const char *name)
{
    return *name == 0 || str_ends_with(name, ".jsonl.zst") || str_ends_with(name, ".jsonl");
}

enum status corpus_search(const char *path, const char *id, struct pool *pool,
                          struct corpus_place *out, struct id_hints *hints)
{
    struct arena a;
    struct file_list list;
    struct search s = { .id = id };
    size_t n = 0;
    enum status st;

    *out = (struct corpus_place){ 0 };
    arena_init(&a);
    st = file_list_tree(&a, path, &list);
    if (st == ST_OK)
        s.shards = mem_array(list.count + 1, sizeof *s.shards);
    for (size_t i = 0; st == ST_OK && i < list.count; i++)
        if (is_shard(list.names[i]))
            s.shards[n++] = (struct shard){
                .name = *list.names[i] ? list.names[i] : path_base(path),
                .path = *list.names[i] ? path_join(&a, path, list.names[i]) : path,
            };
    if (st == ST_OK) {
        st = pool_for(pool, n, search_shard, &s);
        gather(&s, n, out, hints);
    }
    free(s.shards);
    arena_release(&a);
    return st;
}

void corpus_place_free(struct corpus_place *p)
{
    free(p->shard);
    free(p->source);
    *p = (struct corpus_place){ 0 };
}

/* ---- a token store ---- */

struct store_search {
    const struct token_store *store;
    struct store_places *out;
};

static void add_place(struct store_search *w, const struct store_place *p)
{
    struct store_places *out = w->out;

    if ((out->count & (out->count - 1)) == 0)
        out->v = mem_grow(out->v, out->count ? 2 * out->count : 1, sizeof *out->v);
    out->v[out->count++] = *p;
    out->removed += p->removed;
    out->tokens += p->count;
}

static enum status add_removed(void *ctx, enum token_part part, uint64_t index)
{
    struct store_search *w = ctx;

    add_place(w, &(struct store_place){ part, index, token_store_first(w->store, part, index),
                                        token_store_length(w->store, part, index), true });
    return ST_OK;
}

static enum status search_store(struct store_search *w, const char *id, struct id_hints *hints)
{
    const struct token_store *s = w->store;

    for (int part = 0; part < TOKENS_PARTS; part++) {
        uint64_t n = token_store_documents(s, (enum token_part)part);

        for (uint64_t i = 0; i < n; i++) {
            struct token_range d;

            TRY(token_store_document(s, (enum token_part)part, i, &d));
            if (span_eq(d.id, id))
                add_place(w, &(struct store_place){ (enum token_part)part, i, d.first, d.count,
                                                    false });
            else
                id_hints_add(hints, id, d.id);
            if (i % LOOK_EVERY == 0 && stop_requested())
                return fail(ST_INTERRUPTED, "stopped");
        }
    }
    return token_store_removed(s, span_of(id), add_removed, w);
}

enum status store_search(const struct token_store *s, const char *id, struct store_places *out,
                         struct id_hints *hints)
{
    struct store_search w = { s, out };

    *out = (struct store_places){ 0 };
    return search_store(&w, id, hints);
}

void store_places_free(struct store_places *p)
{
    free(p->v);
    *p = (struct store_places){ 0 };
}

/* ---- reports ---- */

static bool is_text(const json_t *object, const char *key, const char *want)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text && strcmp(text, want) == 0;
}

static json_t *describe_drop(const json_t *step, const json_t *drop, const json_t *sample)
{
    static const char *const of_drop[] = { "reason", "meaning", "threshold" };
    static const char *const of_sample[] = { "value", "of" };
    json_t *out = json_object(), *value;

    if ((value = json_object_get(step, "step")) != NULL)
        json_object_set(out, "step", value);
    for (size_t i = 0; i < sizeof of_drop / sizeof *of_drop; i++)
        if ((value = json_object_get(drop, of_drop[i])) != NULL)
            json_object_set(out, of_drop[i], value);
    for (size_t i = 0; i < sizeof of_sample / sizeof *of_sample; i++)
        if ((value = json_object_get(sample, of_sample[i])) != NULL)
            json_object_set(out, of_sample[i], value);
    return out;
}

json_t *dropped_search(const char *corpus, const char *id)
{
    struct buf path = { 0 };
    json_t *report = NULL, *found = NULL, *step, *drop, *sample;
    size_t i, k, m;

    buf_printf(&path, "%s/report.json", corpus);
    if (file_exists(path.p) && json_read_file(path.p, &report) == ST_OK) {
        json_array_foreach(json_object_get(report, "steps"), i, step)
            json_array_foreach(json_object_get(step, "drops"), k, drop)
                json_array_foreach(json_object_get(drop, "samples"), m, sample)
                    if (found == NULL && is_text(sample, "id", id))
                        found = describe_drop(step, drop, sample);
    }
    json_decref(report);
    buf_release(&path);
    return found;
}

bool lines_search(const char *folder, const char *name, const char *id)
{
    struct buf path = { 0 };
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    bool found = false;
    FILE *f;

    buf_printf(&path, "%s/%s", folder, name);
    f = fopen(path.p, "re");
    while (f && !found && (n = getline(&line, &cap, f)) > 0) {
        json_t *value;

        if (json_parse(line, (size_t)n, name, &value) == ST_OK) {
            found = is_text(value, "id", id);
            json_decref(value);
        }
    }
    if (f)
        fclose(f);
    free(line);
    buf_release(&path);
    return found;
}
