/*
 * Benchmarks: every case of op_cases.h with USE_BENCH, and "step", all operations of one training
 * unit. Each thread has a stream and operands of its own; rates are summed.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/bench.h"
#include "base/pool.h"
#include "kernels/kernels_cmd.h"
#include "kernels/op_cases.h"

#define MEASURE_SECONDS 0.1

/* ---- how often a second ---- */

struct rates {
    struct device *device;
    const struct op_case *c;
    double *per_second;          /* by thread */
    double flops, bytes;         /* of one run */
};

static enum status measure_one(void *ctx, size_t item, int worker)
{
    struct rates *r = ctx;
    struct stream *s;
    int64_t runs = 0;

    TRY(stream_open(r->device, &s));
    struct op_run *run = op_run_new(r->c, s);
    enum status st = op_run_go(run, s);
    const double begin = bench_now();
    double elapsed = 0;
    for (; st == ST_OK && elapsed < MEASURE_SECONDS; runs++, elapsed = bench_now() - begin)
        st = op_run_go(run, s);
    r->per_second[item] = (double)runs / elapsed;
    if (item == 0) {
        r->flops = run->flops;
        r->bytes = run->bytes;
    }
    op_run_free(run);
    stream_close(s);
    return st;
}

static enum status measure(struct rates *r, struct pool *p, double *per_second)
{
    const int threads = pool_threads(p);

    r->per_second = mem_array((size_t)threads, sizeof(double));
    const enum status st = pool_for(p, (size_t)threads, measure_one, r);
    *per_second = 0;
    for (int i = 0; i < threads; i++)
        *per_second += r->per_second[i];
    free(r->per_second);
    return st;
}

/* ---- yardsticks ---- */

/* GFLOP/s of a large product in that type on as many threads: what this machine reaches. */
static enum status product_rate(struct device *d, struct pool *p, enum dtype t, double *out)
{
    const struct op_case c = { .op = KERNEL_OP_matmul,
                               .type = t,
                               .out = DT_F32,
                               .rows = 768,
                               .cols = 768,
                               .inner = 768,
                               .transpose_b = true };
    struct rates r = { .device = d, .c = &c };

    TRY(measure(&r, p, out));
    *out *= r.flops / 1e9;
    return ST_OK;
}

static enum status report(struct bench *b, const struct op_case *c, struct device *d,
                          struct pool *p)
{
    struct rates r = { .device = d, .c = c };
    double *values = mem_array((size_t)b->repeat, sizeof *values), yardstick = 0;
    char name[96];
    enum status st = ST_OK;

    for (int i = 0; i < b->repeat && st == ST_OK; i++) {
        st = measure(&r, p, &values[i]);
        values[i] *= (r.flops > 0 ? r.flops : r.bytes) / 1e9;
    }
    if (st == ST_OK && r.flops > 0)
        st = product_rate(d, p, c->type, &yardstick);
    else
        yardstick = bench_memory_scan((size_t)64 << 20);
    if (st == ST_OK)
        bench_report(b, &(struct bench_result){
                            .variant = strchr(op_case_name(c, name), ' ') + 1,
                            .values = values,
                            .count = b->repeat,
                            .unit = r.flops > 0 ? "GFLOP/s" : "GB/s",
                            .yardstick_value = yardstick,
                            .yardstick = r.flops > 0 ? "product of 768 x 768 x 768"
                                                     : "memory scan of one thread",
                        });
    free(values);
    return st;
}

/* ---- the cases ---- */

static enum status
with_device(struct bench *b,
            enum status (*run)(struct bench *, struct device *, struct pool *, int), int arg)
{
    struct device *d;
    enum status st;

    TRY(device_open("cpu", &d));
    struct pool *p = pool_new(b->threads);
    st = run(b, d, p, arg);
    pool_free(p);
    device_close(d);
    return st;
}

static enum status bench_op(struct bench *b, struct device *d, struct pool *p, int op)
{
    for (int i = 0; i < op_cases_count; i++)
        if ((int)op_cases[i].op == op && (op_cases[i].use & USE_BENCH))
            TRY(report(b, &op_cases[i], d, p));
    return ST_OK;
}

#define X(name)                                                                                    \
    static enum status bench_##name(struct bench *b)                                               \
    {                                                                                              \
        return with_device(b, bench_op, KERNEL_OP_##name);                                         \
    }
KERNEL_OPS(X)
#undef X

/* ---- a training unit: L 4, C 256, H 4, K 2, D 64, F 688, V 4096; N 1024 = 4 x T 256; bf16 ---- */

enum { N = 1024, C = 256, QKV = 512, FF = 688, V = 4096, LAYERS = 4, PARAMS = 4000000 };
#define HEADS .batch = 4, .heads = 4, .kv_heads = 2, .width = 64
#define OP(name) .op = KERNEL_OP_##name
#define FORWARD(n, k)                                                                              \
    {                                                                                              \
        OP(matmul), .type = DT_BF16, .out = DT_BF16, .rows = N, .cols = n, .inner = k,             \
                    .transpose_b = true                                                            \
    }
#define BY_INPUT(n, k)                                                                             \
    {                                                                                              \
        OP(matmul), .type = DT_BF16, .out = DT_BF16, .rows = N, .cols = k, .inner = n              \
    }
#define BY_WEIGHT(n, k)                                                                            \
    {                                                                                              \
        OP(matmul), .type = DT_BF16, .out = DT_F32, .rows = n, .cols = k, .inner = N,              \
                    .transpose_a = true, .accumulate = true                                        \
    }

static const struct step_part {
    int times;
    struct op_case c;
} step_parts[] = {
    { 1, { OP(embed), .type = DT_F32, .out = DT_F32, .rows = N, .cols = C, .inner = V } },
    { 1, { OP(embed_grad), .type = DT_F32, .out = DT_F32, .rows = N, .cols = C, .inner = V } },
    { 2 * LAYERS + 1, { OP(rmsnorm), .type = DT_F32, .out = DT_BF16, .rows = N, .cols = C } },
    { 2 * LAYERS + 1, { OP(rmsnorm_grad), .type = DT_BF16, .out = DT_BF16, .rows = N, .cols = C } },
    { 2 * LAYERS,
      { OP(rope), .type = DT_BF16, .out = DT_BF16, .rows = N, .heads = 6, .width = 64 } },
    { LAYERS, FORWARD(QKV, C) },
    { LAYERS, FORWARD(C, C) },
    { LAYERS, FORWARD(2 * FF, C) },
    { LAYERS, FORWARD(C, FF) },
    { LAYERS, BY_INPUT(QKV, C) },
    { LAYERS, BY_INPUT(C, C) },
    { LAYERS, BY_INPUT(2 * FF, C) },
    { LAYERS, BY_INPUT(C, FF) },
    { LAYERS, BY_WEIGHT(QKV, C) },
    { LAYERS, BY_WEIGHT(C, C) },
    { LAYERS, BY_WEIGHT(2 * FF, C) },
    { LAYERS, BY_WEIGHT(C, FF) },
    { 1,
      { OP(matmul), .type = DT_BF16, .out = DT_F32, .rows = N, .cols = V, .inner = C,
        .transpose_b = true } },
    { 1, BY_INPUT(V, C) },
    { 1, BY_WEIGHT(V, C) },
    { LAYERS, { OP(attention), .type = DT_BF16, .out = DT_BF16, .rows = N, HEADS } },
    { LAYERS, { OP(attention_grad), .type = DT_BF16, .out = DT_BF16, .rows = N, HEADS } },
    { LAYERS, { OP(swiglu), .type = DT_BF16, .out = DT_BF16, .rows = N, .cols = FF, .pad = FF } },
    { LAYERS,
      { OP(swiglu_grad), .type = DT_BF16, .out = DT_BF16, .rows = N, .cols = FF, .pad = FF } },
    { 1, { OP(cross_entropy), .type = DT_F32, .out = DT_BF16, .rows = N, .cols = V } },
    { 2 * LAYERS, { OP(add), .type = DT_F32, .out = DT_F32, .rows = N, .cols = C } },
    { 1, { OP(sum_squares), .type = DT_F32, .out = DT_F32, .cols = PARAMS } },
    { 1, { OP(adamw), .type = DT_F32, .out = DT_F32, .cols = PARAMS } },
};
#undef OP

/* Milliseconds a thread spends in each part, and tokens a second of all threads if nothing else
 * took time. */
static enum status step(struct bench *b, struct device *d, struct pool *p, int unused)
{
    double all = 0;

    for (size_t i = 0; i < sizeof step_parts / sizeof step_parts[0]; i++) {
        const struct step_part *part = &step_parts[i];
        struct rates r = { .device = d, .c = &part->c };
        char name[96], text[112];
        double rate;
        TRY(measure(&r, p, &rate));
        const double ms = 1e3 * part->times * pool_threads(p) / rate;
        all += ms;
        snprintf(text, sizeof text, "%d x %s", part->times, op_case_name(&part->c, name));
        bench_report(
            b, &(struct bench_result){ .variant = text, .unit = "ms", .values = &ms, .count = 1 });
    }
    const double tokens = N * pool_threads(p) / all * 1e3;
    bench_report(
        b, &(struct bench_result){ .variant = "all", .unit = "ms", .values = &all, .count = 1 });
    bench_report(b, &(struct bench_result){
                        .variant = "all", .unit = "tokens/s", .values = &tokens, .count = 1 });
    return ST_OK;
}

static enum status bench_step(struct bench *b) { return with_device(b, step, 0); }

const struct bench_case kernels_benches[] = {
#define X(op) { .name = #op, .run = bench_##op },
    KERNEL_OPS(X)
#undef X
    { .name = "step", .run = bench_step },
    { .name = NULL },
};
