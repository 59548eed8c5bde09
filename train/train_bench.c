#include "train/train_bench.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/rng.h"
#include "store/sampling/sampling.h"
#include "store/store_bench.h"
#include "store/tokens/bench_tokens.h"
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

    TRY(units_train(r->units, &(struct units_data){ r->tokens, r->tokens + 1, NULL, UNITS },
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

/* ---- the loader: what reading a step's rows takes, as a share of the step ---- */

enum { STORE_DOCUMENTS = 16384, LONGEST = 2048, READS = 200 };

/* Documents of 1 to LONGEST tokens, short ones more often: 5 M tokens in all. */
static enum status fill_store(void *ctx, struct token_writer *w)
{
    uint32_t tokens[LONGEST];

    for (uint64_t i = 0; i < LONGEST; i++)
        tokens[i] = (uint32_t)(rng_at(1, 2, i) % (uint64_t)shape.vocab);
    for (uint64_t d = 0; d < STORE_DOCUMENTS; d++)
        TRY(token_writer_add(
            w, &(struct token_document){
                   .id = span_of("d"),
                   .text_hash = rng_at(1, 3, d),
                   .tokens = tokens,
                   .count = 1 + rng_at(1, 4, d) % (1 + rng_at(1, 5, d) % LONGEST) }));
    return ST_OK;
}

static enum status make_store(const char *path, struct token_store **out)
{
    TRY(bench_tokens_make(&(struct bench_tokens){ .path = path,
                                                  .vocab = (uint32_t)shape.vocab,
                                                  .shard_tokens = 1 << 20,
                                                  .add = fill_store }));
    return token_store_open(path, out);
}

/* Seconds of reading the rows of one step, the mean of many in a row. */
static enum status time_reading(const struct token_store *store, enum packing packing,
                                double *seconds)
{
    struct sampling_source source = { store, "bench", 1, 0 };
    struct sampling_phase phase = { 0, T, UNITS * UNIT_BATCH, &source, 1 };
    size_t n = UNITS * UNIT_BATCH * T;
    int32_t *rows = mem_array(3 * n, sizeof *rows);
    struct sampling_batch to = { rows, rows + n, rows + 2 * n };
    struct sampling *s;
    double start;
    enum status st = sampling_open(&(struct sampling_args){ .seed = 1,
                                                            .packing = packing,
                                                            .window = 1024,
                                                            .apart = true,
                                                            .phases = &phase,
                                                            .phase_count = 1 },
                                   &s);

    if (st == ST_OK) {
        start = bench_now();
        for (uint64_t step = 0; st == ST_OK && step < READS; step++)
            st = sampling_read(s, step, 0, phase.rows, &to);
        *seconds = (bench_now() - start) / READS;
        sampling_close(s);
    }
    free(rows);
    return st;
}

static enum status measure_loader(struct bench *b, const char *class, double step_seconds)
{
    struct arena a = { 0 };
    struct token_store *store = NULL;
    char *folder;
    enum status st;

    TRY(bench_folder_open(&a, &folder));
    st = make_store(path_join(&a, folder, "tokens"), &store);
    for (int p = 0; st == ST_OK && p < PACKINGS; p++) {
        double share, seconds;

        st = time_reading(store, (enum packing)p, &seconds);
        share = 100 * seconds / step_seconds;
        if (st == ST_OK)
            bench_report(b,
                         &(struct bench_result){
                             .variant = arena_printf(&a, "%s loader %s", class, packing_names[p]),
                             .unit = "% of a step",
                             .values = &share,
                             .count = 1 });
    }
    token_store_close(store);
    st = bench_folder_close(folder, st);
    arena_release(&a);
    return st;
}

static double largest(const double *v, int n)
{
    double most = v[0];

    for (int i = 1; i < n; i++)
        most = v[i] > most ? v[i] : most;
    return most;
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
    return measure_loader(b, class, UNITS * UNIT_BATCH * T / largest(values, n));
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
