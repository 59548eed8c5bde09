/*
 * The loss, the norm of the gradient and the optimizer over vectors of either width: included
 * behind vec_*.h and vec_math.h by one file a CPU level. Bound by memory: adamw moves 28 bytes a
 * parameter (30 with a copy) in one pass.
 */
#ifndef TUNDISH_KERNELS_CPU_SIMD_TRAIN_H
#define TUNDISH_KERNELS_CPU_SIMD_TRAIN_H

#include <math.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/value.h"

/* ---- cross entropy ---- */

static float row_most(const float *x, int64_t n)
{
    vf most = vf_set(x[0]);
    int64_t i = 0;

    for (; i + VF <= n; i += VF)
        most = vf_max(most, vf_get(x + i));
    float last = vf_most(most);
    for (; i < n; i++)
        last = fmaxf(last, x[i]);
    return last;
}

/* to[i] = e^(x[i] - most); returns the sum, over lanes and then in a fixed tree. */
static float row_exp(float *to, const float *x, float most, int64_t n)
{
    const vf shift = vf_set(most);
    vf sum0 = vf_zero(), sum1 = vf_zero();
    int64_t i = 0;

    for (; i + 2 * VF <= n; i += 2 * VF) {
        const vf e0 = vf_exp(vf_sub(vf_get(x + i), shift)),
                 e1 = vf_exp(vf_sub(vf_get(x + i + VF), shift));
        vf_put(to + i, e0);
        vf_put(to + i + VF, e1);
        sum0 = vf_add(sum0, e0);
        sum1 = vf_add(sum1, e1);
    }
    for (int64_t n_left; i < n; i += n_left) {
        n_left = n - i < VF ? n - i : VF;
        const vf e = vf_exp(vf_sub(vf_get_n(x + i, n_left), shift));
        vf_put_n(to + i, e, n_left);
        sum0 = vf_add(sum0, vf_between(e, 0, n_left, vf_zero()));
    }
    return vf_sum(vf_add(sum0, sum1));
}

/* Row n: its loss, and with dlogits its gradient. tmp: V floats. */
static void entropy_row(const struct cross_entropy_args *a, int64_t n, int32_t target, float *tmp)
{
    const int64_t vocab = a->logits.cols;
    const float *logits = value_f32(&a->logits, n);
    const float most = row_most(logits, vocab), wanted = logits[target];
    const float sum = row_exp(tmp, logits, most, vocab);

    ((float *)a->losses.p)[n] = logf(sum) + (most - wanted);
    if (a->dlogits.p == NULL)
        return;
    const float at_target = tmp[target] * (a->scale / sum) - a->scale;
    if (a->dlogits.type == DT_F32)
        row_times(value_at(&a->dlogits, n, 0), DT_F32, tmp, a->scale / sum, vocab);
    else
        row_times(value_at(&a->dlogits, n, 0), DT_BF16, tmp, a->scale / sum, vocab);
    value_put(&a->dlogits, n, target, 1, &at_target);
}

static enum status simd_cross_entropy(struct stream *s, const struct cross_entropy_args *a)
{
    const int64_t vocab = a->logits.cols;
    const int32_t *targets = a->targets.p;
    float *tmp = cpu_scratch(s, cpu_part(vocab, 4));

    for (int64_t n = 0; n < a->logits.rows; n++) {
        BUG_IF(targets[n] >= vocab);
        if (targets[n] >= 0) {
            entropy_row(a, n, targets[n], tmp);
            continue;
        }
        ((float *)a->losses.p)[n] = 0;
        if (a->dlogits.p != NULL)
            memset(value_at(&a->dlogits, n, 0), 0, (size_t)vocab * dtype_size(a->dlogits.type));
    }
    return ST_OK;
}

/* ---- sum of squares ---- */

/* The order of ref_sum_squares(): lane i mod 16 in order, then halving. Squares are exact, so the
 * bits are the same. */
static enum status simd_sum_squares(struct stream *s, const struct sum_squares_args *a)
{
    const float *x = a->x.p;
    double lane[16] = { 0 };
    int64_t i = 0;

    for (; i + 16 <= a->x.cols; i += 16)
        vd_add_squares(lane, x + i);
    for (; i < a->x.cols; i++)
        lane[i % 16] += (double)x[i] * x[i];
    for (int half = 8; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] += lane[j + half];
    *a->out = lane[0];
    return ST_OK;
}

/* ---- AdamW ---- */

struct adamw_constants {
    vf scale, beta1, rest1, beta2, rest2, correct1, correct2, eps, lr, decay;
};

INLINE void adamw_step(const struct adamw_args *a, const struct adamw_constants *c, int64_t i,
                       int64_t n)
{
    const vf g = vf_mul(vt_get(a->grad.p, DT_F32, i, n), c->scale),
             p = vt_get(a->param.p, DT_F32, i, n);
    const vf m = vf_fma(c->beta1, vt_get(a->m.p, DT_F32, i, n), vf_mul(c->rest1, g));
    const vf v = vf_fma(c->beta2, vt_get(a->v.p, DT_F32, i, n), vf_mul(vf_mul(c->rest2, g), g));
    const vf root = vf_add(vf_sqrt(vf_mul(v, c->correct2)), c->eps);
    const vf step = vf_fma(c->decay, p, vf_div(vf_mul(m, c->correct1), root));
    const vf next = vf_fnma(c->lr, step, p);

    vt_put(a->m.p, DT_F32, i, n, m);
    vt_put(a->v.p, DT_F32, i, n, v);
    vt_put(a->param.p, DT_F32, i, n, next);
    if (a->copy.p != NULL)
        vt_put(a->copy.p, DT_BF16, i, n, next);
}

static enum status simd_adamw(struct stream *s, const struct adamw_args *a)
{
    const struct adamw_constants c = {
        .scale = vf_set(a->scale), .beta1 = vf_set(a->beta1), .rest1 = vf_set(1.0f - a->beta1),
        .beta2 = vf_set(a->beta2), .rest2 = vf_set(1.0f - a->beta2),
        .correct1 = vf_set((float)(1.0 / (1.0 - pow(a->beta1, (double)a->step)))),
        .correct2 = vf_set((float)(1.0 / (1.0 - pow(a->beta2, (double)a->step)))),
        .eps = vf_set(a->eps), .lr = vf_set(a->lr), .decay = vf_set(a->decay),
    };
    int64_t i = 0;

    for (; i + VF <= a->param.cols; i += VF)
        adamw_step(a, &c, i, VF);
    if (i < a->param.cols)
        adamw_step(a, &c, i, a->param.cols - i);
    return ST_OK;
}

#endif
