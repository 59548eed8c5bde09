/* Reference: the loss, the norm of the gradient, the optimizer. */
#include <math.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/value.h"
#include "kernels/cpu/variants.h"

/* Row n: the loss, and with dlogits its gradient. tmp: V floats. */
static void entropy_row(const struct cross_entropy_args *a, int64_t n, int32_t target, float *tmp)
{
    const int64_t vocab = a->logits.cols;
    const float *logits = value_f32(&a->logits, n);
    float most = logits[0];
    double sum = 0;

    for (int64_t i = 1; i < vocab; i++)
        most = fmaxf(most, logits[i]);
    const float wanted = logits[target];
    for (int64_t i = 0; i < vocab; i++) {
        tmp[i] = expf(logits[i] - most);
        sum += tmp[i];
    }
    ((float *)a->losses.p)[n] = (float)log(sum) + (most - wanted);
    if (a->dlogits.p == NULL)
        return;
    const float factor = (float)(a->scale / sum);
    for (int64_t i = 0; i < vocab; i++)
        tmp[i] *= factor;
    tmp[target] -= a->scale;
    value_put(&a->dlogits, n, 0, vocab, tmp);
}

enum status ref_cross_entropy(struct stream *s, const struct cross_entropy_args *a)
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

/* Lane i mod 16 sums its elements in order; the lanes are then added in pairs, halving. Squares of
 * f32 are exact in f64, so that every variant that keeps this order gives the same bits. */
enum status ref_sum_squares(struct stream *s, const struct sum_squares_args *a)
{
    const float *x = a->x.p;
    double lane[16] = { 0 };

    for (int64_t i = 0; i < a->x.cols; i++)
        lane[i % 16] += (double)x[i] * x[i];
    for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            lane[i] += lane[i + half];
    *a->out = lane[0];
    return ST_OK;
}

enum status ref_adamw(struct stream *s, const struct adamw_args *a)
{
    const float correct1 = (float)(1.0 / (1.0 - pow(a->beta1, (double)a->step)));
    const float correct2 = (float)(1.0 / (1.0 - pow(a->beta2, (double)a->step)));
    float *param = a->param.p, *m = a->m.p, *v = a->v.p;
    const float *grad = a->grad.p;
    uint16_t *copy = a->copy.p;

    for (int64_t i = 0; i < a->param.cols; i++) {
        const float g = grad[i] * a->scale;
        m[i] = a->beta1 * m[i] + (1.0f - a->beta1) * g;
        v[i] = a->beta2 * v[i] + (1.0f - a->beta2) * g * g;
        const float step = m[i] * correct1 / (sqrtf(v[i] * correct2) + a->eps);
        param[i] -= a->lr * (step + a->decay * param[i]);
        if (copy != NULL)
            copy[i] = value_to_bf16(param[i]);
    }
    return ST_OK;
}
