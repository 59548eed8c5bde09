#include "curate/run/group_sink.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/hash.h"
#include "curate/run/id_set.h"
#include "curate/run/spool.h"

/* The corpus itself, or a part of it. */
struct sink_part {
    const char *name;                /* NULL: the corpus itself */
    struct document_writer *writer;  /* NULL: no document yet */
    struct buf ids;                  /* hashes */
    uint64_t documents, bytes;
};
struct group_sink {
    struct group_sink_args args;
    struct arena arena;
    struct spool_writer *spool;      /* NULL: shards */
    struct sink_part *parts;
    size_t part_count;
    struct id_set taken;
    struct buf line;                 /* metadata of the document that is being written */
};

const char *group_spool_path(struct arena *a, const char *folder) { return path_join(a, folder, "documents.spool"); }

const char *group_ids_path(struct arena *a, const char *folder, size_t part)
{
    return arena_printf(a, "%s/ids-%zu", folder, part);
}

const char *group_part_folder(struct arena *a, const char *folder, const char *part)
{
    return part ? path_join(a, folder, part) : folder;
}

enum status group_sink_open(const struct group_sink_args *args, struct group_sink **out)
{
    struct group_sink *s = mem_alloc(sizeof *s);
    struct spool_writer_args spool = { .phases = args->phases, .by_key = args->phase->order != SIZE_MAX };
    enum status st = ST_OK;

    arena_init(&s->arena);
    s->args = *args;
    s->part_count = 1 + args->phases->part_count;
    s->parts = arena_array(&s->arena, s->part_count, sizeof *s->parts);
    for (size_t i = 1; i < s->part_count; i++)
        s->parts[i].name = args->phases->parts[i - 1];
    if (!args->phase->final) {
        spool.path = group_spool_path(&s->arena, args->folder);
        st = spool_writer_open(&spool, &s->spool);
    }
    if (st != ST_OK) {
        group_sink_abort(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

void group_sink_abort(struct group_sink *s)
{
    if (s == NULL)
        return;
    spool_writer_abort(s->spool);
    for (size_t i = 0; i < s->part_count; i++) {
        document_writer_abort(s->parts[i].writer);
        buf_release(&s->parts[i].ids);
    }
    id_set_release(&s->taken);
    buf_release(&s->line);
    arena_release(&s->arena);
    free(s);
}

/* ---- documents ---- */

static enum status spool_doc_away(struct group_sink *s, const struct doc *d)
{
    const struct phases *p = s->args.phases;
    size_t order = s->args.phase->order;
    const struct step *step = order == SIZE_MAX ? NULL : &p->chain->steps[order];

    return spool_writer_add(s->spool, d, step ? step->kind->order(step->cfg, d) : 0);
}

static enum status open_part(struct group_sink *s, struct sink_part *p)
{
    const char *folder = group_part_folder(&s->arena, s->args.folder, p->name);

    TRY(file_make_folders(folder));
    /* that of the corpus itself is finished from outside, when it is full */
    return document_writer_open(folder, p->name ? s->args.shard_bytes : UINT64_MAX, &p->writer);
}

static enum status claim_id(struct group_sink *s, struct doc *d, bool *renamed)
{
    char bound[24];

    if (id_set_memory(&s->taken) > s->args.memory)
        return fail(ST_LIMIT, "the ids of a shard take more than memory %s allows; want more --memory, or a smaller "
                              "--shard-bytes", str_bytes(s->args.memory, bound));
    *renamed = id_set_claim(&s->taken, &d->id);
    return ST_OK;
}

enum status group_sink_add(struct group_sink *s, struct doc *d, bool *renamed)
{
    struct sink_part *p = &s->parts[d->part ? 1 + phases_part(s->args.phases, d->part) : 0];
    struct document line;
    uint64_t hash;

    *renamed = false;
    p->documents++;
    p->bytes += d->text.n;
    if (s->spool)
        return spool_doc_away(s, d);
    if (p->writer == NULL)
        TRY(open_part(s, p));
    TRY(claim_id(s, d, renamed));
    hash = (xxh3(d->id, strlen(d->id)) & ~ID_RENAMED) | (*renamed ? ID_RENAMED : 0);
    buf_add(&p->ids, &hash, sizeof hash);
    line = doc_print(d, &s->line);
    return document_writer_add(p->writer, &line);
}

bool group_sink_is_full(const struct group_sink *s)
{
    uint64_t text = 0;

    if (s->spool == NULL)
        return s->parts[0].writer && document_writer_grown(s->parts[0].writer) > s->args.shard_bytes;
    for (size_t i = 0; i < s->part_count; i++)
        text += s->parts[i].bytes + s->parts[i].documents * SPOOL_DOCUMENT_BYTES;
    return text >= s->args.spool_bytes;
}

/* ---- the end ---- */

/* Appends what the next shard is; *there: there is one. */
static enum status tell_shard(struct group_sink *s, const struct sink_part *p, json_t *shards, bool *there)
{
    const char *folder = group_part_folder(&s->arena, s->args.folder, p->name);
    const char *path = arena_printf(&s->arena, "%s/part-%05zu.jsonl.zst", folder, json_array_size(shards));
    char sha256[SHA256_HEX];
    uint64_t bytes;

    *there = file_exists(path);
    if (!*there)
        return ST_OK;
    TRY(sha256_file(path, sha256, &bytes));
    json_array_append_new(shards, json_pack("{s:I, s:s}", "bytes", (json_int_t)bytes, "sha256", sha256));
    return ST_OK;
}

/* {"documents", "bytes", "shards": [{"bytes", "sha256"}...]} */
static enum status tell_part(struct group_sink *s, size_t part, json_t *told)
{
    struct sink_part *p = &s->parts[part];
    json_t *shards = json_array(), *o = json_pack("{s:I, s:I, s:o}", "documents", (json_int_t)p->documents, "bytes",
                                                  (json_int_t)p->bytes, "shards", shards);
    bool there = p->writer != NULL;
    enum status st;

    json_array_append_new(told, o);
    if (!there)
        return ST_OK;
    st = document_writer_close(p->writer);
    p->writer = NULL;
    TRY(st);
    TRY(file_write_new(group_ids_path(&s->arena, s->args.folder, part), p->ids.p, p->ids.n));
    while (there)
        TRY(tell_shard(s, p, shards, &there));
    return ST_OK;
}

static enum status finish(struct group_sink *s, json_t *parts)
{
    if (s->spool) {
        enum status st = spool_writer_close(s->spool);

        s->spool = NULL;
        TRY(st);
    }
    for (size_t i = 0; i < s->part_count; i++)
        TRY(tell_part(s, i, parts));
    return ST_OK;
}

enum status group_sink_close(struct group_sink *s, json_t **told)
{
    json_t *parts = json_array();
    enum status st = finish(s, parts);

    group_sink_abort(s);
    if (st == ST_OK)
        *told = parts;
    else
        json_decref(parts);
    return st;
}
