/* The gradient of a step has the same bits for any number of threads, and is the sum of its units.
 */
#include "test.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "train/units.h"

enum { UNITS = 7, BATCH = 2, T = 8, V = 29 };

struct fixture {
    struct device *device;
    struct stream *streams[4];
    struct model *model;
    int32_t tokens[UNITS * BATCH * T], targets[UNITS * BATCH * T];
    const int32_t *first;
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
                              .end_of_text = -1 };

    f->first = NULL;
    assert_ok(device_open("cpu", &f->device));
    for (int i = 0; i < 4; i++)
        assert_ok(stream_open(f->device, &f->streams[i]));
    assert_ok(model_new(&c, f->device, DT_F32, &f->model));
    assert_ok(model_init(f->model, f->streams[0], 1));
    for (int i = 0; i < UNITS * BATCH * T; i++) {
        f->tokens[i] = (int32_t)(rng_at(1, 1, (uint64_t)i) % V);
        f->targets[i] = (int32_t)(rng_at(1, 2, (uint64_t)i) % V);
    }
}

static void close_fixture(struct fixture *f)
{
    model_free(f->model);
    for (int i = 0; i < 4; i++)
        stream_close(f->streams[i]);
    device_close(f->device);
}

static size_t bytes(const struct fixture *f)
{
    return (size_t)model_params(f->model)->elements * sizeof(float);
}

/* Gradient and loss of units [first, first + count) with so many threads; twice in a row, for what
 * is reused must not matter. */
static double gradient(struct fixture *f, int threads, int first, int count, float *out)
{
    struct pool *pool = pool_new(threads);
    struct units *u;
    float *grads;
    double loss, again;
    struct units_data d = { f->tokens + first * BATCH * T, f->targets + first * BATCH * T,
                            f->first ? f->first + first * BATCH * T : NULL, count };

    assert_ok(units_new(&(struct units_args){ f->model, pool, f->streams, BATCH, T }, &u));
    assert_ok(units_train(u, &d, 0.25f, &grads, &loss));
    memcpy(out, grads, bytes(f));
    assert_ok(units_train(u, &d, 0.25f, &grads, &again));
    assert_memory_equal(out, grads, bytes(f));
    assert_true(loss == again);
    assert_ok(units_score(u, &d, &again));
    assert_true(fabs(loss - again) < 1e-5 * loss);
    units_free(u);
    pool_free(pool);
    return loss;
}

static void threads_do_not_matter(void **state)
{
    struct fixture f;
    float *one, *many;

    open_fixture(&f);
    one = malloc(bytes(&f));
    many = malloc(bytes(&f));
    for (int count = 1; count <= UNITS; count++) {
        double loss = gradient(&f, 1, 0, count, one);

        for (int threads = 2; threads <= 4; threads++) {
            assert_true(gradient(&f, threads, 0, count, many) == loss);
            assert_memory_equal(one, many, bytes(&f));
        }
    }
    free(one);
    free(many);
    close_fixture(&f);
}

/* Ranks take contiguous shares of a power of two; comm adds them in the same tree. */
static void shares_add_up_to_the_same_bits(void **state)
{
    struct fixture f;
    float *whole, *part[3];
    size_t n;

    open_fixture(&f);
    n = bytes(&f) / sizeof(float);
    whole = malloc(bytes(&f));
    gradient(&f, 2, 0, 6, whole);
    for (int r = 0; r < 3; r++) {
        part[r] = malloc(bytes(&f));
        gradient(&f, 2, r * 2, 2, part[r]);
    }
    for (size_t i = 0; i < n; i++)
        assert_true(whole[i] == (part[0][i] + part[1][i]) + part[2][i]);
    for (int r = 0; r < 3; r++)
        free(part[r]);
    free(whole);
    close_fixture(&f);
}

/* A row of two documents that do not see each other, its edge and its filling without targets, is
 * the sum of two rows that hold one each. */
static void documents_of_a_row_do_not_see_each_other(void **state)
{
    enum { ROWS = UNITS * BATCH, CUT = 5 };
    int32_t first[ROWS * T], tokens[ROWS * T], targets[ROWS * T];
    struct fixture f;
    float *whole, *parts;
    double together, apart, most = 0;

    open_fixture(&f);
    whole = malloc(bytes(&f));
    parts = malloc(bytes(&f));
    memcpy(tokens, f.tokens, sizeof tokens);
    memcpy(targets, f.targets, sizeof targets);
    for (int i = 0; i < ROWS * T; i++) {
        first[i] = i % T < CUT ? 0 : CUT;
        if (i % T == CUT - 1 || i % T == T - 1)
            f.targets[i] = targets[i] = -1;
    }
    f.first = first;
    together = gradient(&f, 2, 0, 1, whole); /* rows 0 and 1 */
    f.first = NULL;
    for (int r = 0; r < 4; r++) /* rows 0 and 1: the first parts, 2 and 3: the second ones */
        for (int t = 0; t < T; t++) {
            int from = r % 2 * T + (r < 2 ? t : (CUT + t) % T);
            bool mine = r < 2 ? t < CUT : t < T - CUT;

            f.tokens[r * T + t] = tokens[from];
            f.targets[r * T + t] = mine ? targets[from] : -1;
        }
    apart = gradient(&f, 2, 0, 2, parts);
    assert_true(fabs(together - apart) < 1e-5 * together);
    for (size_t i = 0; i < bytes(&f) / sizeof(float); i++) {
        assert_true(fabsf(whole[i] - parts[i]) < 1e-5f);
        most = fabs(whole[i]) > most ? fabs(whole[i]) : most;
    }
    assert_true(most > 1e-3);
    free(whole);
    free(parts);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(threads_do_not_matter),
                                        cmocka_unit_test(shares_add_up_to_the_same_bits),
                                        cmocka_unit_test(documents_of_a_row_do_not_see_each_other) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
