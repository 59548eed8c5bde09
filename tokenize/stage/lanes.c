/* A rank's groups, several at a time. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/platform.h"
#include "tokenize/stage/group_work.h"

#define LANE_THREADS 8               /* about as many encoders as one reader feeds */

struct lane {
    struct tokenize_work *work;
    _Atomic size_t *next;            /* the rank's next group */
    int threads;
    pthread_t thread;
    size_t group;                    /* in hand, or failed */
    enum status st;
    struct failure failure;
};

int lanes_count(int threads, size_t groups)
{
    size_t most = (size_t)(threads + LANE_THREADS - 1) / LANE_THREADS;

    return (int)(groups < most ? groups : most);
}

static enum status encode_groups(struct lane *l)
{
    struct sealer sealer = { 0 };
    struct group_args args = { .work = l->work, .sealer = &sealer, .pool = pool_new(l->threads) };
    enum status st = ST_OK, sealed;

    while (st == ST_OK && !l->work->over) {
        args.group = atomic_fetch_add(l->next, (size_t)l->work->ranks);
        if (args.group >= l->work->groups.count)
            break;
        l->group = args.group;
        st = group_encode(&args);
    }
    sealed = sealer_wait(&sealer);   /* nothing is there to wait for after a failure */
    sealer_release(&sealer);
    pool_free(args.pool);
    return st == ST_OK ? sealed : st;
}

static void *run(void *arg)
{
    struct lane *l = arg;
    bool given_way;

    l->st = encode_groups(l);
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

/* How many of the groups are this rank's. */
static size_t own_groups(const struct tokenize_work *w)
{
    size_t rank = (size_t)w->rank, ranks = (size_t)w->ranks;

    return rank < w->groups.count ? (w->groups.count - rank - 1) / ranks + 1 : 0;
}

enum status lanes_run(struct tokenize_work *w)
{
    int threads = w->o->threads > 0 ? (int)w->o->threads : cpu_count();
    int count = lanes_count(threads, own_groups(w));
    struct lane *lanes;
    _Atomic size_t next = (size_t)w->rank;
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
