/* The front door: each op_NAME() checks its operands and hands over to the device's table. */
#include "kernels/ops.h"

#include <math.h>

#include "kernels/backend.h"

/* Sets of types, as bits of enum dtype. */
enum { F32 = 1 << DT_F32, BF16 = 1 << DT_BF16, I32 = 1 << DT_I32, ANY = F32 | BF16 };

static bool is(const struct tensor *t, int types, int64_t rows, int64_t cols)
{
    return (1 << t->type & types) != 0 && t->rows == rows && t->cols == cols && t->stride >= cols &&
           (t->p != NULL || rows == 0 || cols == 0);
}

/* As is(), one run of memory (a vector has one row). */
static bool is_dense(const struct tensor *t, int types, int64_t rows, int64_t cols)
{
    return is(t, types, rows, cols) && (t->stride == cols || rows <= 1);
}

static bool is_or_none(const struct tensor *t, int types, int64_t rows, int64_t cols)
{
    return t->p == NULL || is(t, types, rows, cols);
}

static bool is_pages(const struct kv_pages *c, enum dtype t, int64_t pages, int64_t page_tokens)
{
    return c->p != NULL && c->type == t && (t == DT_F32 || t == DT_BF16) && c->pages == pages &&
           c->page_tokens == page_tokens && page_tokens > 0;
}

static void check_embed(const struct embed_args *a)
{
    BUG_IF(!is(&a->out, ANY, a->out.rows, a->table.cols));
    BUG_IF(!is(&a->table, ANY, a->table.rows, a->table.cols));
    BUG_IF(!is(&a->ids, I32, 1, a->out.rows));
}

static void check_embed_grad(const struct embed_grad_args *a)
{
    BUG_IF(!is(&a->dtable, F32, a->dtable.rows, a->dtable.cols));
    BUG_IF(!is(&a->dout, F32, a->dout.rows, a->dtable.cols));
    BUG_IF(!is(&a->ids, I32, 1, a->dout.rows));
}

static void check_rmsnorm(const struct rmsnorm_args *a)
{
    const int64_t n = a->x.rows, c = a->x.cols;

    BUG_IF(!is(&a->out, ANY, n, c));
    BUG_IF(!is(&a->x, F32, n, c));
    BUG_IF(!is(&a->w, F32, 1, c));
    BUG_IF(!is_or_none(&a->rstd, F32, 1, n));
    BUG_IF(c < 1);
}

static void check_rmsnorm_grad(const struct rmsnorm_grad_args *a)
{
    const int64_t n = a->x.rows, c = a->x.cols;

    BUG_IF(!is(&a->dx, F32, n, c));
    BUG_IF(!is(&a->dw, F32, 1, c));
    BUG_IF(!is(&a->dout, ANY, n, c));
    BUG_IF(!is(&a->x, F32, n, c));
    BUG_IF(!is(&a->w, F32, 1, c));
    BUG_IF(!is(&a->rstd, F32, 1, n));
    BUG_IF(c < 1);
}

static void check_matmul(const struct matmul_args *a)
{
    const int64_t m = a->out.rows, n = a->out.cols;
    const int64_t k = a->transpose_a ? a->a.rows : a->a.cols;

    BUG_IF(!is(&a->out, ANY, m, n));
    BUG_IF(!is(&a->a, ANY, a->transpose_a ? k : m, a->transpose_a ? m : k));
    BUG_IF(!is(&a->b, 1 << a->a.type, a->transpose_b ? n : k, a->transpose_b ? k : n));
    BUG_IF(a->accumulate && a->out.type != DT_F32);
}

static void check_rope(const struct rope_args *a)
{
    BUG_IF(!is(&a->x, ANY, a->x.rows, a->x.cols));
    BUG_IF(a->head_width < 2 || a->head_width % 2 != 0 || a->x.cols % a->head_width != 0);
    BUG_IF(!is(&a->positions, I32, 1, a->x.rows));
    BUG_IF(!is(&a->table, F32, a->table.rows, a->head_width));
}

/* Heads that fit together, and q [n, H D], k [n, K D]. */
static bool is_heads(int64_t heads, int64_t kv_heads, int64_t width)
{
    return heads > 0 && kv_heads > 0 && width > 0 && heads % kv_heads == 0;
}

static void check_attention(const struct attention_args *a)
{
    const int64_t n = a->q.rows, qc = a->heads * a->head_width, kc = a->kv_heads * a->head_width;
    const int type = 1 << a->q.type;

    BUG_IF(!is_heads(a->heads, a->kv_heads, a->head_width));
    BUG_IF(a->batch < 1 || n % a->batch != 0);
    BUG_IF(!is(&a->q, ANY, n, qc));
    BUG_IF(!is(&a->out, ANY, n, qc));
    BUG_IF(!is(&a->k, type, n, kc));
    BUG_IF(!is(&a->v, type, n, kc));
    BUG_IF(!is_or_none(&a->lse, F32, n, a->heads));
    BUG_IF(!is_or_none(&a->first, I32, 1, n));
}

static void check_attention_grad(const struct attention_grad_args *a)
{
    const int64_t n = a->q.rows, qc = a->heads * a->head_width, kc = a->kv_heads * a->head_width;
    const int type = 1 << a->q.type;

    BUG_IF(!is_heads(a->heads, a->kv_heads, a->head_width));
    BUG_IF(a->batch < 1 || n % a->batch != 0);
    BUG_IF(!is(&a->q, ANY, n, qc));
    BUG_IF(!is(&a->dq, type, n, qc));
    BUG_IF(!is(&a->dout, type, n, qc));
    BUG_IF(!is(&a->out, ANY, n, qc));
    BUG_IF(!is(&a->k, type, n, kc) || !is(&a->dk, type, n, kc));
    BUG_IF(!is(&a->v, type, n, kc) || !is(&a->dv, type, n, kc));
    BUG_IF(!is(&a->lse, F32, n, a->heads));
    BUG_IF(!is_or_none(&a->first, I32, 1, n));
}

static void check_cache_store(const struct cache_store_args *a)
{
    const int64_t n = a->k.rows;

    BUG_IF(!is(&a->k, ANY, n, a->k.cols) || !is(&a->v, 1 << a->k.type, n, a->k.cols));
    BUG_IF(!is_pages(&a->k_cache, a->k_cache.type, a->k_cache.pages, a->k_cache.page_tokens));
    BUG_IF(!is_pages(&a->v_cache, a->k_cache.type, a->k_cache.pages, a->k_cache.page_tokens));
    BUG_IF(!is(&a->pages, I32, a->pages.rows, a->pages.cols));
    BUG_IF(!is(&a->sequences, I32, 1, n) || !is(&a->positions, I32, 1, n));
}

static void check_attention_cached(const struct attention_cached_args *a)
{
    const int64_t n = a->q.rows, qc = a->heads * a->head_width;

    BUG_IF(!is_heads(a->heads, a->kv_heads, a->head_width));
    BUG_IF(!is(&a->q, ANY, n, qc) || !is(&a->out, ANY, n, qc));
    BUG_IF(!is_pages(&a->k_cache, a->k_cache.type, a->k_cache.pages, a->k_cache.page_tokens));
    BUG_IF(!is_pages(&a->v_cache, a->k_cache.type, a->k_cache.pages, a->k_cache.page_tokens));
    BUG_IF(!is(&a->pages, I32, a->pages.rows, a->pages.cols));
    BUG_IF(!is(&a->sequences, I32, 1, n) || !is(&a->positions, I32, 1, n));
}

static void check_swiglu(const struct swiglu_args *a)
{
    const int64_t n = a->gate.rows, f = a->gate.cols;
    const int type = 1 << a->gate.type;

    BUG_IF(!is(&a->gate, ANY, n, f) || !is(&a->up, type, n, f) || !is(&a->out, type, n, f));
}

static void check_swiglu_grad(const struct swiglu_grad_args *a)
{
    const int64_t n = a->gate.rows, f = a->gate.cols;
    const int type = 1 << a->gate.type;

    BUG_IF(!is(&a->gate, ANY, n, f) || !is(&a->up, type, n, f) || !is(&a->dout, type, n, f));
    BUG_IF(!is(&a->dgate, type, n, f) || !is(&a->dup, type, n, f));
}

static void check_cross_entropy(const struct cross_entropy_args *a)
{
    const int64_t n = a->logits.rows, v = a->logits.cols;

    BUG_IF(!is(&a->logits, F32, n, v) || v < 1);
    BUG_IF(!is(&a->losses, F32, 1, n));
    BUG_IF(!is(&a->targets, I32, 1, n));
    BUG_IF(!is_or_none(&a->dlogits, ANY, n, v));
    BUG_IF(a->dlogits.p == a->logits.p &&
           (a->dlogits.type != DT_F32 || a->dlogits.stride != a->logits.stride));
}

static void check_add(const struct add_args *a)
{
    BUG_IF(!is(&a->out, F32, a->x.rows, a->x.cols));
    BUG_IF(!is(&a->x, F32, a->x.rows, a->x.cols));
}

static void check_cast(const struct cast_args *a)
{
    BUG_IF(!is(&a->out, ANY, a->x.rows, a->x.cols));
    BUG_IF(!is(&a->x, ANY, a->x.rows, a->x.cols));
}

static void check_sum_squares(const struct sum_squares_args *a)
{
    BUG_IF(a->out == NULL);
    BUG_IF(!is_dense(&a->x, F32, 1, a->x.cols));
}

static void check_adamw(const struct adamw_args *a)
{
    const int64_t n = a->param.cols;

    BUG_IF(!is_dense(&a->param, F32, 1, n) || !is_dense(&a->grad, F32, 1, n));
    BUG_IF(!is_dense(&a->m, F32, 1, n) || !is_dense(&a->v, F32, 1, n));
    BUG_IF(!is_or_none(&a->copy, BF16, 1, n));
    BUG_IF(a->step < 1);
}

#define X(op)                                                               \
    enum status op_##op(struct stream *s, const struct op##_args *args)     \
    {                                                                       \
        check_##op(args);                                                   \
        return s->device->ops.op(s, args);                                  \
    }
KERNEL_OPS(X)
#undef X

void rope_fill(float *table, int64_t positions, int64_t head_width, double theta)
{
    const int64_t half = head_width / 2;

    for (int64_t p = 0; p < positions; p++)
        for (int64_t i = 0; i < half; i++) {
            const double angle = (double)p * pow(theta, -2.0 * (double)i / (double)head_width);
            table[p * head_width + i] = (float)cos(angle);
            table[p * head_width + half + i] = (float)sin(angle);
        }
}
