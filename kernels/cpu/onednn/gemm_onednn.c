/*
 * Matrix products through oneDNN: on machines with AVX-512, where it is near the peak (f32 at 95 %,
 * bf16 at 97 %). Debian's library runs on OpenMP: each thread that comes here limits its own team
 * to one, so that a stream stays on its thread and results do not depend on threads. The plans
 * (primitives, made by a JIT) are kept by shape in the stream.
 */
#include <dnnl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/value.h"
#include "kernels/cpu/variants.h"

/* OpenMP 5.0, 3.2.1. From libgomp, which oneDNN runs on; a compiler's own omp.h may belong to
 * another runtime. */
void omp_set_num_threads(int n);

/* What a plan depends on: nothing else may. */
struct gemm_key {
    int64_t m, n, k;
    int64_t a_stride, b_stride, out_stride;
    int32_t type, out_type;
    int32_t transpose_a, transpose_b, accumulate;
    int32_t used;                 /* also keeps the struct free of padding */
};
struct gemm_plan {
    struct gemm_key key;
    dnnl_primitive_t primitive;
    dnnl_memory_t a, b, out, scratch;
    size_t scratch_bytes;
};
struct gemm_cache {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct gemm_plan *plans;      /* open addressing; size a power of two */
    size_t size, count;
};
enum { MAX_PLANS = 1024 }; /* then all are dropped: rows of ever new lengths must not fill memory */

static void check(dnnl_status_t st, const char *what)
{
    if (st == dnnl_success)
        return;
    fprintf(stderr, "oneDNN: %s gives status %d\n", what, (int)st);
    BUG_IF(st != dnnl_success);
}
#define DNNL(call) check((call), #call)

/* oneDNN may not use more than TUNDISH_CPU allows: the class of results would be another. */
static void limit_isa(void)
{
    const struct cpu_features *f = cpu_features();

    if (!f->avx512_bf16)
        DNNL(dnnl_set_max_cpu_isa(f->avx512_vnni ? dnnl_cpu_isa_avx512_core_vnni
                                                 : dnnl_cpu_isa_avx512_core));
}

static char class_text[64];

static void start(void)
{
    static const struct {
        dnnl_cpu_isa_t isa;
        const char *name;
    } names[] = { { dnnl_cpu_isa_avx512_core, "avx512" },
                  { dnnl_cpu_isa_avx512_core_vnni, "avx512_vnni" },
                  { dnnl_cpu_isa_avx512_core_bf16, "avx512_bf16" },
                  { dnnl_cpu_isa_avx512_core_amx, "amx" } };
    const dnnl_version_t *v = dnnl_version();
    const char *isa = "other";

    limit_isa();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].isa == dnnl_get_effective_cpu_isa())
            isa = names[i].name;
    snprintf(class_text, sizeof class_text, "onednn-%d.%d.%d-%s", v->major, v->minor, v->patch,
             isa);
}

static pthread_once_t started = PTHREAD_ONCE_INIT;

const char *gemm_onednn_class(void)
{
    pthread_once(&started, start);
    return class_text;
}

/* ---- the plans of a stream ---- */

static struct gemm_cache *cache_of(struct stream *s)
{
    struct cpu_stream *c = s->own;
    static _Thread_local bool team_is_one;

    if (!team_is_one)
        omp_set_num_threads(1);
    team_is_one = true;
    if (c->gemms == NULL) {
        pthread_once(&started, start);
        struct gemm_cache *g = mem_alloc(sizeof *g);
        DNNL(dnnl_engine_create(&g->engine, dnnl_cpu, 0));
        DNNL(dnnl_stream_create(&g->stream, g->engine, dnnl_stream_default_flags));
        g->size = 64;
        g->plans = mem_array(g->size, sizeof *g->plans);
        c->gemms = g;
    }
    return c->gemms;
}

static void plan_release(struct gemm_plan *p)
{
    dnnl_primitive_destroy(p->primitive);
    dnnl_memory_destroy(p->a);
    dnnl_memory_destroy(p->b);
    dnnl_memory_destroy(p->out);
    dnnl_memory_destroy(p->scratch);
}

static void cache_clear(struct gemm_cache *g)
{
    for (size_t i = 0; i < g->size; i++)
        if (g->plans[i].key.used)
            plan_release(&g->plans[i]);
    memset(g->plans, 0, g->size * sizeof *g->plans);
    g->count = 0;
}

void gemm_cache_free(struct gemm_cache *g)
{
    if (g == NULL)
        return;
    cache_clear(g);
    dnnl_stream_destroy(g->stream);
    dnnl_engine_destroy(g->engine);
    free(g->plans);
    free(g);
}

/* The place of key: its plan, or an unused one. */
static struct gemm_plan *cache_find(struct gemm_plan *plans, size_t size,
                                    const struct gemm_key *key)
{
    uint64_t h = 0;
    const unsigned char *bytes = (const unsigned char *)key;

    for (size_t i = 0; i < sizeof *key; i++)
        h = (h ^ bytes[i]) * 0x100000001b3;           /* FNV-1a */
    size_t at = (h ^ h >> 32) & (size - 1);
    while (plans[at].key.used && memcmp(&plans[at].key, key, sizeof *key) != 0)
        at = (at + 1) & (size - 1);
    return &plans[at];
}

static void cache_grow(struct gemm_cache *g)
{
    struct gemm_plan *plans = mem_array(g->size * 2, sizeof *plans);

    for (size_t i = 0; i < g->size; i++)
        if (g->plans[i].key.used)
            *cache_find(plans, g->size * 2, &g->plans[i].key) = g->plans[i];
    free(g->plans);
    g->plans = plans;
    g->size *= 2;
}

static void describe(dnnl_memory_desc_t *out, int64_t rows, int64_t cols, int32_t type,
                     int64_t stride, bool transpose)
{
    const dnnl_dims_t dims = { rows, cols };
    const dnnl_dims_t strides = { transpose ? 1 : stride, transpose ? stride : 1 };

    DNNL(dnnl_memory_desc_init_by_strides(out, 2, dims, type == DT_BF16 ? dnnl_bf16 : dnnl_f32,
                                          strides));
}

static dnnl_primitive_attr_t attributes(bool accumulate)
{
    dnnl_primitive_attr_t attr;

    DNNL(dnnl_primitive_attr_create(&attr));
    DNNL(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
    if (accumulate) {
        dnnl_post_ops_t ops;
        DNNL(dnnl_post_ops_create(&ops));
        DNNL(dnnl_post_ops_append_sum(ops, 1.0f));
        DNNL(dnnl_primitive_attr_set_post_ops(attr, ops));
        DNNL(dnnl_post_ops_destroy(ops));
    }
    return attr;
}

static void plan_make(struct gemm_cache *g, struct gemm_plan *p)
{
    const struct gemm_key *k = &p->key;
    dnnl_memory_desc_t a, b, out;
    dnnl_matmul_desc_t desc;
    dnnl_primitive_desc_t pd;
    dnnl_primitive_attr_t attr = attributes(k->accumulate);

    describe(&a, k->m, k->k, k->type, k->a_stride, k->transpose_a);
    describe(&b, k->k, k->n, k->type, k->b_stride, k->transpose_b);
    describe(&out, k->m, k->n, k->out_type, k->out_stride, false);
    DNNL(dnnl_matmul_desc_init(&desc, &a, &b, NULL, &out));
    DNNL(dnnl_primitive_desc_create(&pd, &desc, attr, g->engine, NULL));
    const dnnl_memory_desc_t *scratch =
        dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    p->scratch_bytes = dnnl_memory_desc_get_size(scratch);
    DNNL(dnnl_memory_create(&p->a, &a, g->engine, DNNL_MEMORY_NONE));
    DNNL(dnnl_memory_create(&p->b, &b, g->engine, DNNL_MEMORY_NONE));
    DNNL(dnnl_memory_create(&p->out, &out, g->engine, DNNL_MEMORY_NONE));
    DNNL(dnnl_memory_create(&p->scratch, scratch, g->engine, DNNL_MEMORY_NONE));
    DNNL(dnnl_primitive_create(&p->primitive, pd));
    DNNL(dnnl_primitive_desc_destroy(pd));
    DNNL(dnnl_primitive_attr_destroy(attr));
}

static struct gemm_plan *plan_of(struct gemm_cache *g, const struct gemm_key *key)
{
    struct gemm_plan *p = cache_find(g->plans, g->size, key);

    if (p->key.used)
        return p;
    if (g->count == MAX_PLANS)
        cache_clear(g);
    if (2 * (g->count + 1) > g->size)
        cache_grow(g);
    p = cache_find(g->plans, g->size, key);
    p->key = *key;
    plan_make(g, p);
    g->count++;
    return p;
}

/* ---- the operation ---- */

/* What oneDNN does as the machine's speed allows and our contract asks for. */
static bool takes(const struct matmul_args *a, int64_t depth)
{
    if (a->row_invariant || a->out.rows == 0 || a->out.cols == 0 || depth == 0)
        return false;
    if (a->out.type != a->a.type && a->out.type != DT_F32)
        return false;
    return a->a.type == DT_F32 || cpu_features()->avx512_bf16;
}

/* What we do ourselves. */
static enum status own_matmul(struct stream *s, const struct matmul_args *a)
{
    const struct op_table *own =
        cpu_features()->avx512_bf16 ? &cpu_avx512bf16_gemm : &cpu_avx512_gemm;

    return own->matmul(s, a);
}

static enum status matmul(struct stream *s, const struct matmul_args *a)
{
    const int64_t depth = a->transpose_a ? a->a.rows : a->a.cols;

    if (!takes(a, depth))
        return own_matmul(s, a);
    const struct gemm_key key = {
        .m = a->out.rows, .n = a->out.cols, .k = depth,
        .a_stride = a->a.stride, .b_stride = a->b.stride, .out_stride = a->out.stride,
        .type = (int32_t)a->a.type, .out_type = (int32_t)a->out.type, .transpose_a = a->transpose_a,
        .transpose_b = a->transpose_b, .accumulate = a->accumulate, .used = 1,
    };
    struct gemm_cache *g = cache_of(s);
    struct gemm_plan *p = plan_of(g, &key);
    DNNL(dnnl_memory_set_data_handle(p->a, a->a.p));
    DNNL(dnnl_memory_set_data_handle(p->b, a->b.p));
    DNNL(dnnl_memory_set_data_handle(p->out, a->out.p));
    DNNL(dnnl_memory_set_data_handle(p->scratch, cpu_scratch(s, p->scratch_bytes)));
    const dnnl_exec_arg_t args[] = { { DNNL_ARG_SRC, p->a },
                                     { DNNL_ARG_WEIGHTS, p->b },
                                     { DNNL_ARG_DST, p->out },
                                     { DNNL_ARG_SCRATCHPAD, p->scratch } };
    DNNL(dnnl_primitive_execute(p->primitive, g->stream, 4, args));
    return ST_OK;
}

const struct op_table cpu_onednn = { .name = "onednn", .matmul = matmul };
