#include "serve/engine.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bench.h"
#include "test.h"

enum { VOCAB = 97, CONTEXT = 96, MOST = 96 };
static const struct model_config shape = { .vocab = VOCAB,
                                           .width = 48,
                                           .layers = 2,
                                           .heads = 4,
                                           .kv_heads = 2,
                                           .head_width = 16,
                                           .ff = 112,
                                           .context = CONTEXT,
                                           .rope_theta = 10000,
                                           .norm_eps = 1e-5,
                                           .tied = true,
                                           .end_of_text = 5 };

struct rig {
    struct device *device;
    struct stream *stream;
    struct model *model;
    struct engine *engine;
};

static void open_rig(struct rig *r, enum dtype type, const struct engine_args *args)
{
    struct engine_args a = *args;

    assert_ok(device_open("cpu", &r->device));
    assert_ok(stream_open(r->device, &r->stream));
    assert_ok(model_new(&shape, r->device, type, &r->model));
    assert_ok(model_init(r->model, r->stream, 7));
    for (int64_t i = 0; i < model_params(r->model)->elements; i++)
        model_weights(r->model)[i] *= 8; /* far from uniform: a wrong bit shows in the tokens */
    assert_ok(model_round(r->model, r->stream, 0, model_params(r->model)->elements));
    a.model = r->model;
    assert_ok(engine_new(&a, &r->engine));
}

static void close_rig(struct rig *r)
{
    engine_free(r->engine);
    model_free(r->model);
    stream_close(r->stream);
    device_close(r->device);
}

/* ---- a text, as its callbacks see it ---- */

struct text {
    pthread_mutex_t lock;
    pthread_cond_t over;
    int32_t ids[2 * MOST], prompt_ids[MOST];
    float logprobs[2 * MOST], prompt_logprobs[MOST];
    struct token_choice top[2 * MOST][ENGINE_TOP];
    int count, prompt_count, stop_at, ended;
    enum engine_end end;
    char why[200];
};

static bool on_token(void *ctx, const struct engine_token *t)
{
    struct text *x = ctx;
    bool go_on;

    pthread_mutex_lock(&x->lock);
    if (t->of_prompt) {
        assert_int_equal(t->position, x->prompt_count);
        assert_int_equal(t->has_logprob, t->position > 0);
        x->prompt_ids[x->prompt_count] = t->id;
        x->prompt_logprobs[x->prompt_count++] = t->logprob;
    } else {
        x->ids[x->count] = t->id;
        x->logprobs[x->count] = t->logprob;
        memcpy(x->top[x->count], t->top, (size_t)t->top_count * sizeof *t->top);
        x->count++;
    }
    go_on = x->stop_at == 0 || x->count < x->stop_at;
    pthread_mutex_unlock(&x->lock);
    return go_on;
}

static void on_end(void *ctx, enum engine_end end)
{
    struct text *x = ctx;

    pthread_mutex_lock(&x->lock);
    x->ended++;
    x->end = end;
    if (end == END_FAILED)
        snprintf(x->why, sizeof x->why, "%s", fail_message());
    pthread_cond_broadcast(&x->over);
    pthread_mutex_unlock(&x->lock);
}

static struct text *text_new(void)
{
    struct text *x = mem_alloc(sizeof *x);

    pthread_mutex_init(&x->lock, NULL);
    pthread_cond_init(&x->over, NULL);
    return x;
}

static void wait_for(struct text *x)
{
    pthread_mutex_lock(&x->lock);
    while (!x->ended)
        pthread_cond_wait(&x->over, &x->lock);
    pthread_mutex_unlock(&x->lock);
}

/* The i-th of many different requests. */
static struct sequence_args request(int i, int32_t *prompt, struct text *x)
{
    struct sequence_args a = { .prompt = prompt,
                               .prompt_count = 1 + i * 7 % 60,
                               .max_tokens = 1 + i * 5 % 30,
                               .sample = { .temperature = i % 3 ? 0.7 + i % 4 * 0.2 : 0,
                                           .top_k = i % 5 ? 0 : 20,
                                           .top_p = i % 2 ? 0.9 : 1,
                                           .repetition_penalty = i % 4 ? 1 : 1.3,
                                           .presence_penalty = i % 7 ? 0 : 0.5 },
                               .seed = (uint64_t)i,
                               .logprobs = i % 3 - 1,
                               .past_end = i % 2,
                               .on_token = on_token,
                               .on_end = on_end,
                               .ctx = x };

    for (int64_t k = 0; k < a.prompt_count; k++)
        prompt[k] = (int32_t)rng_below(&(struct rng){ 3, (uint64_t)i, (uint64_t)k }, VOCAB);
    a.prompt_logprobs = a.logprobs >= 0 && i % 2;
    return a;
}

enum { REQUESTS = 40 };

static void run_alone(struct rig *r, struct text **out)
{
    for (int i = 0; i < REQUESTS; i++) {
        int32_t prompt[MOST];
        struct sequence_args a = request(i, prompt, out[i] = text_new());
        uint64_t ticket;

        assert_ok(engine_submit(r->engine, &a, &ticket));
        wait_for(out[i]);
    }
}

static void run_together(struct rig *r, struct text **out)
{
    for (int i = 0; i < REQUESTS; i++) {
        int32_t prompt[MOST];
        struct sequence_args a = request(i, prompt, out[i] = text_new());
        uint64_t ticket;

        assert_ok(engine_submit(r->engine, &a, &ticket));
    }
    for (int i = 0; i < REQUESTS; i++)
        wait_for(out[i]);
}

static void same(const struct text *a, const struct text *b)
{
    assert_int_equal(a->end, b->end);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->prompt_count, b->prompt_count);
    assert_memory_equal(a->ids, b->ids, sizeof a->ids);
    assert_memory_equal(a->logprobs, b->logprobs, sizeof a->logprobs);
    assert_memory_equal(a->prompt_logprobs, b->prompt_logprobs, sizeof a->prompt_logprobs);
    assert_memory_equal(a->top, b->top, sizeof a->top);
}

static void free_texts(struct text **x)
{
    for (int i = 0; i < REQUESTS; i++) {
        assert_int_equal(x[i]->ended, 1);
        free(x[i]);
    }
}

/* The tokens and every bit of their logprobs: alone, among others, in small steps, with threads. */
static void a_text_does_not_depend_on_others(void **state)
{
    static const struct engine_args ways[] = {
        { .threads = 1, .sequences = 1, .cache_bytes = 0, .step_rows = 64, .waiting = 100 },
        { .threads = 1, .sequences = 16, .cache_bytes = 1 << 20, .step_rows = 64, .waiting = 100 },
        { .threads = 2, .sequences = 40, .cache_bytes = 1 << 24, .step_rows = 40, .waiting = 100 },
        { .threads = 3, .sequences = 5, .cache_bytes = 1, .step_rows = 7, .waiting = 100 },
    };

    for (int type = 0; type < 2; type++) {
        struct text *alone[REQUESTS], *among[REQUESTS];
        struct rig r = { 0 };
        int written = 0;

        open_rig(&r, type ? DT_BF16 : DT_F32, &ways[0]);
        run_alone(&r, alone);
        close_rig(&r);
        for (int i = 0; i < REQUESTS; i++)
            written += alone[i]->count;
        assert_true(written > REQUESTS * 5);
        for (size_t w = 1; w < sizeof ways / sizeof ways[0]; w++) {
            open_rig(&r, type ? DT_BF16 : DT_F32, &ways[w]);
            run_together(&r, among);
            assert_int_equal(engine_state(r.engine).pages_used, 0);
            for (int i = 0; i < REQUESTS; i++)
                same(alone[i], among[i]);
            free_texts(among);
            close_rig(&r);
        }
        free_texts(alone);
    }
}

/* Logprobs are those of the forward pass over the whole sequence. */
static void logprobs_are_the_models(void **state)
{
    struct rig r = { 0 };
    struct text *x = text_new();
    int32_t prompt[MOST], tokens[MOST];
    struct sequence_args a = request(13, prompt, x);
    float *logits = mem_array(MOST * VOCAB, sizeof *logits);
    struct pass *pass;
    uint64_t ticket;

    open_rig(
        &r, DT_F32,
        &(struct engine_args){
            .threads = 2, .sequences = 4, .cache_bytes = 1 << 20, .step_rows = 16, .waiting = 4 });
    a.prompt_count = 20;
    a.max_tokens = 10;
    a.logprobs = 3;
    a.prompt_logprobs = a.past_end = true;
    for (int i = 0; i < 20; i++)
        prompt[i] = (i * 11 + 3) % VOCAB;
    assert_ok(engine_submit(r.engine, &a, &ticket));
    wait_for(x);
    assert_int_equal(x->prompt_count, 20);
    assert_int_equal(x->count, 10);
    memcpy(tokens, prompt, 20 * sizeof *tokens);
    memcpy(tokens + 20, x->ids, 10 * sizeof *tokens);
    assert_ok(pass_new(&(struct pass_args){ r.model, r.stream, 1, 30, false }, &pass));
    assert_ok(pass_logits(pass, tokens, logits));
    for (int i = 1; i < 30; i++) {
        struct token_choice top[3];
        double sum;
        float told = i < 20 ? x->prompt_logprobs[i] : x->logprobs[i - 20];

        assert_int_equal(sample_top(logits + (i - 1) * VOCAB, VOCAB, 3, top, &sum), 3);
        assert_float_equal(told, logits[(i - 1) * VOCAB + tokens[i]] - sum, 2e-3);
        if (i >= 20)
            assert_int_equal(x->top[i - 20][0].id, top[0].id);
    }
    pass_free(pass);
    close_rig(&r);
    free(logits);
    free(x);
}

static void ends_are_told(void **state)
{
    struct rig r = { 0 };
    int32_t prompt[MOST] = { 1, 2, 3 };
    struct text *x = text_new();
    struct sequence_args a = { .prompt = prompt,
                               .prompt_count = 3,
                               .max_tokens = 20,
                               .past_end = true,
                               .logprobs = -1,
                               .sample = { .temperature = 1, .top_p = 1, .repetition_penalty = 1 },
                               .on_token = on_token,
                               .on_end = on_end,
                               .ctx = x };
    uint64_t ticket;

    open_rig(&r, DT_F32,
             &(struct engine_args){
                 .threads = 2, .sequences = 2, .cache_bytes = 1, .step_rows = 8, .waiting = 1 });
    x->stop_at = 4;
    assert_ok(engine_submit(r.engine, &a, &ticket));
    wait_for(x);
    assert_int_equal(x->end, END_STOP);
    assert_int_equal(x->count, 4);
    free(x);

    a.ctx = x = text_new(); /* nothing to write */
    a.max_tokens = 0;
    assert_ok(engine_submit(r.engine, &a, &ticket));
    wait_for(x);
    assert_int_equal(x->end, END_LENGTH);
    assert_int_equal(x->count + x->prompt_count, 0);
    free(x);

    a.ctx = x = text_new(); /* the prompt is scored, nothing is written */
    a.logprobs = 0;
    a.prompt_logprobs = true;
    assert_ok(engine_submit(r.engine, &a, &ticket));
    wait_for(x);
    assert_int_equal(x->prompt_count, 3);
    assert_int_equal(x->count, 0);
    free(x);

    a.max_tokens = CONTEXT - 1; /* the last token needs no place */
    assert_int_equal(engine_submit(r.engine, &a, &ticket), ST_LIMIT);
    close_rig(&r);
}

/* Cancelled while it writes, and while it waits; a full queue says so. */
static void cancelling_frees_at_once(void **state)
{
    struct rig r = { 0 };
    int32_t prompt[MOST] = { 1 };
    struct text *x[3];
    struct sequence_args a = { .prompt = prompt,
                               .prompt_count = 1,
                               .max_tokens = CONTEXT - 1,
                               .past_end = true,
                               .logprobs = -1,
                               .sample = { .temperature = 1, .top_p = 1, .repetition_penalty = 1 },
                               .on_token = on_token,
                               .on_end = on_end };
    uint64_t ticket[3];
    int refused = 0;

    open_rig(&r, DT_F32,
             &(struct engine_args){
                 .threads = 2, .sequences = 1, .cache_bytes = 1, .step_rows = 8, .waiting = 1 });
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 3; i++) {
            a.ctx = x[i] = text_new();
            if (engine_submit(r.engine, &a, &ticket[i]) != ST_OK) {
                assert_non_null(strstr(fail_message(), "waiting already"));
                x[i]->ended = 1;
                ticket[i] = 0;
                refused++;
            }
        }
        for (int i = 0; i < 3; i++)
            engine_cancel(r.engine, ticket[(i + round) % 3]);
        for (int i = 0; i < 3; i++) {
            wait_for(x[i]);
            free(x[i]);
        }
    }
    assert_true(refused > 0);
    assert_int_equal(engine_state(r.engine).pages_used, 0);
    a.ctx = x[0] = text_new(); /* what still runs when the engine ends is cancelled */
    assert_ok(engine_submit(r.engine, &a, ticket));
    close_rig(&r);
    assert_int_equal(x[0]->ended, 1);
    free(x[0]);
}

static void damaged_weights_end_their_texts_only(void **state)
{
    struct rig r = { 0 };
    int32_t prompt[MOST] = { 1 };
    struct text *x = text_new();
    struct sequence_args a = { .prompt = prompt,
                               .prompt_count = 1,
                               .max_tokens = 5,
                               .logprobs = -1,
                               .past_end = true,
                               .sample = { .top_p = 1, .repetition_penalty = 1 },
                               .on_token = on_token,
                               .on_end = on_end,
                               .ctx = x };
    uint64_t ticket;
    float before;

    open_rig(&r, DT_F32,
             &(struct engine_args){
                 .threads = 1, .sequences = 1, .cache_bytes = 1, .step_rows = 8, .waiting = 1 });
    before = model_weights(r.model)[VOCAB * 48 + 100];
    model_weights(r.model)[VOCAB * 48 + 100] = __builtin_nanf("");
    assert_ok(engine_submit(r.engine, &a, &ticket));
    wait_for(x);
    assert_int_equal(x->end, END_FAILED);
    assert_non_null(strstr(x->why, "not finite"));
    free(x);
    model_weights(r.model)[VOCAB * 48 + 100] = before;
    a.ctx = x = text_new();
    assert_ok(engine_submit(r.engine, &a, &ticket));
    wait_for(x);
    assert_int_equal(x->end, END_LENGTH);
    free(x);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_does_not_depend_on_others),
        cmocka_unit_test(logprobs_are_the_models),
        cmocka_unit_test(ends_are_told),
        cmocka_unit_test(cancelling_frees_at_once),
        cmocka_unit_test(damaged_weights_end_their_texts_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
