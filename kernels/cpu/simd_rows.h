/*
 * Operations that go row by row, over vectors of either width: included behind vec_*.h and
 * vec_math.h by one file a CPU level. All are bound by memory; each reads its operands once, but
 * for rmsnorm, whose row stays in the first cache.
 */
#ifndef TUNDISH_KERNELS_CPU_SIMD_ROWS_H
#define TUNDISH_KERNELS_CPU_SIMD_ROWS_H

#include <math.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/value.h"

/* ---- embed ---- */

INLINE void row_convert(void *to, enum dtype to_type, const void *from, enum dtype from_type,
                        int64_t n)
{
    int64_t i = 0;

    for (; i + VF <= n; i += VF)
        vt_put(to, to_type, i, VF, vt_get(from, from_type, i, VF));
    if (i < n)
        vt_put(to, to_type, i, n - i, vt_get(from, from_type, i, n - i));
}

static void row_copy(const struct tensor *to, int64_t r, const struct tensor *from,
                     int64_t from_row)
{
    const int64_t n = to->cols;
    void *out = value_at(to, r, 0);
    const void *in = value_at(from, from_row, 0);

    if (to->type == from->type)
        memmove(out, in, (size_t)n * dtype_size(to->type));
    else if (to->type == DT_BF16)
        row_convert(out, DT_BF16, in, DT_F32, n);
    else
        row_convert(out, DT_F32, in, DT_BF16, n);
}

static enum status simd_embed(struct stream *s, const struct embed_args *a)
{
    const int32_t *ids = a->ids.p;

    for (int64_t n = 0; n < a->out.rows; n++) {
        BUG_IF(ids[n] < 0 || ids[n] >= a->table.rows);
        row_copy(&a->out, n, &a->table, ids[n]);
    }
    return ST_OK;
}

static enum status simd_cast(struct stream *s, const struct cast_args *a)
{
    for (int64_t n = 0; n < a->x.rows; n++)
        row_copy(&a->out, n, &a->x, n);
    return ST_OK;
}

/* to += factor * x. */
INLINE void row_add(float *to, float factor, const float *x, int64_t n)
{
    const vf f = vf_set(factor);
    int64_t i = 0;

    for (; i + VF <= n; i += VF)
        vf_put(to + i, vf_fma(f, vf_get(x + i), vf_get(to + i)));
    if (i < n)
        vf_put_n(to + i, vf_fma(f, vf_get_n(x + i, n - i), vf_get_n(to + i, n - i)), n - i);
}

static enum status simd_embed_grad(struct stream *s, const struct embed_grad_args *a)
{
    const int32_t *ids = a->ids.p;

    for (int64_t n = 0; n < a->dout.rows; n++) {
        BUG_IF(ids[n] < 0 || ids[n] >= a->dtable.rows);
        row_add(value_f32(&a->dtable, ids[n]), 1.0f, value_f32(&a->dout, n), a->dout.cols);
    }
    return ST_OK;
}

static enum status simd_add(struct stream *s, const struct add_args *a)
{
    for (int64_t n = 0; n < a->x.rows; n++)
        row_add(value_f32(&a->out, n), a->alpha, value_f32(&a->x, n), a->x.cols);
    return ST_OK;
}

/* ---- rmsnorm ---- */

static float row_rstd(const float *x, int64_t n, float eps)
{
    vf sum0 = vf_zero(), sum1 = vf_zero();
    int64_t i = 0;

    for (; i + 2 * VF <= n; i += 2 * VF) {
        const vf x0 = vf_get(x + i), x1 = vf_get(x + i + VF);
        sum0 = vf_fma(x0, x0, sum0);
        sum1 = vf_fma(x1, x1, sum1);
    }
    for (; i < n; i += VF) {
        const vf last = n - i >= VF ? vf_get(x + i) : vf_get_n(x + i, n - i);
        sum0 = vf_fma(last, last, sum0);
    }
    return 1.0f / sqrtf(vf_sum(vf_add(sum0, sum1)) / (float)n + eps);
}

INLINE void row_scale(void *out, enum dtype t, const float *x, const float *w, float rstd,
                      int64_t n)
{
    const vf r = vf_set(rstd);
    int64_t i = 0;

    for (; i + VF <= n; i += VF)
        vt_put(out, t, i, VF, vf_mul(vf_mul(vf_get(x + i), r), vf_get(w + i)));
    if (i < n)
        vt_put(out, t, i, n - i, vf_mul(vf_mul(vf_get_n(x + i, n - i), r), vf_get_n(w + i, n - i)));
}

static enum status simd_rmsnorm(struct stream *s, const struct rmsnorm_args *a)
{
    for (int64_t n = 0; n < a->x.rows; n++) {
        const float *x = value_f32(&a->x, n);
        const float rstd = row_rstd(x, a->x.cols, a->eps);
        if (a->out.type == DT_F32)
            row_scale(value_at(&a->out, n, 0), DT_F32, x, a->w.p, rstd, a->x.cols);
        else
            row_scale(value_at(&a->out, n, 0), DT_BF16, x, a->w.p, rstd, a->x.cols);
        if (a->rstd.p != NULL)
            ((float *)a->rstd.p)[n] = rstd;
    }
    return ST_OK;
}

struct norm_row {
    float *dx, *dw;
    const void *dout;
    const float *x, *w;
    float rstd;
};

INLINE vf norm_dot(const struct norm_row *r, enum dtype t, int64_t i, int64_t n, vf sum)
{
    const vf g = vf_mul(vt_get(r->dout, t, i, n), vt_get(r->w, DT_F32, i, n));

    return vf_fma(g, vt_get(r->x, DT_F32, i, n), sum);
}

INLINE void norm_step(const struct norm_row *r, enum dtype t, vf mean, int64_t i, int64_t n)
{
    const vf rstd = vf_set(r->rstd), dout = vt_get(r->dout, t, i, n);
    const vf y = vf_mul(vt_get(r->x, DT_F32, i, n), rstd);
    const vf part = vf_fnma(y, mean, vf_mul(dout, vt_get(r->w, DT_F32, i, n)));

    vt_put(r->dx, DT_F32, i, n, vf_fma(rstd, part, vt_get(r->dx, DT_F32, i, n)));
    vt_put(r->dw, DT_F32, i, n, vf_fma(dout, y, vt_get(r->dw, DT_F32, i, n)));
}

/* dx += rstd (g - y mean(g y)), g = dout w, y = x rstd; dw += dout y. */
INLINE void norm_grad_row(const struct norm_row *r, enum dtype t, int64_t n)
{
    vf sum0 = vf_zero(), sum1 = vf_zero();
    int64_t i = 0;

    for (; i + 2 * VF <= n; i += 2 * VF) {
        sum0 = norm_dot(r, t, i, VF, sum0);
        sum1 = norm_dot(r, t, i + VF, VF, sum1);
    }
    for (; i < n; i += VF)
        sum0 = norm_dot(r, t, i, n - i < VF ? n - i : VF, sum0);
    const vf mean = vf_set(vf_sum(vf_add(sum0, sum1)) * r->rstd / (float)n);
    for (i = 0; i + VF <= n; i += VF)
        norm_step(r, t, mean, i, VF);
    if (i < n)
        norm_step(r, t, mean, i, n - i);
}

static enum status simd_rmsnorm_grad(struct stream *s, const struct rmsnorm_grad_args *a)
{
    for (int64_t n = 0; n < a->x.rows; n++) {
        const struct norm_row r = {
            .dx = value_f32(&a->dx, n), .dw = a->dw.p, .dout = value_at(&a->dout, n, 0),
            .x = value_f32(&a->x, n), .w = a->w.p, .rstd = ((const float *)a->rstd.p)[n],
        };
        if (a->dout.type == DT_F32)
            norm_grad_row(&r, DT_F32, a->x.cols);
        else
            norm_grad_row(&r, DT_BF16, a->x.cols);
    }
    return ST_OK;
}

/* ---- rope ---- */

INLINE void rope_step(void *x, enum dtype t, const float *table, vf sign, int64_t half, int64_t i,
                      int64_t n)
{
    const vf cosine = vt_get(table, DT_F32, i, n),
             sine = vf_mul(sign, vt_get(table, DT_F32, half + i, n));
    const vf low = vt_get(x, t, i, n), high = vt_get(x, t, half + i, n);

    vt_put(x, t, i, n, vf_fnma(high, sine, vf_mul(low, cosine)));
    vt_put(x, t, half + i, n, vf_fma(low, sine, vf_mul(high, cosine)));
}

INLINE void rope_head(void *x, enum dtype t, const float *table, float sign, int64_t half)
{
    int64_t i = 0;

    for (; i + VF <= half; i += VF)
        rope_step(x, t, table, vf_set(sign), half, i, VF);
    if (i < half)
        rope_step(x, t, table, vf_set(sign), half, i, half - i);
}

static enum status simd_rope(struct stream *s, const struct rope_args *a)
{
    const int32_t *positions = a->positions.p;
    const float sign = a->inverse ? -1.0f : 1.0f;

    for (int64_t n = 0; n < a->x.rows; n++) {
        BUG_IF(positions[n] < 0 || positions[n] >= a->table.rows);
        const float *table = value_f32(&a->table, positions[n]);
        for (int64_t c = 0; c < a->x.cols; c += a->head_width) {
            if (a->x.type == DT_F32)
                rope_head(value_at(&a->x, n, c), DT_F32, table, sign, a->head_width / 2);
            else
                rope_head(value_at(&a->x, n, c), DT_BF16, table, sign, a->head_width / 2);
        }
    }
    return ST_OK;
}

/* ---- swiglu ---- */

INLINE void swiglu_row(void *out, const void *gate, const void *up, enum dtype t, int64_t width)
{
    for (int64_t i = 0, n; i < width; i += n) {
        n = width - i < VF ? width - i : VF;
        const vf g = vt_get(gate, t, i, n);
        vt_put(out, t, i, n, vf_mul(vf_mul(g, vf_sigmoid(g)), vt_get(up, t, i, n)));
    }
}

static enum status simd_swiglu(struct stream *s, const struct swiglu_args *a)
{
    for (int64_t n = 0; n < a->gate.rows; n++) {
        void *out = value_at(&a->out, n, 0);
        const void *gate = value_at(&a->gate, n, 0), *up = value_at(&a->up, n, 0);
        if (a->gate.type == DT_F32)
            swiglu_row(out, gate, up, DT_F32, a->gate.cols);
        else
            swiglu_row(out, gate, up, DT_BF16, a->gate.cols);
    }
    return ST_OK;
}

struct swiglu_ptrs {
    void *dgate, *dup;
    const void *dout, *gate, *up;
};

/* silu'(x) = sig(x) (1 + x (1 - sig(x))). */
INLINE void swiglu_grad_row(const struct swiglu_ptrs *p, enum dtype t, int64_t width)
{
    const vf one = vf_set(1.0f);

    for (int64_t i = 0, n; i < width; i += n) {
        n = width - i < VF ? width - i : VF;
        const vf g = vt_get(p->gate, t, i, n), dout = vt_get(p->dout, t, i, n), sig = vf_sigmoid(g);
        const vf slope = vf_mul(sig, vf_fma(g, vf_sub(one, sig), one));
        vt_put(p->dgate, t, i, n, vf_mul(vf_mul(dout, vt_get(p->up, t, i, n)), slope));
        vt_put(p->dup, t, i, n, vf_mul(dout, vf_mul(g, sig)));
    }
}

static enum status simd_swiglu_grad(struct stream *s, const struct swiglu_grad_args *a)
{
    for (int64_t n = 0; n < a->gate.rows; n++) {
        const struct swiglu_ptrs p = {
            .dgate = value_at(&a->dgate, n, 0),
            .dup = value_at(&a->dup, n, 0),
            .dout = value_at(&a->dout, n, 0),
            .gate = value_at(&a->gate, n, 0),
            .up = value_at(&a->up, n, 0),
        };
        if (a->gate.type == DT_F32)
            swiglu_grad_row(&p, DT_F32, a->gate.cols);
        else
            swiglu_grad_row(&p, DT_BF16, a->gate.cols);
    }
    return ST_OK;
}

#endif
