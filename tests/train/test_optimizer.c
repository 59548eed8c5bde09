/* AdamW, clipping and the schedule, against their formulas. */
#include "test.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "train/optimizer.h"

static const struct model_config config = { .vocab = 300,
                                            .width = 256,
                                            .layers = 1,
                                            .heads = 2,
                                            .kv_heads = 1,
                                            .head_width = 8,
                                            .ff = 24,
                                            .context = 8,
                                            .rope_theta = 10000,
                                            .norm_eps = 1e-5,
                                            .tied = true,
                                            .end_of_text = -1 };

struct plain {
    double *w, *m, *v;
};

/* Loshchilov and Hutter 2019, algorithm 2, in float64. */
static void plain_step(struct plain *p, const struct params *params, const float *g, double lr,
                       double scale, int64_t step)
{
    for (int k = 0; k < params->count; k++) {
        const struct param *q = &params->list[k];

        for (int64_t i = q->offset; i < q->offset + q->rows * q->cols; i++) {
            double x = (double)g[i] * scale;

            p->m[i] = 0.9 * p->m[i] + 0.1 * x;
            p->v[i] = 0.95 * p->v[i] + 0.05 * x * x;
            p->w[i] -= lr * (p->m[i] / (1 - pow(0.9, (double)step)) /
                                 (sqrt(p->v[i] / (1 - pow(0.95, (double)step))) + 1e-8) +
                             (q->decay ? 0.1 * p->w[i] : 0));
        }
    }
}

static void check_steps(int threads, float *final_weights)
{
    struct device *device;
    struct stream *streams[3];
    struct model *model;
    struct optimizer *o;
    struct pool *pool = pool_new(threads);
    const struct params *params;
    struct plain plain;
    float *g;

    assert_ok(device_open("cpu", &device));
    for (int i = 0; i < 3; i++)
        assert_ok(stream_open(device, &streams[i]));
    assert_ok(model_new(&config, device, DT_BF16, &model));
    assert_ok(model_init(model, streams[0], 1));
    params = model_params(model);
    assert_ok(optimizer_new(
        &(struct optimizer_args){ model, pool, streams, 0.9, 0.95, 1e-8, 0.1, 1 }, &o));
    g = calloc((size_t)params->elements, sizeof *g);
    plain =
        (struct plain){ calloc((size_t)params->elements, 8), calloc((size_t)params->elements, 8),
                        calloc((size_t)params->elements, 8) };
    for (int64_t i = 0; i < params->elements; i++)
        plain.w[i] = model_weights(model)[i];
    for (int step = 1; step <= 3; step++) {
        double norm, want = 0;

        for (int k = 0; k < params->count; k++)
            for (int64_t i = params->list[k].offset;
                 i < params->list[k].offset + params->list[k].rows * params->list[k].cols; i++) {
                g[i] =
                    (float)rng_normal_at(7, (uint64_t)step, (uint64_t)i) * (step == 2 ? 1e-4f : 1);
                want += (double)g[i] * g[i];
            }
        want = sqrt(want);
        assert_ok(optimizer_step(o, g, 1e-2, step, &norm));
        assert_true(fabs(norm - want) < 1e-6 * want);
        plain_step(&plain, params, g, 1e-2, want > 1 ? 1 / (want + 1e-6) : 1, step);
    }
    for (int64_t i = 0; i < params->elements; i++)
        assert_true(fabs(plain.w[i] - (double)model_weights(model)[i]) < 2e-5);
    for (int64_t i = 0; i < params->elements; i++) { /* the copy is the rounded master */
        uint32_t bits = (uint32_t)((uint16_t *)model_copy(model))[i] << 16;
        float rounded;

        memcpy(&rounded, &bits, 4);
        assert_true(fabsf(rounded - model_weights(model)[i]) <=
                    fabsf(model_weights(model)[i]) / 256 + 1e-30f);
    }
    memcpy(final_weights, model_weights(model), (size_t)params->elements * sizeof(float));
    g[0] = NAN;
    {
        double norm;

        assert_int_equal(optimizer_step(o, g, 1e-2, 4, &norm), ST_FAILED);
    }
    free(g), free(plain.w), free(plain.m), free(plain.v);
    optimizer_free(o);
    model_free(model);
    for (int i = 0; i < 3; i++)
        stream_close(streams[i]);
    device_close(device);
    pool_free(pool);
}

static void steps_equal_the_algorithm(void **state)
{
    struct params p;
    float *one, *three;

    params_init(&p, &config);
    one = calloc((size_t)p.elements, sizeof *one);
    three = calloc((size_t)p.elements, sizeof *three);
    check_steps(1, one);
    check_steps(3, three);
    assert_memory_equal(one, three, (size_t)p.elements * sizeof *one);
    free(one);
    free(three);
    params_release(&p);
}

static void the_schedule_rises_and_falls(void **state)
{
    const struct schedule s = { 1e-3, 1e-4, 10, 110 };

    assert_true(fabs(schedule_lr(&s, 1) - 1e-4) < 1e-12);
    assert_true(fabs(schedule_lr(&s, 10) - 1e-3) < 1e-12);
    assert_true(fabs(schedule_lr(&s, 60) - 5.5e-4) < 1e-12);
    assert_true(fabs(schedule_lr(&s, 110) - 1e-4) < 1e-12);
    for (int64_t i = 11; i <= 110; i++)
        assert_true(schedule_lr(&s, i) < schedule_lr(&s, i - 1));
    assert_true(schedule_lr(&(struct schedule){ 1e-3, 0, 0, 1 }, 1) <= 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(steps_equal_the_algorithm),
                                        cmocka_unit_test(the_schedule_rises_and_falls) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
