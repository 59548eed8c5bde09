#include "evaluate/score.h"

#include "base/arena.h"
#include "base/progress.h"
#include "base/stop.h"

enum { UNIT_WINDOWS = 8 }; /* windows of one forward pass */

struct scorer {
    const struct score_args *args;
    int64_t windows;
    struct stream **streams; /* one a thread, with its pass */
    struct pass **passes;
    int32_t **tokens, **targets; /* [UNIT_WINDOWS * T] */
    float **losses;
    float *nats;
};

/* The first token that window w sees as a target, and the first that it scores. */
static int64_t window_start(const struct score_args *a, int64_t w) { return w * (a->length / 2); }
static int64_t window_scored(const struct score_args *a, int64_t w)
{
    return w == 0 ? 0 : window_start(a, w) + a->length / 2;
}

static void fill_window(const struct score_args *a, int64_t w, int32_t *tokens, int32_t *targets)
{
    int64_t start = window_start(a, w), scored = window_scored(a, w);

    for (int64_t t = 0; t < a->length; t++) {
        int64_t i = start + t;

        tokens[t] = i == 0 ? a->before : i <= a->count ? a->tokens[i - 1] : a->before;
        targets[t] = i >= scored && i < a->count ? a->tokens[i] : -1;
    }
}

static enum status score_unit(void *ctx, size_t unit, int worker)
{
    struct scorer *s = ctx;
    const struct score_args *a = s->args;
    int32_t *tokens = s->tokens[worker], *targets = s->targets[worker];
    float *losses = s->losses[worker];

    if (stop_requested())
        return fail(ST_INTERRUPTED, "stopped while scoring, and nothing was written: run it again");
    for (int64_t k = 0; k < UNIT_WINDOWS; k++) /* windows past the end have no targets */
        fill_window(a, (int64_t)unit * UNIT_WINDOWS + k, tokens + k * a->length,
                    targets + k * a->length);
    TRY(pass_forward(
        s->passes[worker],
        &(struct pass_data){ .tokens = tokens, .targets = targets, .losses = losses }));
    for (int64_t k = 0; k < UNIT_WINDOWS; k++) {
        int64_t start = window_start(a, (int64_t)unit * UNIT_WINDOWS + k);

        for (int64_t t = 0; t < a->length; t++)
            if (targets[k * a->length + t] >= 0)
                s->nats[start + t] = losses[k * a->length + t];
    }
    progress_add(UNIT_WINDOWS);
    return ST_OK;
}

static enum status open_worker(struct scorer *s, int t)
{
    const struct score_args *a = s->args;
    size_t N = (size_t)(UNIT_WINDOWS * a->length);

    s->tokens[t] = mem_array(N, sizeof(int32_t));
    s->targets[t] = mem_array(N, sizeof(int32_t));
    s->losses[t] = mem_array(N, sizeof(float));
    TRY(stream_open(model_device(a->model), &s->streams[t]));
    return pass_new(&(struct pass_args){ .model = a->model,
                                         .stream = s->streams[t],
                                         .batch = UNIT_WINDOWS,
                                         .length = a->length },
                    &s->passes[t]);
}

static void close_all(struct scorer *s)
{
    for (int t = 0; t < pool_threads(s->args->pool); t++) {
        pass_free(s->passes[t]);
        stream_close(s->streams[t]);
        free(s->tokens[t]);
        free(s->targets[t]);
        free(s->losses[t]);
    }
    free(s->passes);
    free(s->streams);
    free(s->tokens);
    free(s->targets);
    free(s->losses);
}

enum status score_tokens(const struct score_args *args, float *nats)
{
    size_t threads = (size_t)pool_threads(args->pool);
    struct scorer s = { .args = args, .nats = nats };
    enum status st = ST_OK;
    int64_t half = args->length / 2;

    BUG_IF(args->length < 2 || args->length % 2 != 0);
    if (args->count == 0)
        return ST_OK;
    s.windows =
        args->count <= args->length ? 1 : 1 + (args->count - args->length + half - 1) / half;
    s.streams = mem_array(threads, sizeof *s.streams);
    s.passes = mem_array(threads, sizeof *s.passes);
    s.tokens = mem_array(threads, sizeof *s.tokens);
    s.targets = mem_array(threads, sizeof *s.targets);
    s.losses = mem_array(threads, sizeof *s.losses);
    for (int t = 0; t < (int)threads && st == ST_OK; t++)
        st = open_worker(&s, t);
    progress_start("score", "windows", (uint64_t)s.windows);
    if (st == ST_OK)
        st = pool_for(args->pool, (size_t)((s.windows + UNIT_WINDOWS - 1) / UNIT_WINDOWS),
                      score_unit, &s);
    progress_end();
    close_all(&s);
    return st;
}
