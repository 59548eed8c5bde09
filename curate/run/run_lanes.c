/* A rank's groups of one pass, several at a time. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/platform.h"
#include "curate/run/curate_work.h"

#define LANE_THREADS 4               /* about as many as one reader feeds */

struct lane {
    struct curate_work *work;
    _Atomic size_t *next;            /* the rank's next group */
    int threads;
    pthread_t thread;
    size_t group;                    /* in hand, or failed */
    enum status st;
    struct failure failure;
};

static bool is_done(const struct curate_work *w, size_t group)
{
    struct arena a;
    bool done;

    arena_init(&a);
    done = file_exists(work_group_path(&a, w, w->phase, group));
    arena_release(&a);
    return done;
}

static enum status work_on_groups(struct lane *l, struct lane_tools *tools)
{
    while (!l->work->over) {
        l->group = atomic_fetch_add(l->next, (size_t)l->work->ranks);
        if (l->group >= l->work->groups)
            break;
        if (!is_done(l->work, l->group))
            TRY(group_pass(l->work, tools, l->group));
    }
    return ST_OK;
}

static enum status run_lane(struct lane *l)
{
    const struct curate_args *args = l->work->args;
    bool reads = l->work->phases.v[l->work->phase].from == PHASE_SOURCES;
    struct lane_tools tools = { .pool = pool_new(l->threads) };
    int threads = pool_threads(tools.pool);
    enum status st = ST_OK;

    tools.works = mem_array((size_t)threads, sizeof *tools.works);
    if (reads)
        st = args->input->open(args->input->ctx, &tools.reader);
    if (st == ST_OK) {
        st = work_on_groups(l, &tools);
        if (reads)
            args->input->close(tools.reader);
    }
    for (int i = 0; i < threads; i++)
        step_work_release(args->chain, &tools.works[i]);
    free(tools.works);
    pool_free(tools.pool);
    return st;
}

static void *run(void *arg)
{
    struct lane *l = arg;
    bool given_way;

    l->st = run_lane(l);
    if (l->st == ST_OK)
        return NULL;
    given_way = atomic_exchange(&l->work->over, true) && l->st == ST_INTERRUPTED;
    failure_save(&l->failure, l->st);
    if (given_way)
        l->group = SIZE_MAX;         /* another one's failure is told */
    return NULL;
}

static void start(struct lane *l)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    BUG_IF(pthread_create(&l->thread, NULL, run, l) != 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static enum status first_failure(const struct lane *lanes, int count)
{
    const struct lane *first = NULL;

    for (int i = 0; i < count; i++)
        if (lanes[i].st != ST_OK && (first == NULL || lanes[i].group < first->group))
            first = &lanes[i];
    return first ? failure_restore(&first->failure) : ST_OK;
}

/* How many groups of the phase are this rank's. */
static size_t own_groups(const struct curate_work *w)
{
    size_t rank = (size_t)w->rank, ranks = (size_t)w->ranks;

    return rank < w->groups ? (w->groups - rank - 1) / ranks + 1 : 0;
}

enum status lanes_of_phase(struct curate_work *w)
{
    int threads = w->args->threads > 0 ? w->args->threads : cpu_count();
    size_t own = own_groups(w), most = (size_t)(threads + LANE_THREADS - 1) / LANE_THREADS;
    int count = (int)(own < most ? own : most);
    _Atomic size_t next = (size_t)w->rank;
    struct lane *lanes;
    enum status st;

    if (count == 0)
        return ST_OK;
    lanes = mem_array((size_t)count, sizeof *lanes);
    for (int i = 0; i < count; i++)
        lanes[i] = (struct lane){ .work = w, .next = &next, .threads = threads / count + (i < threads % count) };
    for (int i = 1; i < count; i++)
        start(&lanes[i]);
    run(&lanes[0]);
    for (int i = 1; i < count; i++)
        BUG_IF(pthread_join(lanes[i].thread, NULL) != 0);
    st = first_failure(lanes, count);
    free(lanes);
    return st;
}
