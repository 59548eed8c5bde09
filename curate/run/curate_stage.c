#include "curate/run/curate_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bench.h"
#include "base/file.h"
#include "base/log.h"
#include "base/platform.h"
#include "store/artifact/artifact.h"
#include "store/artifact/unfinished.h"

#define UNPACK_MOST 3                /* threads beside a lane's reader; they have work only while it waits for bytes */
#define RANGE_TIMES 4                /* text of a group behind a shuffle, for a byte of a group of files: about what
                                        packed text becomes */
#define SPOOL_TIMES 8                /* of a stretch of a spool: more than the text of most groups of small files */

/* What rank 0 tells the others. */
struct told {
    uint64_t files, bytes, groups;
};
struct stage {
    const struct curate_stage *args;
    struct arena arena;
    struct comm *comm;
    int rank, ranks;
    struct source_groups groups;
    const char *folder;              /* OUT.work */
    struct artifact *out;            /* rank 0's, as are the next two */
    struct unfinished unfinished;
    bool changed;                    /* what it read is nobody's input any more */
    bool working;                    /* and all ranks know it */
    struct file_lock at_work;        /* each rank's share of OUT.work/ranks */
    struct curate_result result;
    double begun;
};

/* ---- the input ---- */

struct reader {
    struct stage *stage;
    struct source *source;
};

static enum status open_reader(void *ctx, void **out)
{
    struct stage *s = ctx;
    struct reader *r = mem_alloc(sizeof *r);
    struct source_limits limits = s->args->limits;
    int threads = s->args->run.threads > 0 ? s->args->run.threads : cpu_count();
    enum status st;

    limits.unpack_threads = threads - 1 < UNPACK_MOST ? threads - 1 : UNPACK_MOST;
    st = source_open(s->args->sources, &limits, &r->source);

    if (st != ST_OK) {
        free(r);
        return st;
    }
    r->stage = s;
    *out = r;
    return ST_OK;
}

static enum status begin_group(void *reader, size_t group)
{
    struct reader *r = reader;

    source_begin(r->source, &r->stage->groups.v[group]);
    return ST_OK;
}

static enum status next_document(void *reader, struct raw_document **out)
{
    return source_next(((struct reader *)reader)->source, out);
}

static const struct source_stats *stats_of_reader(void *reader)
{
    return source_stats_of(((struct reader *)reader)->source);
}

static uint64_t bytes_of_reader(void *reader) { return source_bytes_read(((struct reader *)reader)->source); }

static void close_reader(void *reader)
{
    source_close(((struct reader *)reader)->source);
    free(reader);
}

/* ---- beginning ---- */

static enum status list_groups(struct stage *s)
{
    struct source *source;
    enum status st;

    TRY(source_open(s->args->sources, &s->args->limits, &source));
    st = source_groups_list(source, s->args->group_bytes, &s->arena, &s->groups);
    source_close(source);
    return st;
}

/* The nearest folder above OUT that is there, resolved; owned by the caller. NULL: none. */
static char *place_of_out(struct arena *a, const char *out)
{
    char *path = arena_strdup(a, out), *slash, *found;

    while ((slash = strrchr(path, '/')) != NULL) {
        *slash = 0;
        found = realpath(*path ? path : "/", NULL);
        if (found)
            return found;
    }
    return realpath(".", NULL);
}

static enum status check_outside(void *ctx, struct yaml *path)
{
    struct stage *s = ctx;
    char *in = realpath(path->text, NULL), *out = place_of_out(&s->arena, s->args->out);
    size_t n = in ? strlen(in) : 0;
    bool inside = in && out && strncmp(in, out, n) == 0 && (out[n] == '/' || out[n] == 0 || n == 1);

    free(in);
    free(out);
    return inside ? fail(ST_USAGE, "the output '%s' and the input '%s' are one, or one inside the other, and would be read as such; "
                                   "choose another folder", s->args->out, path->text) : ST_OK;
}

static enum status begin_first(struct stage *s)
{
    json_t *run;
    enum status st;

    TRY(source_paths((struct yaml *)s->args->sources, check_outside, s));    /* which it leaves as it is */
    TRY(artifact_begin(s->args->command, s->args->cfg, s->args->out, &s->out));
    run = artifact_run(s->out);
    st = unfinished_begin(&s->unfinished, s->args->out, run);
    json_decref(run);
    return st;
}

static enum status begin(struct stage *s)
{
    struct told t = { 0 };

    s->rank = comm_rank(s->comm);
    s->ranks = comm_size(s->comm);
    s->folder = unfinished_path(&s->arena, s->args->out);
    if (s->rank > 0)
        log_set_quiet(true); /* one rank speaks for all */
    TRY(list_groups(s));
    if (s->rank == 0)
        TRY(begin_first(s));
    t = (struct told){ s->groups.files, s->groups.bytes, s->groups.count };
    TRY(comm_broadcast(s->comm, &(struct comm_buffer){ .p = &t, .count = sizeof t, .type = COMM_U8 }, 0));
    if (t.files != s->groups.files || t.bytes != s->groups.bytes || t.groups != s->groups.count)
        return fail(ST_FAILED, "the sources have %llu files of %llu bytes here and %llu of %llu where rank 0 is: all ranks "
                               "must see the same file system",
                    (unsigned long long)s->groups.files, (unsigned long long)s->groups.bytes,
                    (unsigned long long)t.files, (unsigned long long)t.bytes);
    s->working = true;
    return s->ranks == 1 ? ST_OK : unfinished_share(s->folder, &s->at_work);
}

/* ---- the work ---- */

static enum status run_chain(struct stage *s)
{
    const struct curate_input input = {
        .ctx = s, .groups = s->groups.count, .bytes = s->groups.bytes, .open = open_reader, .begin = begin_group,
        .next = next_document, .stats = stats_of_reader, .bytes_read = bytes_of_reader, .close = close_reader,
    };
    struct curate_args args = s->args->run;

    args.input = &input;
    args.comm = s->comm;
    args.work = s->folder;
    args.artifact = s->out;
    args.folder = s->out ? artifact_folder(s->out) : NULL;
    args.range_bytes = s->args->group_bytes * RANGE_TIMES;
    args.spool_bytes = s->args->group_bytes * SPOOL_TIMES;
    return curate_run(&args, &s->result);
}

static void add_input_counts(json_t *counts, const struct source_stats *stats)
{
    json_object_set_new(counts, "files_in", json_integer((json_int_t)stats->files));
    json_object_set_new(counts, "documents_in", json_integer((json_int_t)stats->documents));
    json_object_set_new(counts, "bytes_in", json_integer((json_int_t)stats->document_bytes));
}

static enum status commit(struct stage *s)
{
    struct artifact *out = s->out;

    s->changed = true;
    TRY(artifact_check_inputs(out, s->args->cfg));
    s->changed = false;
    add_input_counts(s->result.counts, &s->result.stats);
    artifact_set_counts(out, json_incref(s->result.counts));
    artifact_tell_aside(out, "speed", report_speed_json(s->result.report));
    s->out = NULL;
    TRY(artifact_commit(out, NULL));
    s->working = false;              /* a failure from here on keeps nothing, and needs nothing */
    return unfinished_complete(&s->unfinished);
}

/* ---- the end ---- */

/* Is the folder in the way of the next command, mended or another? Where one is to go on it has been told so; and other
 * ranks may still write. */
static bool is_of_no_use(const struct stage *s, enum status st)
{
    if (s->result.nothing_left || s->changed)
        return true;
    return s->unfinished.claimed && st != ST_OK && st != ST_INTERRUPTED && st != ST_IO && st != ST_LIMIT && s->ranks == 1 &&
           unfinished_is_empty(&s->unfinished);
}

static enum status settle(struct stage *s, enum status st)
{
    bool kept = s->working && !(st == ST_LIMIT && s->result.nothing_left);

    return unfinished_end(&(struct unfinished_end){ .work = &s->unfinished, .out = s->out, .share = &s->at_work,
                                                    .kept = kept ? s->folder : NULL, .done = "done",
                                                    .of_no_use = is_of_no_use(s, st) }, st);
}

static enum status run(struct stage *s)
{
    TRY(comm_open(&s->comm));
    TRY(begin(s));
    TRY(run_chain(s));
    if (s->rank > 0)
        return ST_OK;
    TRY(commit(s));
    report_summary(s->result.report, &s->result.stats, bench_now() - s->begun);
    return ST_OK;
}

enum status curate_stage(const struct curate_stage *args)
{
    struct stage s = { .args = args, .unfinished = { .lock = { -1 } }, .at_work = { -1 }, .begun = bench_now() };
    enum status st;

    arena_init(&s.arena);
    st = settle(&s, run(&s));
    comm_abort(s.comm, args->command->name, st);
    curate_result_release(&s.result);
    comm_close(s.comm);
    arena_release(&s.arena);
    return st;
}
