#include "train/train_bench.h"

#include "base/arena.h"
#include "base/rng.h"
#include "train/optimizer.h"
#include "train/units.h"

/* 4 M parameters: the shape of pipelines/quickstart.yaml. */
static const struct model_config shape = { .vocab = 4096,
                                           .width = 256,
                                           .layers = 4,
                                           .heads = 4,
                                           .kv_heads = 2,
                                           .head_width = 64,
                                           .ff = 704,
                                           .context = 256,
                                           .rope_theta = 10000,
                                           .norm_eps = 1e-5,
                                           .tied = true,
                                           .end_of_text = 0 };
enum { UNITS = 8, UNIT_BATCH = 4, T = 256, MOST_THREADS = 256 };

struct rig {
    struct device *device;
    struct pool *pool;
    struct stream *streams[MOST_THREADS];
    struct model *model;
    struct units *units;
    struct optimizer *optimizer;
    int32_t *tokens; /* [UNITS * UNIT_BATCH * T + 1] */
};

static enum status rig_open(struct rig *r, int threads, enum dtype type)
{
    int64_t n = UNITS * UNIT_BATCH * T + 1;

    r->pool = pool_new(threads);
    if (pool_threads(r->pool) > MOST_THREADS)
        return fail(ST_USAGE, "%d threads, at most %d", pool_threads(r->pool), MOST_THREADS);
    TRY(device_open("cpu", &r->device));
    for (int i = 0; i < pool_threads(r->pool); i++)
        TRY(stream_open(r->device, &r->streams[i]));
    TRY(model_new(&shape, r->device, type, &r->model));
    TRY(model_init(r->model, r->streams[0], 1));
    TRY(units_new(&(struct units_args){ r->model, r->pool, r->streams, UNIT_BATCH, T }, &r->units));
    TRY(optimizer_new(
        &(struct optimizer_args){ r->model, r->pool, r->streams, 0.9, 0.95, 1e-8, 0.1, 1 },
        &r->optimizer));
    r->tokens = mem_array((size_t)n, sizeof *r->tokens);
    for (int64_t i = 0; i < n; i++)
        r->tokens[i] = (int32_t)(rng_at(1, 1, (uint64_t)i) % (uint64_t)shape.vocab);
    return ST_OK;
}

static void rig_close(struct rig *r)
{
    optimizer_free(r->optimizer);
    units_free(r->units);
    model_free(r->model);
    for (int i = 0; r->device != NULL && i < pool_threads(r->pool); i++)
        stream_close(r->streams[i]);
    device_close(r->device);
    pool_free(r->pool);
    free(r->tokens);
}

static enum status one_step(struct rig *r, int64_t step, double *tokens_per_second)
{
    double start = bench_now(), loss, norm;
    float *grads;

    TRY(units_train(r->units, &(struct units_data){ r->tokens, r->tokens + 1, UNITS },
                    1.0f / (UNITS * UNIT_BATCH * T), &grads, &loss));
    TRY(optimizer_step(r->optimizer, grads, 1e-4, step, &norm));
    *tokens_per_second = UNITS * UNIT_BATCH * T / (bench_now() - start);
    return ST_OK;
}

/* ---- the yardstick: one large matrix product a thread, in the same type ---- */

enum { SIDE = 1024 };

struct peak {
    struct rig *r;
    enum dtype type;
    void *a, *b, *out; /* [SIDE, SIDE], shared inputs; out one a thread */
};

static enum status product(void *ctx, size_t i, int worker)
{
    struct peak *p = ctx;
    char *out = (char *)p->out + (size_t)worker * SIDE * SIDE * sizeof(float);

    return op_matmul(p->r->streams[worker],
                     &(struct matmul_args){ .out = tensor_of(out, DT_F32, SIDE, SIDE),
                                            .a = tensor_of(p->a, p->type, SIDE, SIDE),
                                            .b = tensor_of(p->b, p->type, SIDE, SIDE),
                                            .transpose_b = true });
}

/* GFLOP/s of all threads together, the best of five. */
static enum status measure_peak(struct rig *r, enum dtype type, double *gflops)
{
    int threads = pool_threads(r->pool);
    size_t bytes = (size_t)SIDE * SIDE * sizeof(float);
    struct peak p = { r, type, mem_alloc_aligned(bytes), mem_alloc_aligned(bytes),
                      mem_alloc_aligned(bytes * (size_t)threads) };
    enum status st = ST_OK;

    *gflops = 0;
    for (int i = 0; i < 6 && st == ST_OK; i++) {
        double start = bench_now(), rate;

        st = pool_for(r->pool, (size_t)threads * 4, product, &p);
        rate = 2.0 * SIDE * SIDE * SIDE * threads * 4 / (bench_now() - start) / 1e9;
        *gflops = rate > *gflops ? rate : *gflops;
    }
    mem_free_aligned(p.a);
    mem_free_aligned(p.b);
    mem_free_aligned(p.out);
    return st;
}

static enum status measure(struct bench *b, struct rig *r, enum dtype type)
{
    double values[64], gflops[64], peak, flops = model_flops_per_token(&shape, T);
    int n = b->repeat < 1 ? 1 : b->repeat > 64 ? 64 : b->repeat;
    const char *class;

    TRY(rig_open(r, b->threads, type));
    TRY(measure_peak(r, type, &peak));
    TRY(one_step(r, 1, &values[0])); /* warms up */
    for (int i = 0; i < n; i++) {
        TRY(one_step(r, i + 2, &values[i]));
        gflops[i] = values[i] * flops / 1e9;
    }
    class = device_numeric_class(r->device, type);
    bench_report(b, &(struct bench_result){
                        .variant = class, .unit = "tokens/s", .values = values, .count = n });
    bench_report(b, &(struct bench_result){ .variant = class,
                                            .unit = "GFLOP/s",
                                            .values = gflops,
                                            .count = n,
                                            .yardstick = "matrix product 1024^3 a thread",
                                            .yardstick_value = peak });
    return ST_OK;
}

static enum status bench_step(struct bench *b, enum dtype type)
{
    struct rig r = { 0 };
    enum status st = measure(b, &r, type);

    rig_close(&r);
    return st;
}

static enum status step_f32(struct bench *b) { return bench_step(b, DT_F32); }
static enum status step_bf16(struct bench *b) { return bench_step(b, DT_BF16); }

const struct bench_case train_benches[] = { { "step f32", step_f32 },
                                            { "step bf16", step_bf16 },
                                            { NULL, NULL } };
