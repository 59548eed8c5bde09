#include "base/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/platform.h"
#include "base/pool_part.h"

/* Looks at the job counter that a worker takes before it sleeps, and at the workers left that the
 * caller takes. Training calls the pool in bursts: to be woken by the kernel costs more
 * than most of its jobs. */
#define SPINS 2000

struct pool {
    int threads;                 /* with the caller */
    int spins;
    pthread_t *workers;          /* threads - 1 */
    pthread_mutex_t turn;        /* held by the caller whose job this is */

    pthread_mutex_t lock;        /* guards what follows */
    pthread_cond_t posted;       /* a new job, or quit */
    pthread_cond_t left;         /* inside became 0 */
    _Atomic uint64_t jobs;       /* jobs so far; read without the lock by a spinning worker */
    bool open;                   /* the newest job takes workers in */
    bool quit;
    _Atomic int inside;          /* workers in the job; the caller too reads it while it spins */
    void (*fn)(void *ctx, int worker);
    void *ctx;
};

struct worker {
    struct pool *pool;
    int number;
};

static _Thread_local bool in_job;   /* this thread runs a pool's item: it must not ask for more */

/* Waits for a job later than `last`; true with the lock held, inside counted. */
static bool join_job(struct pool *p, uint64_t *last)
{
    for (int i = 0; i < p->spins && atomic_load_explicit(&p->jobs, memory_order_acquire) == *last;
         i++)
        platform_pause();
    pthread_mutex_lock(&p->lock);
    for (;;) {
        uint64_t now = atomic_load_explicit(&p->jobs, memory_order_relaxed);

        if (p->quit)
            return false;
        if (now != *last) {
            *last = now;
            if (p->open)
                return true;
        }
        pthread_cond_wait(&p->posted, &p->lock);
    }
}

static void *worker_main(void *arg)
{
    struct worker w = *(struct worker *)arg;
    struct pool *p = w.pool;
    uint64_t last = 0;

    free(arg);
    in_job = true;
    while (join_job(p, &last)) {
        atomic_fetch_add(&p->inside, 1);
        pthread_mutex_unlock(&p->lock);
        p->fn(p->ctx, w.number);
        pthread_mutex_lock(&p->lock);
        if (atomic_fetch_sub(&p->inside, 1) == 1)
            pthread_cond_signal(&p->left);
        pthread_mutex_unlock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Signals belong to the main thread. Fewer threads than asked for give the same results. */
static void start_workers(struct pool *p, int threads)
{
    sigset_t all, before;
    int err = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (p->threads = 1; p->threads < threads && err == 0; p->threads += err == 0) {
        struct worker *w = mem_alloc(sizeof *w);

        *w = (struct worker){ p, p->threads };
        err = pthread_create(&p->workers[p->threads - 1], NULL, worker_main, w);
        if (err)
            free(w);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err)
        log_warn("running on %d threads of %d: %s", p->threads, threads, strerror(err));
}

struct pool *pool_new(int threads)
{
    struct pool *p = mem_alloc(sizeof *p);

    BUG_IF(threads < 0);
    if (threads == 0)
        threads = cpu_count();
    p->spins = threads <= cpu_count() ? SPINS : 0;
    p->workers = mem_array((size_t)threads, sizeof *p->workers);
    pthread_mutex_init(&p->turn, NULL);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->posted, NULL);
    pthread_cond_init(&p->left, NULL);
    start_workers(p, threads);
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->quit = true;
    pthread_cond_broadcast(&p->posted);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->threads - 1; i++)
        pthread_join(p->workers[i], NULL);
    pthread_cond_destroy(&p->posted);
    pthread_cond_destroy(&p->left);
    pthread_mutex_destroy(&p->lock);
    pthread_mutex_destroy(&p->turn);
    free(p->workers);
    free(p);
}

int pool_threads(const struct pool *p)
{
    return p->threads;
}

bool pool_inside(void) { return in_job; }

static void post(struct pool *p, size_t helpers, void (*fn)(void *ctx, int worker), void *ctx)
{
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->ctx = ctx;
    p->open = true;
    atomic_fetch_add_explicit(&p->jobs, 1, memory_order_release);
    if (helpers >= (size_t)p->threads - 1)
        pthread_cond_broadcast(&p->posted);
    else
        while (helpers-- > 0)
            pthread_cond_signal(&p->posted);
    pthread_mutex_unlock(&p->lock);
}

static void close_and_wait(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->open = false;
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->spins && atomic_load(&p->inside) > 0; i++)
        platform_pause();
    pthread_mutex_lock(&p->lock);
    while (atomic_load(&p->inside) > 0)
        pthread_cond_wait(&p->left, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

void pool_team(struct pool *p, size_t helpers, void (*fn)(void *ctx, int worker), void *ctx)
{
    BUG_IF(in_job);
    pthread_mutex_lock(&p->turn);
    in_job = true;
    if (p->threads > 1)
        post(p, helpers, fn, ctx);
    fn(ctx, 0);
    if (p->threads > 1)
        close_and_wait(p);
    in_job = false;
    pthread_mutex_unlock(&p->turn);
}

struct for_job {
    pool_fn *fn;
    void *ctx;
    _Atomic size_t next;      /* the next item nobody has taken */
    _Atomic size_t end;       /* n, or the lowest failed item: later ones are not begun */
    pthread_mutex_t lock;     /* guards failure */
    struct failure failure;   /* of item `end`, if that is less than n */
};

/* Items are taken in order, so when item k fails all below k have been taken, and run to their end:
 * the lowest failure is the same whatever the threads do. */
static void for_items(void *arg, int worker)
{
    struct for_job *job = arg;
    size_t item;

    while ((item = atomic_fetch_add(&job->next, 1)) < atomic_load(&job->end)) {
        enum status st = job->fn(job->ctx, item, worker);

        if (st == ST_OK)
            continue;
        pthread_mutex_lock(&job->lock);
        if (item < atomic_load(&job->end)) {
            atomic_store(&job->end, item);
            failure_save(&job->failure, st);
        }
        pthread_mutex_unlock(&job->lock);
    }
}

/* No second thread would help. */
static enum status for_alone(size_t n, pool_fn *fn, void *ctx)
{
    enum status st = ST_OK;

    BUG_IF(in_job);
    in_job = true;
    for (size_t i = 0; i < n && st == ST_OK; i++)
        st = fn(ctx, i, 0);
    in_job = false;
    return st;
}

enum status pool_for(struct pool *p, size_t n, pool_fn *fn, void *ctx)
{
    struct for_job job;

    if (n <= 1 || p->threads == 1)
        return for_alone(n, fn, ctx);
    job.fn = fn;
    job.ctx = ctx;
    atomic_init(&job.next, 0);
    atomic_init(&job.end, n);
    pthread_mutex_init(&job.lock, NULL);
    pool_team(p, n - 1, for_items, &job);
    pthread_mutex_destroy(&job.lock);
    return atomic_load(&job.end) < n ? failure_restore(&job.failure) : ST_OK;
}
