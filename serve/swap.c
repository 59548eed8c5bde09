#include "serve/swap.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/bench.h"
#include "base/log.h"
#include "base/platform.h"
#include "base/stop.h"
#include "serve/metrics.h"

/* Where the path leads. A folder that took another's name is another one. */
struct place {
    char *folder; /* NULL: nowhere */
    dev_t device;
    ino_t inode;
};

struct swap {
    struct swap_args args;
    pthread_t thread;
    bool started;

    /* the swap's own thread alone */
    struct place in_use; /* the current model's */
    struct place before; /* the retired one's */
    struct place seen;   /* at the last look that was acted on */
    bool lost;           /* the path led nowhere; that was told */

    pthread_mutex_t lock; /* guards what follows, and the holders of both models */
    pthread_cond_t wake;
    struct served *current, *retired; /* retired: others took its place, some still use it */
    struct engine_state gone;         /* sums of what was closed */
    bool quit, asked;
};

/* ---- places ---- */

static enum status place_find(const char *path, struct place *out)
{
    struct stat st;

    *out = (struct place){ .folder = realpath(path, NULL) };
    if (out->folder == NULL)
        return fail_errno(ST_MISSING, "there is no model folder '%s'", path);
    if (stat(out->folder, &st) != 0) {
        free(out->folder);
        out->folder = NULL;
        return fail_errno(ST_MISSING, "there is no model folder '%s'", path);
    }
    out->device = st.st_dev;
    out->inode = st.st_ino;
    return ST_OK;
}

static bool place_same(const struct place *a, const struct place *b)
{
    return a->folder != NULL && b->folder != NULL && strcmp(a->folder, b->folder) == 0 &&
           a->device == b->device && a->inode == b->inode;
}

static void place_set(struct place *to, const struct place *from)
{
    free(to->folder);
    *to = *from;
    to->folder = from->folder == NULL ? NULL : mem_strdup(from->folder);
}

/* ---- lending ---- */

void *swap_lend(void *arg)
{
    struct swap *sw = arg;
    struct served *s;

    pthread_mutex_lock(&sw->lock);
    s = sw->current;
    s->holders++;
    pthread_mutex_unlock(&sw->lock);
    return &s->api;
}

void swap_give_back(void *api) { api_release(api); }

void api_hold(const struct api *a)
{
    if (a->served == NULL)
        return;
    pthread_mutex_lock(&a->served->swap->lock);
    a->served->holders++;
    pthread_mutex_unlock(&a->served->swap->lock);
}

void api_release(const struct api *a)
{
    struct swap *sw = a->served == NULL ? NULL : a->served->swap;

    if (sw == NULL)
        return;
    pthread_mutex_lock(&sw->lock);
    if (--a->served->holders == 0 && a->served == sw->retired)
        pthread_cond_signal(&sw->wake);
    pthread_mutex_unlock(&sw->lock);
}

/* ---- sums ---- */

static void add_done(struct engine_state *to, const struct engine_state *e)
{
    to->prompt_tokens += e->prompt_tokens;
    to->written_tokens += e->written_tokens;
    to->steps += e->steps;
    to->busy_seconds += e->busy_seconds;
}

static void add_all(struct engine_state *to, const struct served *s)
{
    struct engine_state e = { 0 };

    if (s != NULL)
        e = served_state(s);
    add_done(to, &e);
    to->running += e.running;
    to->waiting += e.waiting;
    to->pages += e.pages;
    to->pages_used += e.pages_used;
}

struct engine_state swap_state(struct swap *sw)
{
    struct engine_state sum;

    pthread_mutex_lock(&sw->lock);
    sum = sw->gone;
    add_all(&sum, sw->current);
    add_all(&sum, sw->retired);
    pthread_mutex_unlock(&sw->lock);
    return sum;
}

/* ---- one swap ---- */

static const char *version_of(const struct served *s) { return path_base(s->api.folder); }

/* From here on requests get s, which took so many seconds to open. */
static void put_in_place(struct swap *sw, struct served *s, double seconds)
{
    struct place in_use = sw->in_use;
    int64_t left;

    sw->in_use = sw->before;
    sw->before = in_use;
    pthread_mutex_lock(&sw->lock);
    sw->retired = sw->current;
    sw->current = s;
    left = sw->retired->holders;
    pthread_mutex_unlock(&sw->lock);
    metric_add(METRIC_model_swaps_total, 1);
    metric_set(METRIC_model_swap_seconds, seconds);
    log_info("model '%s' is '%s' (%s) now, opened in %.2f s; '%s' finishes %lld requests",
             s->api.name, version_of(s), s->api.fingerprint, seconds, version_of(sw->retired),
             (long long)left);
}

static void change_to(struct swap *sw, const struct place *now)
{
    struct served *s;
    enum status st;

    log_info("'%s' leads to '%s' now: opening the model there", sw->args.path, now->folder);
    st = served_open(now->folder, &sw->args.served, &s);
    if (st == ST_OK) {
        s->swap = sw;
        place_set(&sw->before, now);
        put_in_place(sw, s, s->seconds);
    } else if (st != ST_INTERRUPTED) {
        metric_add(METRIC_model_swap_failures_total, 1);
        log_error("the model in '%s' is not taken: %s; '%s' goes on serving", now->folder,
                  fail_message(), sw->in_use.folder);
        platform_trim();
    }
}

/* The path leads nowhere: perhaps somebody is about to put it back. */
static void tell_lost(struct swap *sw)
{
    if (!sw->lost)
        log_warn("%s; '%s' goes on serving", fail_message(), sw->in_use.folder);
    sw->lost = true;
    place_set(&sw->seen, &(struct place){ 0 });
}

static void look_at(struct swap *sw, const struct place *now, bool asked)
{
    bool known = place_same(now, &sw->seen);

    place_set(&sw->seen, now);
    if (place_same(now, &sw->in_use)) {
        if (asked)
            log_info("'%s' still leads to '%s'", sw->args.path, now->folder);
    } else if (sw->retired != NULL && place_same(now, &sw->before)) {
        put_in_place(sw, sw->retired, 0); /* it still is open: the way back takes no time */
    } else if (sw->retired != NULL) {
        place_set(&sw->seen, &(struct place){ 0 }); /* a third one, later */
    } else if (asked || !known) {
        change_to(sw, now);
    }
}

static void look(struct swap *sw, bool asked)
{
    struct place now;

    if (place_find(sw->args.path, &now) != ST_OK) {
        tell_lost(sw);
        return;
    }
    sw->lost = false;
    look_at(sw, &now, asked);
    free(now.folder);
}

/* ---- the thread ---- */

/* The retired model, if nobody uses it any more; else NULL. The lock is held. */
static struct served *take_unused(struct swap *sw)
{
    struct served *s = sw->retired;
    struct engine_state e;

    if (s == NULL || s->holders > 0)
        return NULL;
    e = served_state(s);
    add_done(&sw->gone, &e);
    sw->retired = NULL;
    return s;
}

static struct timespec next_look(const struct swap *sw)
{
    struct timespec at;
    double end;

    clock_gettime(CLOCK_MONOTONIC, &at);
    end = (double)at.tv_sec + (double)at.tv_nsec * 1e-9 + sw->args.period;
    at.tv_sec = (time_t)end;
    at.tv_nsec = (long)((end - (double)at.tv_sec) * 1e9);
    return at;
}

/* Waits until it is time to look. False: the end. *unused: a model to close before; *asked:
 * somebody wants what failed to be tried again. */
static bool wait_turn(struct swap *sw, struct served **unused, bool *asked)
{
    struct timespec at = next_look(sw);
    int error = 0;
    bool quit;

    *unused = NULL;
    pthread_mutex_lock(&sw->lock);
    while (!sw->quit && !sw->asked && error != ETIMEDOUT && (*unused = take_unused(sw)) == NULL)
        error = pthread_cond_timedwait(&sw->wake, &sw->lock, &at);
    *asked = sw->asked;
    sw->asked = false;
    quit = sw->quit;
    pthread_mutex_unlock(&sw->lock);
    return !quit;
}

static void close_unused(struct served *s)
{
    char version[64];

    snprintf(version, sizeof version, "%s", version_of(s));
    served_close(s);
    platform_trim(); /* else the parts of a model that are of middling size stay */
    log_info("'%s' has finished, and is closed", version);
}

static void *swap_main(void *arg)
{
    struct swap *sw = arg;
    struct served *unused;
    bool asked;

    while (wait_turn(sw, &unused, &asked)) {
        if (unused != NULL)
            close_unused(unused);
        if (!stop_requested())
            look(sw, asked);
    }
    return NULL;
}

/* ---- life ---- */

/* Signals are the main thread's. */
static enum status start(struct swap *sw)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    BUG_IF(pthread_sigmask(SIG_SETMASK, &all, &before) != 0);
    error = pthread_create(&sw->thread, NULL, swap_main, sw);
    BUG_IF(pthread_sigmask(SIG_SETMASK, &before, NULL) != 0);
    sw->started = error == 0;
    return sw->started ? ST_OK : fail(ST_FAILED, "cannot start a thread: %s", strerror(error));
}

static enum status open_first(struct swap *sw)
{
    TRY(place_find(sw->args.path, &sw->in_use));
    place_set(&sw->seen, &sw->in_use);
    TRY(served_open(sw->in_use.folder, &sw->args.served, &sw->current));
    sw->current->swap = sw;
    return sw->args.follow ? start(sw) : ST_OK;
}

static void make_wake(struct swap *sw)
{
    pthread_condattr_t steady;

    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&sw->wake, &steady);
    pthread_condattr_destroy(&steady);
}

enum status swap_open(const struct swap_args *args, struct swap **out)
{
    struct swap *sw = mem_alloc(sizeof *sw);
    struct failure failure;
    enum status st;

    sw->args = *args;
    pthread_mutex_init(&sw->lock, NULL);
    make_wake(sw);
    st = open_first(sw);
    if (st != ST_OK) {
        failure_save(&failure, st);
        swap_free(sw);
        return failure_restore(&failure);
    }
    *out = sw;
    return ST_OK;
}

void swap_look(struct swap *sw)
{
    pthread_mutex_lock(&sw->lock);
    sw->asked = true;
    pthread_cond_signal(&sw->wake);
    pthread_mutex_unlock(&sw->lock);
}

void swap_stop(struct swap *sw)
{
    if (sw == NULL)
        return;
    pthread_mutex_lock(&sw->lock);
    sw->quit = true;
    pthread_cond_signal(&sw->wake);
    pthread_mutex_unlock(&sw->lock);
    if (sw->started)
        pthread_join(sw->thread, NULL);
    sw->started = false;
    if (sw->current != NULL)
        engine_stop(sw->current->loaded.engine);
    if (sw->retired != NULL)
        engine_stop(sw->retired->loaded.engine);
}

void swap_free(struct swap *sw)
{
    if (sw == NULL)
        return;
    swap_stop(sw);
    BUG_IF(sw->current != NULL && sw->current->holders != 0);
    BUG_IF(sw->retired != NULL && sw->retired->holders != 0);
    served_close(sw->current);
    served_close(sw->retired);
    free(sw->in_use.folder);
    free(sw->before.folder);
    free(sw->seen.folder);
    pthread_mutex_destroy(&sw->lock);
    pthread_cond_destroy(&sw->wake);
    free(sw);
}
