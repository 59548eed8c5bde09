#include "base/lanes.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/platform.h"

struct lane {
    const struct lanes *all;
    _Atomic size_t *next;            /* the rank's next item */
    int threads;
    pthread_t thread;
    size_t item;                     /* in hand, or failed */
    enum status st;
    struct failure failure;
};

bool lane_next(struct lane *l, size_t *item)
{
    size_t next;

    if (*l->all->over)
        return false;
    next = atomic_fetch_add(l->next, (size_t)l->all->ranks);
    if (next >= l->all->items)
        return false;
    *item = l->item = next;
    return true;
}

int lane_threads(const struct lane *l) { return l->threads; }

int lanes_count(int threads, int lane_threads, size_t items)
{
    size_t most = (size_t)(threads + lane_threads - 1) / (size_t)lane_threads;

    return (int)(items < most ? items : most);
}

static void *run(void *arg)
{
    struct lane *l = arg;
    bool given_way;

    l->st = l->all->run(l->all->ctx, l);
    if (l->st == ST_OK)
        return NULL;
    given_way = atomic_exchange(l->all->over, true) && l->st == ST_INTERRUPTED;
    failure_save(&l->failure, l->st);
    if (given_way)
        l->item = SIZE_MAX;          /* another one's failure is told */
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
        if (lanes[i].st != ST_OK && (first == NULL || lanes[i].item < first->item))
            first = &lanes[i];
    return first ? failure_restore(&first->failure) : ST_OK;
}

/* How many of the items are this rank's. */
static size_t own_items(const struct lanes *l)
{
    size_t rank = (size_t)l->rank, ranks = (size_t)l->ranks;

    return rank < l->items ? (l->items - rank - 1) / ranks + 1 : 0;
}

enum status lanes_run(const struct lanes *all)
{
    int threads = all->threads > 0 ? all->threads : cpu_count();
    int count = lanes_count(threads, all->lane_threads, own_items(all));
    _Atomic size_t next = (size_t)all->rank;
    struct lane *lanes;
    enum status st;

    if (count == 0)
        return ST_OK;
    lanes = mem_array((size_t)count, sizeof *lanes);
    for (int i = 0; i < count; i++)
        lanes[i] = (struct lane){ .all = all, .next = &next, .threads = threads / count + (i < threads % count) };
    for (int i = 1; i < count; i++)
        start(&lanes[i]);
    run(&lanes[0]);
    for (int i = 1; i < count; i++)
        BUG_IF(pthread_join(lanes[i].thread, NULL) != 0);
    st = first_failure(lanes, count);
    free(lanes);
    return st;
}
