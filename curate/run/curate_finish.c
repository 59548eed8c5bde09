/* The corpus, when all groups have passed all phases: reports are added up, ids made unique, shards numbered. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/progress.h"
#include "curate/run/curate_work.h"
#include "curate/run/group_stretch.h"
#include "curate/run/shard_rewrite.h"
#include "curate/run/unique_ids.h"
#include "store/artifact/artifact.h"

#define SHARDS_MAX 100000            /* of the corpus itself, and of each part */

/* A shard of a stretch. */
struct made_shard {
    const char *path, *sha256;
    uint64_t bytes;
};
/* What a stretch gave to the corpus itself, or to one of its parts: shards, and the list of their ids. */
struct made_part {
    size_t part;
    struct made_shard *shards;
    size_t count;
};
struct finish {
    struct curate_work *work;
    struct curate_result *out;
    struct arena arena;
    struct made_part *made;          /* by group, stretch and part; those with documents */
    struct id_list *lists;           /* of each */
    size_t count, cap;
    struct renamed_ids renamed;
    uint64_t *documents, *bytes;     /* of the corpus itself, then of each part */
    size_t *placed;                  /* shards of each */
};

/* ---- what the phases left ---- */

static enum status read_record(struct finish *f, const char *path, int want, json_t **record)
{
    int64_t version;
    enum status st;

    TRY(json_read_file(path, record));
    st = json_get_int(*record, "version", path, &version);
    if (st == ST_OK && version != want)
        st = fail(ST_UNSUPPORTED, "%s: version %" PRId64 ", this program reads version %d", path, version, want);
    if (st == ST_OK)
        st = report_add_partial(f->out->report, &f->out->stats, json_object_get(*record, "partial"));
    if (st == ST_OK)
        return ST_OK;
    json_decref(*record);
    return fail_within(st, "'%s': ", path);
}

static void add_room(struct finish *f)
{
    if (f->count < f->cap)
        return;
    f->cap = f->cap ? f->cap * 2 : 64;
    f->made = mem_grow(f->made, f->cap, sizeof *f->made);
    f->lists = mem_grow(f->lists, f->cap, sizeof *f->lists);
}

static const char *part_name(const struct finish *f, size_t part)
{
    return part ? f->work->phases.parts[part - 1] : NULL;
}

static enum status take_shards(struct finish *f, const char *stretch, size_t part, const json_t *shards)
{
    struct made_part *m;
    const char **paths;

    add_room(f);
    m = &f->made[f->count];
    *m = (struct made_part){ .part = part, .count = json_array_size(shards) };
    m->shards = arena_array(&f->arena, m->count + 1, sizeof *m->shards);
    paths = arena_array(&f->arena, m->count + 1, sizeof *paths);
    for (size_t i = 0; i < m->count; i++) {
        const json_t *shard = json_array_get(shards, i);
        const char *sha256;
        int64_t bytes;

        TRY(json_get_int(shard, "bytes", stretch, &bytes));
        TRY(json_get_str(shard, "sha256", stretch, &sha256));
        paths[i] = arena_printf(&f->arena, "%s/part-%05zu.jsonl.zst",
                                group_part_folder(&f->arena, stretch, part_name(f, part)), i);
        m->shards[i] = (struct made_shard){ paths[i], arena_strdup(&f->arena, sha256), (uint64_t)bytes };
    }
    f->lists[f->count++] = (struct id_list){ group_ids_path(&f->arena, stretch, part), paths, m->count };
    return ST_OK;
}

static enum status take_parts(struct finish *f, const char *stretch, const json_t *parts)
{
    for (size_t i = 0; i <= f->work->phases.part_count; i++) {
        const json_t *part = json_array_get(parts, i);
        int64_t documents, bytes;

        TRY(json_get_int(part, "documents", stretch, &documents));
        TRY(json_get_int(part, "bytes", stretch, &bytes));
        f->documents[i] += (uint64_t)documents;
        f->bytes[i] += (uint64_t)bytes;
        if (documents > 0)
            TRY(take_shards(f, stretch, i, json_object_get(part, "shards")));
    }
    return ST_OK;
}

static enum status take_stretch(struct finish *f, size_t phase, const char *path)
{
    json_t *record;
    enum status st = ST_OK;

    TRY(read_record(f, work_record_path(&f->arena, path), STRETCH_RECORD_VERSION, &record));
    if (f->work->phases.v[phase].final)
        st = take_parts(f, path, json_object_get(record, "parts"));
    json_decref(record);
    return st;
}

static enum status take_group(struct finish *f, size_t phase, size_t group)
{
    const char *path = work_group_path(&f->arena, f->work, phase, group);
    size_t count = stretch_count(path);

    if (count == 0)
        return fail(ST_FORMAT, "'%s' has no stretch in it; remove the .work folder to begin anew", path);
    for (size_t i = 0; i < count; i++)
        TRY(take_stretch(f, phase, stretch_path(&f->arena, path, i)));
    return ST_OK;
}

static enum status take_phase(struct finish *f, size_t phase)
{
    const char *path = work_done_path(&f->arena, f->work, phase);
    int64_t groups = 0;
    json_t *done;
    enum status st;

    if (f->work->phases.v[phase].kind == PHASE_ALL) {
        TRY(read_record(f, path, 1, &done));
        json_decref(done);
        return ST_OK;
    }
    TRY(json_read_file(path, &done));
    st = json_get_int(done, "groups", path, &groups);
    json_decref(done);
    for (int64_t g = 0; st == ST_OK && g < groups; g++)
        st = take_group(f, phase, (size_t)g);
    return st;
}

/* ---- ids ---- */

static const char *rewritten_folder(struct arena *a, const struct finish *f, size_t made, size_t shard)
{
    return arena_printf(a, "%s/unique/%zu-%zu", f->work->args->work, made, shard);
}

static enum status rename_in(struct finish *f, struct arena *a, size_t made)
{
    struct shard_rewrite how = { 0 };
    size_t first;

    how.count = renamed_ids_of(&f->renamed, made, &first);
    how.renamed = f->renamed.v + first;
    for (size_t i = 0; how.count > 0 && i < f->made[made].count; i++) {
        uint64_t lines = 0;

        how.shard = f->made[made].shards[i].path;
        how.folder = rewritten_folder(a, f, made, i);
        TRY(shard_rewrite(&how, &lines));
        how.first_line += lines;
    }
    return ST_OK;
}

static enum status rename_item(void *ctx, size_t item, int worker)
{
    struct arena a;
    enum status st;

    (void)worker;
    arena_init(&a);
    st = rename_in(ctx, &a, item);
    arena_release(&a);
    return st;
}

static bool is_kept(const struct finish *f, size_t made)
{
    return f->made[made].part == 0 || strcmp(part_name(f, f->made[made].part), PART_DROPPED) != 0;
}

/* Shards in which something was renamed are others now. */
static void take_rewritten(struct finish *f)
{
    for (size_t m = 0; m < f->count; m++) {
        size_t first, count = renamed_ids_of(&f->renamed, m, &first);

        for (size_t i = 0; i < count; i++)
            f->out->report->out.renamed += is_kept(f, m) && !f->renamed.v[first + i].again;
        for (size_t i = 0; count > 0 && i < f->made[m].count; i++) {
            const char *path = path_join(&f->arena, rewritten_folder(&f->arena, f, m, i), SHARD_REWRITTEN);

            if (file_exists(path))
                f->made[m].shards[i] = (struct made_shard){ .path = path };
        }
    }
}

static enum status make_unique(struct finish *f)
{
    struct unique_ids_args args = { .lists = f->lists, .count = f->count, .memory = f->work->args->memory };
    struct pool *pool;
    enum status st;

    TRY(file_remove_tree(path_join(&f->arena, f->work->args->work, "unique")));
    if (f->count < 2)
        return ST_OK;
    TRY(unique_ids_find(&args, &f->renamed));
    if (f->renamed.count == 0)
        return ST_OK;
    pool = pool_new(f->work->args->threads);
    st = pool_for(pool, f->count, rename_item, f);
    pool_free(pool);
    TRY(st);
    take_rewritten(f);
    return ST_OK;
}

/* ---- shards ---- */

static enum status place_shard(struct finish *f, size_t part, const struct made_shard *shard)
{
    const struct curate_args *args = f->work->args;
    const char *folder = group_part_folder(&f->arena, args->folder, part_name(f, part)), *name;
    bool copied;

    if (f->placed[part] == 0)
        TRY(file_make_folders(folder));
    if (f->placed[part] == SHARDS_MAX)
        return fail(ST_LIMIT, "more than %d shards; want a larger --group-bytes, or --shard-bytes", SHARDS_MAX);
    name = arena_printf(&f->arena, "part-%05zu.jsonl.zst", f->placed[part]++);
    TRY(file_link_or_copy(shard->path, path_join(&f->arena, folder, name), &copied));
    if (part > 0)
        name = path_join(&f->arena, part_name(f, part), name);
    if (args->artifact && shard->sha256)
        artifact_know_file(args->artifact, &(struct artifact_file){ name, shard->bytes, shard->sha256 });
    return ST_OK;
}

static enum status place_all(struct finish *f)
{
    struct document_writer *none;

    for (size_t m = 0; m < f->count; m++)
        for (size_t i = 0; i < f->made[m].count; i++)
            TRY(place_shard(f, f->made[m].part, &f->made[m].shards[i]));
    if (f->placed[0] > 0)
        return ST_OK;
    TRY(document_writer_open(f->work->args->folder, f->work->args->shard_bytes, &none));
    return document_writer_close(none);      /* all are in parts: one empty shard */
}

static json_t *count_json(const struct finish *f, size_t part)
{
    return json_pack("{s:I, s:I}", "documents", (json_int_t)f->documents[part], "bytes", (json_int_t)f->bytes[part]);
}

static json_t *counts_of(const struct finish *f)
{
    json_t *counts = count_json(f, 0), *parts = json_object();

    for (size_t i = 1; i <= f->work->phases.part_count; i++)
        json_object_set_new(parts, part_name(f, i), count_json(f, i));
    if (f->work->phases.part_count > 0)
        json_object_set(counts, "parts", parts);
    json_decref(parts);
    return counts;
}

static enum status finish(struct finish *f)
{
    struct curate_result *out = f->out;

    for (size_t i = 0; i < f->work->phases.count; i++)
        TRY(take_phase(f, i));
    out->nothing_left = out->report->out.documents == 0;
    if (out->nothing_left)
        return report_nothing_left(out->report, &out->stats);
    progress_start("writing", "docs", 0);
    TRY(make_unique(f));
    TRY(place_all(f));
    progress_end();
    out->counts = counts_of(f);
    return report_write(out->report, &out->stats, f->work->args->folder);
}

enum status curate_finish(struct curate_work *w, struct curate_result *out)
{
    struct finish f = { .work = w, .out = out };
    size_t parts = 1 + w->phases.part_count;
    enum status st;

    arena_init(&f.arena);
    f.documents = arena_array(&f.arena, parts, sizeof *f.documents);
    f.bytes = arena_array(&f.arena, parts, sizeof *f.bytes);
    f.placed = arena_array(&f.arena, parts, sizeof *f.placed);
    out->report = report_new(w->args->chain, w->args->samples);
    st = finish(&f);
    renamed_ids_release(&f.renamed);
    free(f.made);
    free(f.lists);
    arena_release(&f.arena);
    return st;
}
