/* Documents made in memory, run through a chain; what is left, and the report. */
#ifndef TUNDISH_TESTS_CURATE_DOCUMENTS_H
#define TUNDISH_TESTS_CURATE_DOCUMENTS_H

#include "test.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/rng.h"
#include "curate/run/curate_run.h"

#define DOCUMENTS_MAX 4096

struct made {
    const char *id;
    enum raw_kind kind;
    const char *line_id, *created, *metadata;
    struct span text;
};
struct documents {
    struct arena arena;
    struct made v[DOCUMENTS_MAX];
    size_t count, at, end;
    size_t groups;                         /* 0: 1 */
    struct source_stats stats;
    uint64_t outcomes[SOURCE_OUTCOME_COUNT];
};

static inline void documents_begin(struct documents *d)
{
    memset(d, 0, sizeof *d);
    arena_init(&d->arena);
}

static inline void documents_end(struct documents *d) { arena_release(&d->arena); }

static inline struct made *add_bytes(struct documents *d, const char *id, const char *p, size_t n)
{
    struct made *m = &d->v[d->count++];

    assert_true(d->count <= DOCUMENTS_MAX);
    *m = (struct made){ .id = arena_strdup(&d->arena, id), .kind = RAW_TEXT, .text = { arena_strndup(&d->arena, p, n), n } };
    return m;
}

static inline struct made *add_text(struct documents *d, const char *id, const char *text)
{
    return add_bytes(d, id, text, strlen(text));
}

static inline char *copy_or_null(const char *s) { return s ? mem_strdup(s) : NULL; }

static inline enum status next_made(void *ctx, struct raw_document **out)
{
    struct documents *d = ctx;
    struct raw_document *raw;
    const struct made *m = &d->v[d->at];

    *out = NULL;
    if (d->at == d->end)
        return ST_OK;
    d->at++;
    raw = mem_alloc(sizeof *raw);
    raw->kind = m->kind;
    raw->id = mem_strdup(m->id);
    raw->source = mem_strdup("made");
    raw->line_id = copy_or_null(m->line_id);
    raw->created = copy_or_null(m->created);
    raw->metadata = copy_or_null(m->metadata);
    raw->bytes = mem_alloc(m->text.n + 1);
    memcpy(raw->bytes, m->text.p, m->text.n);
    raw->n = m->text.n;
    d->stats.documents++;
    d->stats.document_bytes += m->text.n;
    *out = raw;
    return ST_OK;
}

/* ---- one run ---- */

static inline enum status open_made(void *ctx, void **reader)
{
    struct documents *copy = mem_alloc(sizeof *copy);      /* lanes read side by side */

    *copy = *(const struct documents *)ctx;
    *reader = copy;
    return ST_OK;
}

/* Group g of how many there are: an equal stretch of the documents. */
static inline enum status begin_made(void *ctx, size_t group)
{
    struct documents *d = ctx;

    d->at = d->count * group / d->groups;
    d->end = d->count * (group + 1) / d->groups;
    d->stats = (struct source_stats){ .files = 1 };
    for (int i = 0; group == 0 && i < SOURCE_OUTCOME_COUNT; i++)
        d->stats.outcomes[i] = d->outcomes[i];
    return ST_OK;
}

static inline const struct source_stats *stats_of_made(void *ctx) { return &((struct documents *)ctx)->stats; }

static inline uint64_t bytes_of_made(void *ctx) { return ((struct documents *)ctx)->stats.document_bytes; }

static inline void close_made(void *ctx) { free(ctx); }

struct result {
    struct arena arena;
    char folder[64];
    json_t *report;
    struct document kept[DOCUMENTS_MAX];
    size_t count;
};
struct how {
    const char *steps;         /* YAML */
    int threads;               /* 0: 2 */
    uint64_t memory, shard_bytes, seed, range_bytes;
    int samples;
    bool scores, keep_dropped;
};

static inline void read_kept(struct result *r)
{
    struct document_reader *reader;
    struct file_list files;
    struct document d;
    size_t own = 0;
    bool got;

    assert_ok(document_files(&r->arena, r->folder, &files));
    for (size_t i = 0; i < files.count; i++)        /* without parts: there is no manifest that would tell them */
        if (strchr(files.names[i] + strlen(r->folder) + 1, '/') == NULL)
            files.names[own++] = files.names[i];
    files.count = own;
    assert_ok(document_reader_open_files(&files, &reader));
    for (r->count = 0; document_reader_next(reader, &d, &got) == ST_OK && got;) {
        struct span *spans[] = { &d.id, &d.text, &d.source, &d.created, &d.metadata };

        assert_true(r->count < DOCUMENTS_MAX);
        for (int i = 0; i < 5; i++)
            spans[i]->p = arena_strndup(&r->arena, spans[i]->p ? spans[i]->p : "", spans[i]->n);
        r->kept[r->count++] = d;
    }
    document_reader_close(reader);
}

/* Runs into a new folder; after ST_OK the kept documents and the report are in r. result_end() in any case. */
static inline enum status run_documents(struct documents *d, struct how how, struct result *r)
{
    const struct curate_input input = {
        .ctx = d, .groups = d->groups ? d->groups : 1, .open = open_made, .begin = begin_made, .next = next_made,
        .stats = stats_of_made, .bytes_read = bytes_of_made, .close = close_made,
    };
    struct curate_args args = {
        .input = &input, .folder = r->folder, .threads = how.threads ? how.threads : 2,
        .samples = how.samples, .memory = how.memory ? how.memory : (uint64_t)1 << 30,
        .shard_bytes = how.shard_bytes ? how.shard_bytes : 1 << 20, .seed = how.seed,
        .range_bytes = how.range_bytes ? how.range_bytes : 1 << 20, .spool_bytes = 8 << 20,
        .scores = how.scores, .keep_dropped = how.keep_dropped,
    };
    struct curate_result run;
    struct chain chain;
    struct yaml *steps;
    enum status st;

    memset(r, 0, sizeof *r);
    arena_init(&r->arena);
    strcpy(r->folder, "/tmp/tundish-curate-XXXXXX");
    assert_non_null(mkdtemp(r->folder));
    args.work = arena_printf(&r->arena, "%s.work", r->folder);
    assert_ok(file_make_folders(args.work));
    assert_ok(yaml_parse(&r->arena, "steps", how.steps, strlen(how.steps), &steps));
    assert_ok(chain_parse(&r->arena, steps, &chain));
    args.chain = &chain;
    d->groups = input.groups;
    st = curate_run(&args, &run);
    curate_result_release(&run);
    if (st == ST_OK) {
        read_kept(r);
        assert_ok(json_read_file(path_join(&r->arena, r->folder, "report.json"), &r->report));
    }
    return st;
}

static inline void result_end(struct result *r)
{
    assert_ok(file_remove_tree(r->folder));
    assert_ok(file_remove_tree(arena_printf(&r->arena, "%s.work", r->folder)));
    json_decref(r->report);
    arena_release(&r->arena);
}

/* "a b c": the ids of what was kept. */
static inline const char *kept_ids(struct result *r)
{
    struct buf ids = { 0 };
    const char *text;

    for (size_t i = 0; i < r->count; i++)
        buf_printf(&ids, "%s%s", i ? " " : "", r->kept[i].id.p);
    text = arena_strdup(&r->arena, ids.p ? ids.p : "");
    buf_release(&ids);
    return text;
}

static inline bool is_kept(const struct result *r, const char *id)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->kept[i].id.p, id) == 0)
            return true;
    return false;
}

/* The drops of step number `step` for a reason; NULL: none. */
static inline json_t *drops_of(const struct result *r, size_t step, const char *reason)
{
    json_t *drop, *steps = json_object_get(r->report, "steps");
    size_t i;

    json_array_foreach(json_object_get(json_array_get(steps, step), "drops"), i, drop)
        if (strcmp(json_string_value(json_object_get(drop, "reason")), reason) == 0)
            return drop;
    return NULL;
}

static inline int64_t count_of_drops(const struct result *r, size_t step, const char *reason)
{
    return json_integer_value(json_object_get(drops_of(r, step, reason), "documents"));
}

/* ---- made text ---- */

/* n words of a vocabulary that is as good as endless; the same (seed, first) gives the same words. */
static inline void add_words(struct buf *out, uint64_t seed, uint64_t first, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t draw = rng_at(seed, 1, first + i);

        if (out->n > 0)
            buf_addc(out, draw % 11 == 0 ? '\n' : ' ');
        for (uint64_t k = 0; k < 3 + draw % 6; k++)
            buf_addc(out, (char)('a' + (draw >> (8 + 5 * k)) % 26));
    }
}

#endif
