#include "kernels/op_cases.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "kernels/cpu/value.h"
#include "kernels/op_cases_table.h"

const int op_cases_count = sizeof op_cases / sizeof op_cases[0];

/* ---- operands ---- */

static struct tensor operand(struct op_run *r, const char *name, enum dtype type, int64_t rows,
                             int64_t cols, bool output)
{
    const int64_t stride = cols + (rows > 1 ? r->c->pad : 0);
    struct op_operand *o = &r->operands[r->count];

    BUG_IF(r->count == OP_OPERANDS);
    o->name = name;
    o->output = output;
    o->t = (struct tensor){ mem_alloc_aligned((size_t)(rows * stride) * dtype_size(type) + 64),
                            type, rows, cols, stride };
    r->count++;
    return o->t;
}

/* A stream of random numbers by the operand's name. */
static uint64_t stream_of(const char *name)
{
    uint64_t h = 0xcbf29ce484222325;

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3;      /* FNV-1a */
    return h;
}

/* Normal(0, spread). */
static struct tensor input(struct op_run *r, const char *name, enum dtype type, int64_t rows,
                           int64_t cols, double spread)
{
    const struct tensor t = operand(r, name, type, rows, cols, false);

    for (int64_t n = 0; n < rows; n++)
        for (int64_t c = 0; c < cols; c++) {
            const float x =
                (float)(spread * rng_normal_at(7, stream_of(name), (uint64_t)(n * cols + c)));
            value_put(&t, n, c, 1, &x);
        }
    return t;
}

static struct tensor output(struct op_run *r, const char *name, enum dtype type, int64_t rows,
                            int64_t cols)
{
    return operand(r, name, type, rows, cols, true);
}

/* An output that is added to: starts with random values. */
static struct tensor sum(struct op_run *r, const char *name, int64_t rows, int64_t cols)
{
    const struct tensor t = input(r, name, DT_F32, rows, cols, 1);

    r->operands[r->count - 1].output = true;
    return t;
}

static struct tensor integers(struct op_run *r, const char *name, int64_t rows, int64_t cols,
                              int64_t below)
{
    const struct tensor t = operand(r, name, DT_I32, rows, cols, false);

    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            value_i32(&t, i)[j] =
                (int32_t)(rng_at(9, stream_of(name), (uint64_t)(i * cols + j)) % (uint64_t)below);
    return t;
}

static void moved(struct op_run *r, double bytes) { r->bytes = bytes; }

static double tensor_bytes(const struct tensor *t)
{
    return (double)(t->rows * t->cols) * (double)dtype_size(t->type);
}

/* Every operand once: what most operations move. */
static void moved_once(struct op_run *r)
{
    for (int i = 0; i < r->count; i++)
        r->bytes += tensor_bytes(&r->operands[i].t);
}

/* ---- one function an operation ---- */

static void build_embed(struct op_run *r, struct stream *setup)
{
    const struct op_case *c = r->c;
    const struct tensor table = input(r, "table", c->type, c->inner, c->cols, 1);

    r->args.embed = (struct embed_args){
        .table = table,
        .ids = integers(r, "ids", 1, c->rows, c->inner),
        .out = output(r, "out", c->out, c->rows, c->cols),
    };
    moved(r, 2 * tensor_bytes(&r->args.embed.out));
}

static void build_embed_grad(struct op_run *r, struct stream *setup)
{
    const struct op_case *c = r->c;

    r->args.embed_grad = (struct embed_grad_args){
        .dtable = sum(r, "dtable", c->inner, c->cols),
        .dout = input(r, "dout", DT_F32, c->rows, c->cols, 1),
        .ids = integers(r, "ids", 1, c->rows, c->inner),
    };
    moved(r, 3 * tensor_bytes(&r->args.embed_grad.dout));
}

static void build_rmsnorm(struct op_run *r, struct stream *setup)
{
    const struct op_case *c = r->c;

    r->args.rmsnorm = (struct rmsnorm_args){
        .x = input(r, "x", DT_F32, c->rows, c->cols, 2),
        .w = input(r, "w", DT_F32, 1, c->cols, 1),
        .out = output(r, "out", c->out, c->rows, c->cols),
        .rstd = output(r, "rstd", DT_F32, 1, c->rows),
        .eps = 1e-5f,
    };
    moved_once(r);
}

static void build_rmsnorm_grad(struct op_run *r, struct stream *setup)
{
    const struct op_case *c = r->c;
    struct rmsnorm_grad_args *a = &r->args.rmsnorm_grad;

    *a = (struct rmsnorm_grad_args){
        .x = input(r, "x", DT_F32, c->rows, c->cols, 2),
        .w = input(r, "w", DT_F32, 1, c->cols, 1),
        .dout = input(r, "dout", c->type, c->rows, c->cols, 1),
        .rstd = operand(r, "rstd", DT_F32, 1, c->rows, false),
        .dx = sum(r, "dx", c->rows, c->cols),
        .dw = sum(r, "dw", 1, c->cols),
    };
    for (int64_t n = 0; n < c->rows; n++) {
        double squares = 0;
        for (int64_t i = 0; i < c->cols; i++)
            squares += (double)value_f32(&a->x, n)[i] * value_f32(&a->x, n)[i];
        ((float *)a->rstd.p)[n] = (float)(1 / sqrt(squares / (double)c->cols + 1e-5));
    }
    moved_once(r);
}

static void build_matmul(struct op_run *r, struct stream *setup)
{
    const struct op_case *c = r->c;
    const bool ta = c->transpose_a, tb = c->transpose_b;

    r->args.matmul = (struct matmul_args){
        .a = input(r, "a", c->type, ta ? c->inner : c->rows, ta ? c->rows : c->inner, 1),
        .b = input(r, "b", c->type, tb ? c->cols : c->inner, tb ? c->inner : c->cols, 1),
        .out = c->accumulate ? sum(r, "out", c->rows, c->cols)
                             : output(r, "out", c->out, c->rows, c->cols),
        .transpose_a = ta,
        .transpose_b = tb,
        .accumulate = c->accumulate,
        .row_invariant = c->row_invariant,
    };
    r->flops = 2.0 * (double)c->rows * (double)c->cols * (double)c->inner;
    moved_once(r);
}

static void build_rope(struct op_run *r, struct stream *setup)
{
    const struct op_case *c = r->c;
    const int64_t positions = 300;
    const struct tensor x = input(r, "x", c->type, c->rows, c->heads * c->width, 1);
    const struct tensor table = operand(r, "table", DT_F32, positions, c->width, false);
    struct tensor plain = tensor_of(mem_alloc_aligned((size_t)(positions * c->width) * 4), DT_F32,
                                    positions, c->width);

    r->operands[0].output = true;
    rope_fill(plain.p, positions, c->width, 10000);
    for (int64_t p = 0; p < positions; p++)
        memcpy(value_f32(&table, p), value_f32(&plain, p), (size_t)c->width * 4);
    mem_free_aligned(plain.p);
    r->args.rope = (struct rope_args){ .x = x,
                                       .table = table,
                                       .positions = integers(r, "positions", 1, c->rows, positions),
                                       .head_width = c->width,
                                       .inverse = c->transpose_a };
    moved(r, 2 * tensor_bytes(&x));
}

/* Documents begin at random positions: first[n] is the start of n's document. */
static struct tensor document_starts(struct op_run *r)
{
    const struct op_case *c = r->c;
    const int64_t length = c->rows / c->batch;
    struct tensor first = { 0 };

    if (!c->documents)
        return first;
    first = integers(r, "first", 1, c->rows, 5);
    int32_t *p = first.p, start = 0;
    for (int64_t n = 0; n < c->rows; n++) {
        if (n % length == 0)
            start = 0;
        else if (p[n] == 0)
            start = (int32_t)(n % length);
        p[n] = start;
    }
    return first;
}

static void build_attention(struct op_run *r, struct stream *setup)
{
    const struct op_case *c = r->c;
    const int64_t q_cols = c->heads * c->width, k_cols = c->kv_heads * c->width;

    r->args.attention = (struct attention_args){
        .q = input(r, "q", c->type, c->rows, q_cols, 1.5),
        .k = input(r, "k", c->type, c->rows, k_cols, 1.5),
        .v = input(r, "v", c->type, c->rows, k_cols, 1),
        .out = output(r, "out", c->type, c->rows, q_cols),
        .lse = output(r, "lse", DT_F32, c->rows, c->heads),
        .first = document_starts(r),
        .batch = c->batch,
        .heads = c->heads,
        .kv_heads = c->kv_heads,
        .head_width = c->width,
    };
    r->flops = 2.0 * (double)c->rows * (double)q_cols * (double)(c->rows / c->batch + 1);
    moved_once(r);
}

static void build_attention_grad(struct op_run *r, struct stream *setup)
{
    const struct op_case *c = r->c;
    const int64_t q_cols = c->heads * c->width, k_cols = c->kv_heads * c->width;

    build_attention(r, setup);
    const struct attention_args f = r->args.attention;
    const enum status st = op_attention(setup, &f);
    BUG_IF(st != ST_OK);
    for (int i = 0; i < r->count; i++)
        r->operands[i].output = false;
    r->args.attention_grad = (struct attention_grad_args){
        .q = f.q,
        .k = f.k,
        .v = f.v,
        .out = f.out,
        .lse = f.lse,
        .first = f.first,
        .dout = input(r, "dout", c->type, c->rows, q_cols, 1),
        .dq = output(r, "dq", c->type, c->rows, q_cols),
        .dk = output(r, "dk", c->type, c->rows, k_cols),
        .dv = output(r, "dv", c->type, c->rows, k_cols),
        .batch = c->batch,
        .heads = c->heads,
        .kv_heads = c->kv_heads,
        .head_width = c->width,
    };
    r->flops *= 2.5;
    r->bytes = 0;
    moved_once(r);
}

/* A cache of `batch` sequences of `inner` positions, its pages in mixed order. */
static struct tensor page_table(struct op_run *r, int64_t page_tokens)
{
    const int64_t per_sequence = (r->c->inner + page_tokens - 1) / page_tokens,
                  all = per_sequence * r->c->batch;
    const struct tensor pages = operand(r, "pages", DT_I32, r->c->batch, per_sequence, false);

    for (int64_t i = 0; i < all; i++)
        value_i32(&pages, i / per_sequence)[i % per_sequence] =
            (int32_t)rng_permute(3, (uint64_t)all, (uint64_t)i);
    return pages;
}

static struct kv_pages cache_of(const struct tensor *t, int64_t page_tokens)
{
    return (struct kv_pages){ t->p, t->type, t->rows, page_tokens };
}

enum { PAGE_TOKENS = 16 };

static void build_cache_store(struct op_run *r, struct stream *setup)
{
    const struct op_case *c = r->c;
    const int64_t cols = c->kv_heads * c->width;
    const struct tensor pages = page_table(r, PAGE_TOKENS);
    const struct tensor k_cache =
        output(r, "k_cache", c->out, pages.rows * pages.cols, PAGE_TOKENS * cols);
    const struct tensor v_cache =
        output(r, "v_cache", c->out, pages.rows * pages.cols, PAGE_TOKENS * cols);

    r->args.cache_store = (struct cache_store_args){
        .k_cache = cache_of(&k_cache, PAGE_TOKENS),
        .v_cache = cache_of(&v_cache, PAGE_TOKENS),
        .k = input(r, "k", c->type, c->rows, cols, 1),
        .v = input(r, "v", c->type, c->rows, cols, 1),
        .pages = pages,
        .sequences = integers(r, "sequences", 1, c->rows, c->batch),
        .positions = integers(r, "positions", 1, c->rows, c->inner),
    };
    moved(r, 4 * tensor_bytes(&r->args.cache_store.k));
}

static void build_attention_cached(struct op_run *r, struct stream *setup)
{
    const struct op_case *c = r->c;
    const int64_t cols = c->kv_heads * c->width;
    const struct tensor pages = page_table(r, PAGE_TOKENS);
    const struct tensor k_cache =
        input(r, "k_cache", c->type, pages.rows * pages.cols, PAGE_TOKENS * cols, 1.5);
    const struct tensor v_cache =
        input(r, "v_cache", c->type, pages.rows * pages.cols, PAGE_TOKENS * cols, 1);
    struct attention_cached_args *a = &r->args.attention_cached;

    *a = (struct attention_cached_args){
        .q = input(r, "q", c->type, c->rows, c->heads * c->width, 1.5),
        .out = output(r, "out", c->out, c->rows, c->heads * c->width),
        .k_cache = cache_of(&k_cache, PAGE_TOKENS),
        .v_cache = cache_of(&v_cache, PAGE_TOKENS),
        .pages = pages,
        .sequences = integers(r, "sequences", 1, c->rows, c->batch),
        .positions = integers(r, "positions", 1, c->rows, c->inner),
        .heads = c->heads,
        .kv_heads = c->kv_heads,
        .head_width = c->width,
    };
    for (int64_t n = 0; n < c->rows; n++) {
        const double seen = (double)(value_i32(&a->positions, 0)[n] + 1);
        r->flops += 4 * seen * (double)(c->heads * c->width);
        r->bytes += 2 * seen * (double)cols * (double)dtype_size(c->type);
    }
}

static void build_swiglu(struct op_run *r, struct stream *setup)
{
    const struct op_case *c = r->c;

    r->args.swiglu = (struct swiglu_args){ .gate = input(r, "gate", c->type, c->rows, c->cols, 3),
                                           .up = input(r, "up", c->type, c->rows, c->cols, 1),
                                           .out = output(r, "out", c->type, c->rows, c->cols) };
    moved_once(r);
}

static void build_swiglu_grad(struct op_run *r, struct stream *setup)
{
    const struct op_case *c = r->c;

    r->args.swiglu_grad = (struct swiglu_grad_args){
        .gate = input(r, "gate", c->type, c->rows, c->cols, 3),
        .up = input(r, "up", c->type, c->rows, c->cols, 1),
        .dout = input(r, "dout", c->type, c->rows, c->cols, 1),
        .dgate = output(r, "dgate", c->type, c->rows, c->cols),
        .dup = output(r, "dup", c->type, c->rows, c->cols),
    };
    moved_once(r);
}

static void build_cross_entropy(struct op_run *r, struct stream *setup)
{
    const struct op_case *c = r->c;
    const struct tensor logits = input(r, "logits", DT_F32, c->rows, c->cols, 3);
    const struct tensor targets = integers(r, "targets", 1, c->rows, c->cols);

    for (int64_t n = 3; n < c->rows; n += 7)
        value_i32(&targets, 0)[n] = -1;
    r->operands[0].output = c->in_place;
    r->args.cross_entropy = (struct cross_entropy_args){
        .logits = logits,
        .targets = targets,
        .losses = output(r, "losses", DT_F32, 1, c->rows),
        .scale = 0.25f,
        .dlogits = c->in_place ? logits : output(r, "dlogits", c->out, c->rows, c->cols),
    };
    moved_once(r);
}

static void build_add(struct op_run *r, struct stream *setup)
{
    r->args.add = (struct add_args){ .out = sum(r, "out", r->c->rows, r->c->cols),
                                     .x = input(r, "x", DT_F32, r->c->rows, r->c->cols, 1),
                                     .alpha = 0.3f };
    moved_once(r);
}

static void build_cast(struct op_run *r, struct stream *setup)
{
    r->args.cast = (struct cast_args){ .x = input(r, "x", r->c->type, r->c->rows, r->c->cols, 1),
                                       .out = output(r, "out", r->c->out, r->c->rows, r->c->cols) };
    moved_once(r);
}

static void build_sum_squares(struct op_run *r, struct stream *setup)
{
    const struct tensor out = output(r, "out", DT_F32, 1, 2);       /* the bits of one f64 */

    r->args.sum_squares =
        (struct sum_squares_args){ .out = out.p, .x = input(r, "x", DT_F32, 1, r->c->cols, 1) };
    moved_once(r);
}

static void build_adamw(struct op_run *r, struct stream *setup)
{
    const int64_t n = r->c->cols;
    struct adamw_args *a = &r->args.adamw;

    *a = (struct adamw_args){ .param = sum(r, "param", 1, n),
                              .m = sum(r, "m", 1, n),
                              .v = sum(r, "v", 1, n),
                              .grad = input(r, "grad", DT_F32, 1, n, 1),
                              .copy = output(r, "copy", DT_BF16, 1, n),
                              .lr = 1e-3f,
                              .beta1 = 0.9f,
                              .beta2 = 0.95f,
                              .eps = 1e-8f,
                              .decay = 0.1f,
                              .scale = 0.7f,
                              .step = 3 };
    for (int64_t i = 0; i < n; i++)
        ((float *)a->v.p)[i] = fabsf(((float *)a->v.p)[i]);
    moved(r, 30.0 * (double)n);
}

/* ---- the face ---- */

struct op_run *op_run_new(const struct op_case *c, struct stream *setup)
{
    static void (*const build[])(struct op_run *, struct stream *) = {
#define X(op) build_##op,
        KERNEL_OPS(X)
#undef X
    };
    struct op_run *r = mem_alloc(sizeof *r);

    r->c = c;
    build[c->op](r, setup);
    return r;
}

void op_run_free(struct op_run *r)
{
    for (int i = 0; i < r->count; i++)
        mem_free_aligned(r->operands[i].t.p);
    free(r);
}

enum status op_run_go(const struct op_run *r, struct stream *s)
{
    switch (r->c->op) {
#define X(op)             \
    case KERNEL_OP_##op:  \
        return op_##op(s, &r->args.op);
        KERNEL_OPS(X)
#undef X
    default:
        BUG_IF(true);
    }
}

struct tensor *op_run_operand(struct op_run *r, const char *name)
{
    for (int i = 0; i < r->count; i++)
        if (strcmp(r->operands[i].name, name) == 0)
            return &r->operands[i].t;
    return NULL;
}

const char *op_case_name(const struct op_case *c, char *out)
{
    int n = snprintf(out, 96, "%s %s", kernel_op_name(c->op), dtype_name(c->type));

    if (c->out != c->type)
        n += snprintf(out + n, 96 - (size_t)n, ">%s", dtype_name(c->out));
    if (c->rows > 0)
        n += snprintf(out + n, 96 - (size_t)n, " %lld", (long long)c->rows);
    if (c->cols > 0)
        n += snprintf(out + n, 96 - (size_t)n, "%s%lld", c->rows > 0 ? "x" : " ",
                      (long long)c->cols);
    if (c->inner > 0)
        n += snprintf(out + n, 96 - (size_t)n, "x%lld", (long long)c->inner);
    if (c->heads > 0)
        n += snprintf(out + n, 96 - (size_t)n, " B%lld H%lld K%lld D%lld", (long long)c->batch,
                      (long long)c->heads, (long long)c->kv_heads, (long long)c->width);
    snprintf(out + n, 96 - (size_t)n, "%s%s%s%s%s%s", c->transpose_a ? " ta" : "",
             c->transpose_b ? " tb" : "", c->accumulate ? " add" : "",
             c->row_invariant ? " row-invariant" : "", c->documents ? " documents" : "",
             c->pad ? " strided" : "");
    return out;
}
