#include "serve/engine.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/arena.h"
#include "base/bench.h"
#include "serve/sequence.h"

/* A row of the step under way, whose logits were asked for. */
struct wanted_row {
    struct sequence *s;
    int64_t position;
    struct drawn drawn;
};

struct engine {
    struct model *model;
    struct stream *stream;
    struct pool *pool;
    struct kv_cache *cache;
    int64_t sequences, pages, step_rows, max_wanted, most_waiting;
    pthread_t thread;
    bool started;

    /* the engine's thread alone */
    struct sequence **slots; /* [sequences] */
    struct sequence **order; /* those that run, in the order of admission */
    int64_t running;
    struct decode_row *rows; /* [step_rows] */
    int64_t row_count;
    struct wanted_row *wanted; /* [max_wanted], in the order of rows */
    int64_t wanted_count;
    float *logits;   /* [max_wanted, V] */
    float **scratch; /* a worker: [V] */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    struct sequence *first, **last; /* the queue */
    uint64_t tickets;
    bool quit;
    struct engine_state state;
};

static int64_t vocab_of(const struct engine *e) { return model_config_of(e->model)->vocab; }

/* ---- the queue ---- */

static void set_counts(struct engine *e)
{
    e->state.running = e->running;
    e->state.pages_used = e->pages - kv_cache_free_pages(e->cache);
}

/* What a sequence keeps in the cache: its last token never goes there. */
static int64_t cached_length(const struct sequence_args *a)
{
    return a->prompt_count + (a->max_tokens > 0 ? a->max_tokens - 1 : 0);
}

static enum status check(const struct engine *e, const struct sequence_args *a)
{
    int64_t context = model_config_of(e->model)->context, length = cached_length(a);

    BUG_IF(a->prompt_count < 1 || a->max_tokens < 0 || a->logprobs > ENGINE_TOP);
    if (length > context)
        return fail(ST_LIMIT,
                    "%lld tokens of prompt and %lld to write: the model's context is %lld tokens",
                    (long long)a->prompt_count, (long long)a->max_tokens, (long long)context);
    if (length > e->pages * KV_PAGE_TOKENS)
        return fail(ST_LIMIT, "%lld tokens: the key-value cache has room for %lld",
                    (long long)length, (long long)(e->pages * KV_PAGE_TOKENS));
    return ST_OK;
}

enum status engine_submit(struct engine *e, const struct sequence_args *args, uint64_t *ticket)
{
    struct sequence *s;

    TRY(check(e, args));
    s = sequence_new(args);
    pthread_mutex_lock(&e->lock);
    if (e->quit || e->state.waiting >= e->most_waiting) {
        bool quit = e->quit;

        pthread_mutex_unlock(&e->lock);
        sequence_free(s);
        if (quit)
            return fail(ST_AGAIN, "the server is about to stop: try another, or later");
        return fail(ST_AGAIN, "%lld requests are waiting already: try again later",
                    (long long)e->most_waiting);
    }
    *ticket = s->ticket = ++e->tickets;
    *e->last = s;
    e->last = &s->next;
    e->state.waiting++;
    pthread_cond_signal(&e->wake);
    pthread_mutex_unlock(&e->lock);
    return ST_OK;
}

/* Slots are read under the lock: the engine's thread fills and empties them under it. */
void engine_cancel(struct engine *e, uint64_t ticket)
{
    pthread_mutex_lock(&e->lock);
    for (struct sequence *s = e->first; s != NULL; s = s->next)
        if (s->ticket == ticket)
            atomic_store(&s->cancelled, true);
    for (int64_t i = 0; i < e->sequences; i++)
        if (e->slots[i] != NULL && e->slots[i]->ticket == ticket)
            atomic_store(&e->slots[i]->cancelled, true);
    pthread_cond_signal(&e->wake);
    pthread_mutex_unlock(&e->lock);
}

struct engine_state engine_state(struct engine *e)
{
    struct engine_state out;

    pthread_mutex_lock(&e->lock);
    out = e->state;
    pthread_mutex_unlock(&e->lock);
    return out;
}

const struct model *engine_model(const struct engine *e) { return e->model; }

/* Takes the first of the queue that was cancelled out of it; NULL: there is none. */
static struct sequence *take_cancelled(struct engine *e)
{
    struct sequence **at = &e->first, *s;

    while (*at != NULL && !atomic_load(&(*at)->cancelled) && !e->quit)
        at = &(*at)->next;
    s = *at;
    if (s == NULL)
        return NULL;
    *at = s->next;
    if (s->next == NULL)
        e->last = at;
    e->state.waiting--;
    return s;
}

static int32_t free_slot(const struct engine *e)
{
    for (int64_t i = 0; i < e->sequences; i++)
        if (e->slots[i] == NULL)
            return (int32_t)i;
    return -1;
}

/* Takes the first of the queue in, if there is a slot and pages for all of it. */
static bool admit(struct engine *e)
{
    struct sequence *s = e->first;
    int64_t need = s == NULL ? 0 : (cached_length(&s->args) + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS;
    int32_t slot = free_slot(e);

    if (s == NULL || slot < 0 || need > kv_cache_free_pages(e->cache))
        return false;
    BUG_IF(kv_cache_reserve(e->cache, slot, cached_length(&s->args)) != ST_OK);
    e->first = s->next;
    if (e->first == NULL)
        e->last = &e->first;
    e->state.waiting--;
    sequence_begin(s, vocab_of(e));
    s->slot = slot;
    s->next = NULL;
    e->slots[slot] = s;
    e->order[e->running++] = s;
    return true;
}

/* ---- ends ---- */

static void finish(struct sequence *s, enum engine_end end)
{
    s->args.on_end(s->args.ctx, end);
    sequence_free(s);
}

/* Frees the slot of order[at], then tells the end: a callback may ask for the state. */
static void leave(struct engine *e, int64_t at, enum engine_end end)
{
    struct sequence *s = e->order[at];

    pthread_mutex_lock(&e->lock);
    kv_cache_drop(e->cache, s->slot);
    e->slots[s->slot] = NULL;
    memmove(e->order + at, e->order + at + 1, (size_t)(e->running - at - 1) * sizeof *e->order);
    e->running--;
    set_counts(e);
    pthread_mutex_unlock(&e->lock);
    finish(s, end);
}

/* Where it stands in the order; -1: it does not run any more. */
static int64_t place_of(const struct engine *e, const struct sequence *s)
{
    for (int64_t i = 0; i < e->running; i++)
        if (e->order[i] == s)
            return i;
    return -1;
}

static void drop_cancelled(struct engine *e)
{
    for (int64_t i = e->running - 1; i >= 0; i--)
        if (atomic_load(&e->order[i]->cancelled))
            leave(e, i, END_CANCELLED);
}

/* ---- one step ---- */

/* As many rows of a sequence as there is room for, from the first that is not in the cache on. */
static void add_rows(struct engine *e, struct sequence *s)
{
    while (s->read < s->count && e->row_count < e->step_rows) {
        bool want = sequence_wants(s, s->read);

        if (want && e->wanted_count == e->max_wanted)
            return;
        if (want)
            e->wanted[e->wanted_count++] = (struct wanted_row){ .s = s, .position = s->read };
        e->rows[e->row_count++] =
            (struct decode_row){ s->slot, (int32_t)s->read, s->tokens[s->read], want };
        s->read++;
    }
}

static bool writes(const struct sequence *s) { return s->count > s->args.prompt_count; }

/* Those that write come first, one token each; prompts fill the rest, the oldest first. */
static void gather_rows(struct engine *e)
{
    e->row_count = e->wanted_count = 0;
    for (int64_t i = 0; i < e->running; i++)
        if (writes(e->order[i]))
            add_rows(e, e->order[i]);
    for (int64_t i = 0; i < e->running; i++)
        if (!writes(e->order[i]))
            add_rows(e, e->order[i]);
}

static enum status draw(void *ctx, size_t item, int worker)
{
    struct engine *e = ctx;
    struct wanted_row *w = &e->wanted[item];

    sequence_draw(w->s, w->position, e->logits + (int64_t)item * vocab_of(e), e->scratch[worker],
                  vocab_of(e), &w->drawn);
    return ST_OK;
}

/* The first token of a prompt whose tokens are told has nothing before it. */
static bool tell_first(struct sequence *s)
{
    bool go_on = true;

    if (s->args.prompt_logprobs && s->told == 0) {
        go_on = s->args.on_token(s->args.ctx,
                                 &(struct engine_token){ .id = s->tokens[0], .of_prompt = true });
        s->told = 1;
    }
    return go_on;
}

/* Hands on what a row gave; the sequence may be gone afterwards. */
static void hand_on(struct engine *e, const struct wanted_row *w)
{
    int32_t end_of_text = (int32_t)model_config_of(e->model)->end_of_text;
    enum engine_end end = END_STOP;
    struct sequence *s = w->s;
    bool go_on;

    if (!w->drawn.finite) {
        fail(ST_FAILED, "the model's logits are not finite: its weights are damaged, or the "
                        "training went astray");
        leave(e, place_of(e, s), END_FAILED);
        return;
    }
    go_on = tell_first(s);
    if (go_on && w->position + 1 < s->args.prompt_count) {
        go_on = sequence_tell_prompt(s, w->position, &w->drawn);
        if (go_on && s->args.max_tokens == 0 && s->told == s->args.prompt_count) {
            end = END_LENGTH;
            go_on = false;
        }
    } else if (go_on) {
        go_on = sequence_take(s, &w->drawn, end_of_text, &end);
    }
    if (!go_on)
        leave(e, place_of(e, s), end);
}

static void count_step(struct engine *e, double seconds)
{
    pthread_mutex_lock(&e->lock);
    e->state.steps++;
    e->state.busy_seconds += seconds;
    for (int64_t i = 0; i < e->row_count; i++)
        e->state.prompt_tokens +=
            e->rows[i].position < e->slots[e->rows[i].sequence]->args.prompt_count;
    for (int64_t i = 0; i < e->wanted_count; i++)
        e->state.written_tokens += e->wanted[i].position + 1 >= e->wanted[i].s->args.prompt_count;
    set_counts(e);
    pthread_mutex_unlock(&e->lock);
}

/* Prompts of which nothing is asked: no token to write, no logprob to tell. */
static void end_idle(struct engine *e)
{
    for (int64_t i = e->running - 1; i >= 0; i--) {
        struct sequence *s = e->order[i];
        bool nothing =
            s->args.max_tokens == 0 && (!s->args.prompt_logprobs || s->args.prompt_count == 1);

        if (nothing) {
            tell_first(s);
            leave(e, i, END_LENGTH);
        }
    }
}

static void step(struct engine *e)
{
    double start = bench_now();
    enum status st;

    gather_rows(e);
    if (e->row_count == 0)
        return;
    st = decode_step(e->cache, e->rows, e->row_count, e->logits);
    if (st == ST_OK && e->wanted_count > 0)
        st = pool_for(e->pool, (size_t)e->wanted_count, draw, e);
    if (st != ST_OK) {
        while (e->running > 0)
            leave(e, e->running - 1, END_FAILED);
        return;
    }
    count_step(e, bench_now() - start);
    for (int64_t i = 0; i < e->wanted_count; i++)
        if (place_of(e, e->wanted[i].s) >= 0)
            hand_on(e, &e->wanted[i]);
}

/* Waits for work; ends those of the queue that were cancelled, takes in those that fit. False:
 * quit. */
static bool next_work(struct engine *e)
{
    struct sequence *gone;
    bool quit;

    pthread_mutex_lock(&e->lock);
    while (!e->quit && e->running == 0 && e->first == NULL)
        pthread_cond_wait(&e->wake, &e->lock);
    while ((gone = take_cancelled(e)) != NULL) {
        pthread_mutex_unlock(&e->lock);
        finish(gone, END_CANCELLED);
        pthread_mutex_lock(&e->lock);
    }
    while (admit(e))
        ;
    set_counts(e);
    quit = e->quit;
    pthread_mutex_unlock(&e->lock);
    return !quit;
}

static void *engine_main(void *arg)
{
    struct engine *e = arg;

    while (next_work(e)) {
        drop_cancelled(e);
        end_idle(e);
        step(e);
    }
    while (e->running > 0)
        leave(e, e->running - 1, END_CANCELLED);
    return NULL;
}

/* ---- life ---- */

static enum status open_cache(struct engine *e, const struct engine_args *args)
{
    const struct model_config *c = model_config_of(e->model);
    int64_t whole = (c->context + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS;
    int64_t fits = (int64_t)(args->cache_bytes / kv_page_bytes(e->model));

    e->pages = fits < whole ? whole : fits;
    if (e->pages > whole * e->sequences)
        e->pages = whole * e->sequences;
    e->state.pages = e->pages;
    return kv_cache_new(&(struct kv_cache_args){ .model = e->model,
                                                 .stream = e->stream,
                                                 .pool = e->pool,
                                                 .sequences = e->sequences,
                                                 .pages = e->pages,
                                                 .max_rows = e->step_rows,
                                                 .max_wanted = e->max_wanted },
                        &e->cache);
}

static void make_room(struct engine *e)
{
    size_t vocab = (size_t)vocab_of(e);

    e->slots = mem_array((size_t)e->sequences, sizeof *e->slots);
    e->order = mem_array((size_t)e->sequences, sizeof *e->order);
    e->rows = mem_array((size_t)e->step_rows, sizeof *e->rows);
    e->wanted = mem_array((size_t)e->max_wanted, sizeof *e->wanted);
    e->logits = mem_array((size_t)e->max_wanted * vocab, sizeof *e->logits);
    e->scratch = mem_array((size_t)pool_threads(e->pool), sizeof *e->scratch);
    for (int i = 0; i < pool_threads(e->pool); i++)
        e->scratch[i] = mem_array(vocab, sizeof **e->scratch);
}

/* Signals are the main thread's. */
static enum status start(struct engine *e)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    BUG_IF(pthread_sigmask(SIG_SETMASK, &all, &before) != 0);
    error = pthread_create(&e->thread, NULL, engine_main, e);
    BUG_IF(pthread_sigmask(SIG_SETMASK, &before, NULL) != 0);
    e->started = error == 0;
    return e->started ? ST_OK : fail(ST_FAILED, "cannot start a thread: %s", strerror(error));
}

static enum status open_all(struct engine *e, const struct engine_args *args)
{
    TRY(stream_open(model_device(e->model), &e->stream));
    TRY(open_cache(e, args));
    make_room(e);
    return start(e);
}

enum status engine_new(const struct engine_args *args, struct engine **out)
{
    struct engine *e = mem_alloc(sizeof *e);
    int64_t most = args->sequences < 64 ? 64 : args->sequences;
    enum status st;

    e->model = args->model;
    e->sequences = args->sequences;
    e->step_rows = args->step_rows > args->sequences ? args->step_rows : args->sequences;
    e->max_wanted = most < e->step_rows ? most : e->step_rows; /* logits are large */
    e->most_waiting = args->waiting;
    e->last = &e->first;
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->wake, NULL);
    e->pool = pool_new(args->threads);
    st = open_all(e, args);
    if (st != ST_OK) {
        engine_free(e);
        return st;
    }
    *out = e;
    return ST_OK;
}

void engine_stop(struct engine *e)
{
    pthread_mutex_lock(&e->lock);
    e->quit = true;
    pthread_cond_signal(&e->wake);
    pthread_mutex_unlock(&e->lock);
    if (e->started)
        pthread_join(e->thread, NULL);
    e->started = false;
}

void engine_free(struct engine *e)
{
    if (e == NULL)
        return;
    engine_stop(e);
    for (int i = 0; e->scratch != NULL && i < pool_threads(e->pool); i++)
        free(e->scratch[i]);
    kv_cache_free(e->cache);
    if (e->stream != NULL)
        stream_close(e->stream);
    pool_free(e->pool);
    free(e->scratch);
    free(e->slots);
    free(e->order);
    free(e->rows);
    free(e->wanted);
    free(e->logits);
    pthread_mutex_destroy(&e->lock);
    pthread_cond_destroy(&e->wake);
    free(e);
}
