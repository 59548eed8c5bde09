/* Every token is scored once, with the context that score.h promises, by any number of threads; the
 * yardstick counts what xz writes. */
#include "test.h"

#include <math.h>
#include <signal.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "base/stop.h"
#include "evaluate/score.h"
#include "evaluate/xz_yardstick.h"

enum { T = 8, V = 31, MOST = 200 };

struct fixture {
    struct device *device;
    struct stream *stream;
    struct model *model;
    int32_t tokens[MOST];
};

static void open_fixture(struct fixture *f)
{
    struct model_config c = { .vocab = V,
                              .width = 16,
                              .layers = 1,
                              .heads = 2,
                              .kv_heads = 1,
                              .head_width = 8,
                              .ff = 24,
                              .context = T,
                              .rope_theta = 10000,
                              .norm_eps = 1e-5,
                              .tied = true,
                              .end_of_text = 0 };

    assert_ok(device_open("cpu", &f->device));
    assert_ok(stream_open(f->device, &f->stream));
    assert_ok(model_new(&c, f->device, DT_F32, &f->model));
    assert_ok(model_init(f->model, f->stream, 1));
    for (int64_t i = 0; i < model_params(f->model)->elements; i++)
        model_weights(f->model)[i] *= 5;
    for (int i = 0; i < MOST; i++)
        f->tokens[i] = (int32_t)(rng_at(1, 1, (uint64_t)i) % V);
}

static void close_fixture(struct fixture *f)
{
    model_free(f->model);
    stream_close(f->stream);
    device_close(f->device);
}

static void score(struct fixture *f, int64_t count, int threads, float *nats)
{
    struct pool *pool = pool_new(threads);

    for (int i = 0; i < MOST; i++)
        nats[i] = NAN;
    assert_ok(score_tokens(&(struct score_args){ f->model, pool, f->tokens, count, 0, T }, nats));
    pool_free(pool);
}

/* -log p(tokens[i]) seen from a window that begins at `start`. */
static double seen_from(struct fixture *f, int64_t start, int64_t i)
{
    int32_t in[T] = { 0 };
    float logits[T * V];
    double top = -INFINITY, sum = 0;
    struct pass *p;

    for (int t = 0; t < T; t++)
        in[t] = start + t == 0 ? 0 : f->tokens[start + t - 1];
    assert_ok(pass_new(&(struct pass_args){ f->model, f->stream, 1, T, false }, &p));
    assert_ok(pass_logits(p, in, logits));
    pass_free(p);
    for (int v = 0; v < V; v++)
        top = fmax(top, logits[(i - start) * V + v]);
    for (int v = 0; v < V; v++)
        sum += exp(logits[(i - start) * V + v] - top);
    return top + log(sum) - logits[(i - start) * V + f->tokens[i]];
}

static void each_token_has_its_context(void **state)
{
    struct fixture f;
    float nats[MOST];

    open_fixture(&f);
    score(&f, 100, 1, nats);
    for (int i = 0; i < 100; i++) {
        int64_t start = i < T ? 0 : (i / (T / 2) - 1) * (T / 2);

        assert_true(fabs(seen_from(&f, start, i) - (double)nats[i]) < 1e-4);
    }
    close_fixture(&f);
}

static void every_length_and_thread_count(void **state)
{
    struct fixture f;
    float one[MOST], two[MOST];

    open_fixture(&f);
    for (int64_t count = 1; count < MOST; count += count < 30 ? 1 : 17) {
        score(&f, count, 1, one);
        score(&f, count, 3, two);
        for (int64_t i = 0; i < count; i++)
            assert_true(isfinite(one[i]) && one[i] > 0);
        assert_true(isnan(one[count])); /* nothing behind the end */
        assert_memory_equal(one, two, (size_t)count * sizeof *one);
    }
    close_fixture(&f);
}

static void the_yardstick_counts_what_xz_writes(void **state)
{
    enum { N = 200000 };
    char *text = mem_alloc(N);
    uint64_t alone, primed, noise;

    for (int i = 0; i < N; i++)
        text[i] = "the quick brown fox "[(i * 7 + i / 300) % 20];
    assert_ok(xz_bytes((struct span){ "", 0 }, (struct span){ text, N }, &alone));
    assert_ok(xz_bytes((struct span){ text, N / 2 }, (struct span){ text, N }, &primed));
    assert_true(primed < alone);
    for (int i = 0; i < N; i++)
        text[i] = (char)rng_at(1, 2, (uint64_t)i);
    assert_ok(xz_bytes((struct span){ "", 0 }, (struct span){ text, N }, &noise));
    assert_in_range(noise, N, N + N / 1000 + 64);
    free(text);
}

/* The last test: a stop that was asked for stays asked for. */
static void a_stop_ends_it(void **state)
{
    struct fixture f;
    struct pool *pool = pool_new(2);
    float nats[MOST];
    uint64_t bytes;

    open_fixture(&f);
    stop_install();
    raise(SIGINT);
    assert_int_equal(score_tokens(&(struct score_args){ f.model, pool, f.tokens, 100, 0, T }, nats),
                     ST_INTERRUPTED);
    assert_int_equal(xz_bytes((struct span){ "", 0 }, (struct span){ "text", 4 }, &bytes),
                     ST_INTERRUPTED);
    pool_free(pool);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_token_has_its_context),
                                        cmocka_unit_test(every_length_and_thread_count),
                                        cmocka_unit_test(the_yardstick_counts_what_xz_writes),
                                        cmocka_unit_test(a_stop_ends_it) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
