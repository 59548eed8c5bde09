#include "curate/run/group_stretch.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/file.h"

#define OUTCOME_SAMPLES 5            /* struct source_stats keeps so many ids */

const char *stretch_path(struct arena *a, const char *group, size_t number)
{
    return arena_printf(a, "%s/stretch-%05zu", group, number);
}

size_t stretch_count(const char *group)
{
    struct arena a;
    size_t n = 0;

    arena_init(&a);
    while (file_exists(stretch_path(&a, group, n)))
        n++;
    arena_release(&a);
    return n;
}

/* ---- what an earlier run left ---- */

static enum status read_mark(struct stretches *s, const json_t *record, const char *path)
{
    int64_t version, taken;

    TRY(json_get_int(record, "version", path, &version));
    TRY(json_get_int(record, "taken", path, &taken));
    if (version != STRETCH_RECORD_VERSION || taken < 0)
        return fail(ST_FORMAT, "'%s': version %" PRId64 ", taken %" PRId64 "; want version %d and a count of documents; remove "
                               "the .work folder to begin anew", path, version, taken, STRETCH_RECORD_VERSION);
    s->taken = (uint64_t)taken;
    s->complete = json_is_true(json_object_get(record, "last"));
    return ST_OK;
}

enum status stretches_open(const struct curate_work *w, size_t group, struct stretches *s)
{
    const char *path;
    json_t *record;
    enum status st;

    *s = (struct stretches){ .work = w, .phase = &w->phases.v[w->phase] };
    arena_init(&s->arena);
    s->group = work_group_path(&s->arena, w, w->phase, group);
    s->growing = arena_printf(&s->arena, "%s.part", s->group);
    s->number = stretch_count(s->growing);
    if (s->number == 0)
        return ST_OK;
    path = work_record_path(&s->arena, stretch_path(&s->arena, s->growing, s->number - 1));
    TRY(json_read_file(path, &record));
    st = read_mark(s, record, path);
    json_decref(record);
    return st;
}

/* ---- one stretch ---- */

enum status stretch_begin(struct stretches *s)
{
    struct group_sink_args to = {
        .phases = &s->work->phases, .phase = s->phase, .shard_bytes = s->work->args->shard_bytes,
        .spool_bytes = s->work->args->spool_bytes, .memory = s->work->args->memory,
    };

    s->path = stretch_path(&s->arena, s->growing, s->number);
    TRY(folder_begin(&s->arena, s->path, &s->folder));
    s->report = report_new(s->work->args->chain, s->work->args->samples);
    to.folder = s->folder;
    return group_sink_open(&to, &s->sink);
}

bool stretch_is_full(const struct stretches *s) { return group_sink_is_full(s->sink); }

/* What was told behind `before`. */
static void tell_since(const struct source_stats *now, const struct source_stats *before, struct source_stats *out)
{
    *out = (struct source_stats){
        .files = now->files - before->files, .bytes_in = now->bytes_in - before->bytes_in,
        .documents = now->documents - before->documents,
        .document_bytes = now->document_bytes - before->document_bytes,
    };
    for (int i = 0; i < SOURCE_OUTCOME_COUNT; i++) {
        uint64_t seen = before->outcomes[i];

        out->outcomes[i] = now->outcomes[i] - seen;
        for (uint64_t k = seen; k < OUTCOME_SAMPLES; k++)
            out->samples[i][k - seen] = now->samples[i][k];
    }
}

/* {"version", "taken", "last", "parts", "partial"}: see FORMATS.md. */
static enum status write_record(struct stretches *s, const struct stretch_end *end, json_t *parts)
{
    struct source_stats stats = { 0 };
    json_t *record;
    enum status st;

    if (end->stats)
        tell_since(end->stats, &s->before, &stats);
    record = json_pack("{s:i, s:I, s:b, s:O, s:o}", "version", STRETCH_RECORD_VERSION, "taken", (json_int_t)end->taken,
                       "last", (int)end->last, "parts", parts, "partial", report_partial(s->report, &stats));
    st = json_write_new_file(work_record_path(&s->arena, s->folder), record);
    json_decref(record);
    return st;
}

static void let_go(struct stretches *s)
{
    group_sink_abort(s->sink);
    report_free(s->report);
    s->sink = NULL;
    s->report = NULL;
    s->folder = NULL;
}

enum status stretch_finish(struct stretches *s, const struct stretch_end *end)
{
    json_t *parts = NULL;
    enum status st = group_sink_close(s->sink, &parts);

    s->sink = NULL;
    if (st == ST_OK)
        st = write_record(s, end, parts);
    json_decref(parts);
    TRY(st);
    TRY(folder_commit(s->folder, s->path));
    let_go(s);
    s->number++;
    s->taken = end->taken;
    s->complete = end->last;
    if (end->stats)
        s->before = *end->stats;
    return ST_OK;
}

enum status stretches_commit(struct stretches *s) { return file_rename(s->growing, s->group); }

void stretches_close(struct stretches *s)
{
    if (s->folder)
        folder_abort(s->folder);
    let_go(s);
    arena_release(&s->arena);
}
