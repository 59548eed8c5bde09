/*
 * The stream half of base/pool.h.
 *
 * Items stand in a ring of in_flight slots and are known by their number:
 *
 *      head ........ started ........ tail          (numbers of items; head <= started <= tail)
 *      worked or     waiting for      not yet
 *      being worked  a worker         produced
 *
 * Who does what: the calling thread consumes, worker 1 produces (the caller if it is alone), and
 * each of them works when it has nothing else to do. A failure is kept in its item's slot, where
 * the consumer meets it after all earlier items: so the lowest one is reported, and what was
 * consumed before it is the same for any number of threads.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/pool_part.h"

struct slot {
    void *item;
    bool done;                   /* worked, or failed */
    struct failure *failure;
};

struct stream {
    const struct pool_stream *s;
    int producer;                /* its worker number */
    size_t size;                 /* slots */
    struct slot *ring;
    struct failure *failure;     /* the one to report */

    pthread_mutex_t lock;        /* guards what follows, and the slots' done and failure */
    pthread_cond_t consumer_may, producer_may, workers_may;
    size_t head, started, tail;
    size_t stop;                 /* the lowest failed item: later ones are not begun */
    bool ended;                  /* no more items come */
    bool over;                   /* all go home */
};

static struct slot *slot_of(struct stream *r, size_t number)
{
    return &r->ring[number % r->size];
}

static struct failure *saved(enum status st)
{
    struct failure *f = mem_alloc(sizeof *f);

    failure_save(f, st);
    return f;
}

/* Each of the three runs its callback without the lock and returns with it. */

static void produce(struct stream *r)
{
    void *item = NULL;
    struct failure *failure = NULL;
    enum status st;

    pthread_mutex_unlock(&r->lock);
    st = r->s->produce(r->s->ctx, &item);
    if (st != ST_OK) {
        failure = saved(st);
        item = NULL;
    }
    pthread_mutex_lock(&r->lock);

    if (failure && r->tail < r->stop)
        r->stop = r->tail;
    if (!item)
        r->ended = true;
    if (item || failure)
        *slot_of(r, r->tail++) = (struct slot){ item, failure != NULL, failure };
    pthread_cond_signal(&r->workers_may);
    pthread_cond_signal(&r->consumer_may);
}

static void work(struct stream *r, int worker)
{
    size_t number = r->started++;
    struct slot *slot = slot_of(r, number);
    struct failure *failure = NULL;
    enum status st;

    pthread_mutex_unlock(&r->lock);
    st = r->s->work(r->s->ctx, slot->item, worker);
    if (st != ST_OK)
        failure = saved(st);
    pthread_mutex_lock(&r->lock);

    slot->done = true;
    slot->failure = failure;
    if (failure) {
        r->ended = true;
        if (number < r->stop)
            r->stop = number;
    }
    if (number == r->head)
        pthread_cond_signal(&r->consumer_may);
}

static void go_home(struct stream *r, struct failure *failure)
{
    r->failure = failure;
    r->over = true;
    pthread_cond_broadcast(&r->workers_may);
    pthread_cond_broadcast(&r->producer_may);
}

static void consume(struct stream *r)
{
    struct slot *slot = slot_of(r, r->head);
    struct failure *failure = NULL;
    enum status st;

    if (slot->failure) {   /* the item stays, to be discarded */
        failure = slot->failure;
        slot->failure = NULL;
        go_home(r, failure);
        return;
    }
    pthread_mutex_unlock(&r->lock);
    st = r->s->consume(r->s->ctx, slot->item);
    if (st != ST_OK)
        failure = saved(st);
    pthread_mutex_lock(&r->lock);

    *slot = (struct slot){ 0 };
    r->head++;
    if (failure)
        go_home(r, failure);
    pthread_cond_signal(&r->producer_may);
}

static bool can_work(const struct stream *r)
{
    return r->started < r->tail && r->started < r->stop;
}

static bool can_produce(const struct stream *r)
{
    return !r->ended && r->tail - r->head < r->size;
}

static bool can_consume(struct stream *r)
{
    return r->head < r->tail && slot_of(r, r->head)->done;
}

/* Alone, one item goes all the way before the next one is produced. */
static void take_part(void *arg, int worker)
{
    struct stream *r = arg;
    bool consumes = worker == 0, produces = worker == r->producer;
    pthread_cond_t *may = consumes   ? &r->consumer_may
                          : produces ? &r->producer_may
                                     : &r->workers_may;

    pthread_mutex_lock(&r->lock);
    while (!r->over) {
        if (consumes && can_consume(r))
            consume(r);
        else if (produces && !consumes && can_produce(r))
            produce(r);
        else if (can_work(r))
            work(r, worker);
        else if (produces && can_produce(r))
            produce(r);
        else if (consumes && r->ended && r->head == r->tail)
            go_home(r, NULL);
        else
            pthread_cond_wait(may, &r->lock);
    }
    pthread_mutex_unlock(&r->lock);
}

/* After a failure: what was produced and is not consumed. All threads have left. */
static void discard_rest(struct stream *r)
{
    for (; r->head < r->tail; r->head++) {
        struct slot *slot = slot_of(r, r->head);

        if (slot->item && r->s->discard)
            r->s->discard(r->s->ctx, slot->item);
        free(slot->failure);
    }
}

enum status pool_ordered(struct pool *p, const struct pool_stream *s)
{
    struct stream r = { .s = s, .producer = pool_threads(p) > 1, .stop = SIZE_MAX };
    enum status st = ST_OK;

    r.size = s->in_flight ? s->in_flight : (size_t)pool_threads(p) * 4;
    r.ring = mem_array(r.size, sizeof *r.ring);
    pthread_mutex_init(&r.lock, NULL);
    pthread_cond_init(&r.consumer_may, NULL);
    pthread_cond_init(&r.producer_may, NULL);
    pthread_cond_init(&r.workers_may, NULL);
    pool_team(p, (size_t)pool_threads(p), take_part, &r);
    discard_rest(&r);
    if (r.failure)
        st = failure_restore(r.failure);
    pthread_cond_destroy(&r.workers_may);
    pthread_cond_destroy(&r.producer_may);
    pthread_cond_destroy(&r.consumer_may);
    pthread_mutex_destroy(&r.lock);
    free(r.failure);
    free(r.ring);
    return st;
}
