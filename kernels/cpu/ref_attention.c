/* Reference: causal attention over whole sequences, and its gradient. */
#include <math.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/value.h"
#include "kernels/cpu/variants.h"

static float dot(const float *x, const float *y, int64_t n)
{
    float sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static void add_scaled(float *to, float factor, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += factor * x[i];
}

/* First and last row that row n of a batch of sequences of `length` sees. */
static int64_t first_row(const struct tensor *first, int64_t n, int64_t length)
{
    const int64_t start = n / length * length;

    if (first->p == NULL)
        return start;
    const int64_t f = ((const int32_t *)first->p)[n];
    BUG_IF(f < 0 || start + f > n);
    return start + f;
}

/* scores[j] for j in [from, n] become probabilities; returns the log of the sum of exponentials. */
static float softmax(float *scores, int64_t from, int64_t n)
{
    float most = -INFINITY;
    double sum = 0;

    for (int64_t j = from; j <= n; j++)
        most = fmaxf(most, scores[j - from]);
    for (int64_t j = from; j <= n; j++) {
        scores[j - from] = expf(scores[j - from] - most);
        sum += scores[j - from];
    }
    for (int64_t j = from; j <= n; j++)
        scores[j - from] = (float)(scores[j - from] / sum);
    return most + (float)log(sum);
}

enum status ref_attention(struct stream *s, const struct attention_args *a)
{
    const int64_t length = a->q.rows / a->batch, width = a->head_width,
                  group = a->heads / a->kv_heads;
    const float scale = 1.0f / sqrtf((float)width);
    float *tmp = cpu_scratch(s, cpu_part(length + 3 * width, 4));
    float *q_tmp = tmp, *row_tmp = tmp + width, *out = tmp + 2 * width, *scores = tmp + 3 * width;

    for (int64_t n = 0; n < a->q.rows; n++)
        for (int64_t h = 0; h < a->heads; h++) {
            const int64_t from = first_row(&a->first, n, length), kv = h / group * width;
            const float *q = value_row(&a->q, n, h * width, width, q_tmp);
            for (int64_t j = from; j <= n; j++)
                scores[j - from] = scale * dot(q, value_row(&a->k, j, kv, width, row_tmp), width);
            const float lse = softmax(scores, from, n);
            memset(out, 0, (size_t)width * 4);
            for (int64_t j = from; j <= n; j++)
                add_scaled(out, scores[j - from], value_row(&a->v, j, kv, width, row_tmp), width);
            value_put(&a->out, n, h * width, width, out);
            if (a->lse.p != NULL)
                value_f32(&a->lse, n)[h] = lse;
        }
    return ST_OK;
}

/* Work memory of the gradient: dk and dv of one sequence and key head, and rows. */
struct grad_work {
    float *dk, *dv, *dq, *q, *k, *v, *dout, *out;
};

/* Row n of head h: p_j = exp(s_j - lse), ds_j = p_j (dout v_j - dout out); sums into dk and dv,
 * writes dq. */
static void grad_row(const struct attention_grad_args *a, struct grad_work *w, int64_t n, int64_t h)
{
    const int64_t width = a->head_width, length = a->q.rows / a->batch, start = n / length * length;
    const int64_t kv = h / (a->heads / a->kv_heads) * width;
    const float scale = 1.0f / sqrtf((float)width), lse = value_f32(&a->lse, n)[h];
    const float *q = value_row(&a->q, n, h * width, width, w->q);
    const float *dout = value_row(&a->dout, n, h * width, width, w->dout);
    const float delta = dot(dout, value_row(&a->out, n, h * width, width, w->out), width);

    memset(w->dq, 0, (size_t)width * 4);
    for (int64_t j = first_row(&a->first, n, length); j <= n; j++) {
        const float *k = value_row(&a->k, j, kv, width, w->k),
                    *v = value_row(&a->v, j, kv, width, w->v);
        const float p = expf(scale * dot(q, k, width) - lse);
        const float ds = scale * p * (dot(dout, v, width) - delta);
        add_scaled(w->dq, ds, k, width);
        add_scaled(w->dk + (j - start) * width, ds, q, width);
        add_scaled(w->dv + (j - start) * width, p, dout, width);
    }
    value_put(&a->dq, n, h * width, width, w->dq);
}

enum status ref_attention_grad(struct stream *s, const struct attention_grad_args *a)
{
    const int64_t length = a->q.rows / a->batch, width = a->head_width,
                  group = a->heads / a->kv_heads;
    float *tmp = cpu_scratch(s, cpu_part(2 * length * width + 6 * width, 4));
    float *rows = tmp + 2 * length * width;
    struct grad_work w = { .dk = tmp, .dv = tmp + length * width, .dq = rows, .q = rows + width,
                           .k = rows + 2 * width, .v = rows + 3 * width, .dout = rows + 4 * width,
                           .out = rows + 5 * width };

    for (int64_t start = 0; start < a->q.rows; start += length)
        for (int64_t g = 0; g < a->kv_heads; g++) {
            memset(tmp, 0, (size_t)(2 * length * width) * 4);
            for (int64_t h = g * group; h < (g + 1) * group; h++)
                for (int64_t t = 0; t < length; t++)
                    grad_row(a, &w, start + t, h);
            for (int64_t t = 0; t < length; t++) {
                value_put(&a->dk, start + t, g * width, width, w.dk + t * width);
                value_put(&a->dv, start + t, g * width, width, w.dv + t * width);
            }
        }
    return ST_OK;
}
