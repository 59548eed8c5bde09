#include "curate/run/curate_run.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/progress.h"
#include "curate/run/curate_work.h"
#include "curate/run/group_stretch.h"

/* ---- paths ---- */

static const char *phase_path(struct arena *a, const struct curate_work *w, size_t phase)
{
    return arena_printf(a, "%s/phase-%zu", w->args->work, phase);
}

const char *work_group_path(struct arena *a, const struct curate_work *w, size_t phase, size_t group)
{
    return arena_printf(a, "%s/group-%05zu", phase_path(a, w, phase), group);
}

const char *work_record_path(struct arena *a, const char *stretch) { return path_join(a, stretch, "record.json"); }

const char *work_verdict_path(struct arena *a, const struct curate_work *w, size_t phase)
{
    return path_join(a, phase_path(a, w, phase), "verdict");
}

const char *work_done_path(struct arena *a, const struct curate_work *w, size_t phase)
{
    return path_join(a, phase_path(a, w, phase), "done.json");
}

/* ---- what a phase reads ---- */

/* How many groups a pass that is done has. */
static enum status groups_of(struct arena *a, const struct curate_work *w, size_t phase, size_t *groups)
{
    const char *path = work_done_path(a, w, phase);
    int64_t n = 0;
    json_t *done;
    enum status st;

    TRY(json_read_file(path, &done));
    st = json_get_int(done, "groups", path, &n);
    json_decref(done);
    if (st == ST_OK && (n < 0 || n > INT64_C(1) << 32))
        st = fail(ST_FORMAT, "'%s': %lld groups, want 0 to 2^32", path, (long long)n);
    *groups = (size_t)n;
    return st;
}

/* The spools that a pass left, in their order. */
struct spool_paths {
    const char **v;                  /* owned; each in the arena */
    size_t count, cap;
};

static enum status add_spools(struct arena *a, const char *group, struct spool_paths *paths)
{
    size_t count = stretch_count(group);

    if (count == 0)
        return fail(ST_FORMAT, "'%s' has no stretch in it; remove the .work folder to begin anew", group);
    for (size_t i = 0; i < count; i++) {
        if (paths->count == paths->cap) {
            paths->cap = paths->cap ? 2 * paths->cap : 64;
            paths->v = mem_grow(paths->v, paths->cap, sizeof *paths->v);
        }
        paths->v[paths->count++] = group_spool_path(a, stretch_path(a, group, i));
    }
    return ST_OK;
}

static enum status list_spools(struct arena *a, const struct curate_work *w, size_t input, struct spool_paths *paths)
{
    size_t groups;

    TRY(groups_of(a, w, input, &groups));
    for (size_t g = 0; g < groups; g++)
        TRY(add_spools(a, work_group_path(a, w, input, g), paths));
    return ST_OK;
}

static enum status open_spools(struct arena *a, struct curate_work *w, size_t input)
{
    struct spool_paths paths = { 0 };
    enum status st = list_spools(a, w, input, &paths);

    if (st == ST_OK)
        st = spool_open(paths.v, paths.count, &w->phases, &w->spool);
    free(paths.v);
    return st;
}

static enum status begin_phase(struct arena *a, struct curate_work *w)
{
    const struct phase *ph = &w->phases.v[w->phase];

    if (ph->kind == PHASE_PASS && ph->from == PHASE_SOURCES) {
        w->groups = w->args->input->groups;
        return ST_OK;
    }
    TRY(open_spools(a, w, ph->input));
    if (ph->kind == PHASE_ALL)
        return ST_OK;
    if (ph->verdict != SIZE_MAX)
        TRY(verdict_read(work_verdict_path(a, w, ph->verdict), w->spool, &w->verdict));
    w->groups = spool_files(w->spool);
    if (ph->from == PHASE_RANGES)
        w->groups = spool_bytes(w->spool) / (w->args->range_bytes + 1) + 1;
    return ST_OK;
}

static void end_phase(struct curate_work *w)
{
    spool_close(w->spool);
    w->spool = NULL;
    verdict_release(&w->verdict);
}

/* ---- phases ---- */

/* This rank's share of what is to be read, in the unit of its progress. */
static uint64_t own_bytes(const struct curate_work *w)
{
    const struct phase *ph = &w->phases.v[w->phase];
    uint64_t bytes = 0;

    if (ph->from == PHASE_SOURCES)
        return w->args->input->bytes / (uint64_t)w->ranks;
    if (ph->from == PHASE_RANGES)
        return spool_bytes(w->spool) / (uint64_t)w->ranks;
    for (size_t g = (size_t)w->rank; g < w->groups; g += (size_t)w->ranks)
        bytes += spool_file_bytes(w->spool, g);
    return bytes;
}

static enum status run_pass(struct curate_work *w)
{
    const struct phase *ph = &w->phases.v[w->phase];
    enum status st;

    progress_start(ph->from == PHASE_SOURCES ? "reading" : ph->final ? "writing" : "filtering", "bytes", own_bytes(w));
    st = lanes_of_phase(w);
    progress_end();
    return st;
}

static enum status run_all(struct arena *a, struct curate_work *w)
{
    json_t *record = NULL;
    enum status st = all_steps(w, &record);

    if (st == ST_OK)
        st = file_make_folders(phase_path(a, w, w->phase));
    if (st == ST_OK)
        st = verdict_write(work_verdict_path(a, w, w->phase), w->spool, &w->verdict);
    if (st == ST_OK)
        st = json_write_file(work_done_path(a, w, w->phase), record);
    json_decref(record);
    return st;
}

static enum status meet(const struct curate_work *w)
{
    return w->args->comm ? comm_barrier(w->args->comm) : ST_OK;
}

/* Spools that nobody will read again: a pass is done, and with it what it read. */
static enum status drop_spools(struct arena *a, const struct curate_work *w)
{
    const struct phase *ph = &w->phases.v[w->phase];
    struct spool_paths paths = { 0 };
    enum status st;

    if (ph->from == PHASE_SOURCES)
        return ST_OK;
    st = list_spools(a, w, ph->input, &paths);
    for (size_t i = 0; st == ST_OK && i < paths.count; i++)
        st = file_remove_tree(paths.v[i]);
    free(paths.v);
    return st;
}

/* Rank 0, when all ranks are done with a pass. */
static enum status settle_pass(struct arena *a, const struct curate_work *w)
{
    json_t *done = json_pack("{s:i, s:I}", "version", 1, "groups", (json_int_t)w->groups);
    enum status st = file_make_folders(phase_path(a, w, w->phase));

    if (st == ST_OK)
        st = json_write_file(work_done_path(a, w, w->phase), done);
    json_decref(done);
    return st == ST_OK ? drop_spools(a, w) : st;
}

static enum status do_phase(struct arena *a, struct curate_work *w)
{
    bool pass = w->phases.v[w->phase].kind == PHASE_PASS;

    if (pass || w->rank == 0)
        TRY(begin_phase(a, w));
    if (pass)
        TRY(run_pass(w));
    else if (w->rank == 0)
        TRY(run_all(a, w));
    TRY(meet(w));
    if (pass && w->rank == 0)
        TRY(settle_pass(a, w));
    return meet(w);
}

/* Whether a phase is done is what rank 0 sees. */
static enum status is_done(struct arena *a, const struct curate_work *w, bool *done)
{
    uint8_t told = file_exists(work_done_path(a, w, w->phase));

    if (w->args->comm)
        TRY(comm_broadcast(w->args->comm, &(struct comm_buffer){ .p = &told, .count = 1, .type = COMM_U8 }, 0));
    *done = told != 0;
    return ST_OK;
}

static enum status run_phases(struct curate_work *w)
{
    enum status st = ST_OK;
    struct arena a;

    arena_init(&a);
    for (w->phase = 0; st == ST_OK && w->phase < w->phases.count; w->phase++) {
        bool done = false;

        arena_reset(&a);
        st = is_done(&a, w, &done);
        if (st == ST_OK && !done)
            st = do_phase(&a, w);
        end_phase(w);
    }
    arena_release(&a);
    return st;
}

/* What would fail for sure, but after much work. */
static enum status check_groups(const struct curate_work *w)
{
    size_t groups = w->args->input->groups;

    if (w->phases.count == 1 || groups <= SPOOL_FILES_MAX)
        return ST_OK;
    return fail(ST_LIMIT, "the input makes %zu groups, want at most %d where steps look at all documents (dedup, shuffle); want a "
                          "larger --group-bytes", groups, SPOOL_FILES_MAX);
}

enum status curate_run(const struct curate_args *args, struct curate_result *out)
{
    struct curate_work w = { .args = args, .rank = args->comm ? comm_rank(args->comm) : 0,
                             .ranks = args->comm ? comm_size(args->comm) : 1 };
    struct arena a;
    enum status st;

    *out = (struct curate_result){ 0 };
    TRY(chain_load(args->chain));
    arena_init(&a);
    phases_make(&a, args->chain, args->keep_dropped, &w.phases);
    st = check_groups(&w);
    if (st == ST_OK)
        st = run_phases(&w);
    if (st == ST_OK && w.rank == 0)
        st = curate_finish(&w, out);
    arena_release(&a);
    chain_unload(args->chain);
    return st;
}

void curate_result_release(struct curate_result *r)
{
    report_free(r->report);
    json_decref(r->counts);
    *r = (struct curate_result){ 0 };
}
