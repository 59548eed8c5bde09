/* A rank's groups of one pass, several at a time. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/lanes.h"
#include "curate/run/curate_work.h"

#define LANE_THREADS 4               /* about as many as one reader feeds */

static bool is_done(const struct curate_work *w, size_t group)
{
    struct arena a;
    bool done;

    arena_init(&a);
    done = file_exists(work_group_path(&a, w, w->phase, group));
    arena_release(&a);
    return done;
}

static enum status work_on_groups(struct curate_work *w, struct lane *l, struct lane_tools *tools)
{
    size_t group;

    while (lane_next(l, &group))
        if (!is_done(w, group))
            TRY(group_pass(w, tools, group));
    return ST_OK;
}

static enum status run_lane(void *ctx, struct lane *l)
{
    struct curate_work *w = ctx;
    const struct curate_args *args = w->args;
    bool reads = w->phases.v[w->phase].from == PHASE_SOURCES;
    struct lane_tools tools = { .pool = pool_new(lane_threads(l)) };
    int threads = pool_threads(tools.pool);
    enum status st = ST_OK;

    tools.works = mem_array((size_t)threads, sizeof *tools.works);
    if (reads)
        st = args->input->open(args->input->ctx, &tools.reader);
    if (st == ST_OK) {
        st = work_on_groups(w, l, &tools);
        if (reads)
            args->input->close(tools.reader);
    }
    for (int i = 0; i < threads; i++)
        step_work_release(args->chain, &tools.works[i]);
    free(tools.works);
    pool_free(tools.pool);
    return st;
}

enum status lanes_of_phase(struct curate_work *w)
{
    const struct lanes lanes = {
        .items = w->groups, .rank = w->rank, .ranks = w->ranks, .threads = w->args->threads, .lane_threads = LANE_THREADS,
        .over = &w->over, .run = run_lane, .ctx = w,
    };

    return lanes_run(&lanes);
}
