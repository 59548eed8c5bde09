/* Reference: the paged cache of keys and values, and attention over it. */
#include <math.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/paged.h"
#include "kernels/cpu/variants.h"

enum status ref_cache_store(struct stream *s, const struct cache_store_args *a)
{
    const int64_t width = a->k.cols;
    const int32_t *sequences = a->sequences.p, *positions = a->positions.p;
    float *tmp = cpu_scratch(s, cpu_part(width, 4));

    for (int64_t n = 0; n < a->k.rows; n++) {
        const struct tensor k =
            paged_row(&a->k_cache, &a->pages, sequences[n], positions[n], width);
        const struct tensor v =
            paged_row(&a->v_cache, &a->pages, sequences[n], positions[n], width);
        value_put(&k, 0, 0, width, value_row(&a->k, n, 0, width, tmp));
        value_put(&v, 0, 0, width, value_row(&a->v, n, 0, width, tmp));
    }
    return ST_OK;
}

/* Softmax over the positions 0 .. last with a running maximum, one position at a time. */
static void attend(const struct attention_cached_args *a, int64_t n, int64_t h, float *q_tmp,
                   float *row_tmp, float *out)
{
    const int64_t width = a->head_width, kv = h / (a->heads / a->kv_heads) * width;
    const int64_t kv_cols = a->kv_heads * width;
    const int32_t sequence = ((const int32_t *)a->sequences.p)[n],
                  last = ((const int32_t *)a->positions.p)[n];
    const float *q = value_row(&a->q, n, h * width, width, q_tmp);
    const float scale = 1.0f / sqrtf((float)width);
    float most = -INFINITY, sum = 0;

    memset(out, 0, (size_t)width * 4);
    for (int32_t j = 0; j <= last; j++) {
        const struct tensor key = paged_row(&a->k_cache, &a->pages, sequence, j, kv_cols);
        const struct tensor value = paged_row(&a->v_cache, &a->pages, sequence, j, kv_cols);
        const float *k = value_row(&key, 0, kv, width, row_tmp);
        float score = 0;
        for (int64_t i = 0; i < width; i++)
            score += q[i] * k[i];
        score *= scale;
        const float now = fmaxf(most, score), keep = expf(most - now), p = expf(score - now);
        const float *v = value_row(&value, 0, kv, width, row_tmp);
        for (int64_t i = 0; i < width; i++)
            out[i] = out[i] * keep + p * v[i];
        sum = sum * keep + p;
        most = now;
    }
    for (int64_t i = 0; i < width; i++)
        out[i] /= sum;
}

enum status ref_attention_cached(struct stream *s, const struct attention_cached_args *a)
{
    const int64_t width = a->head_width;
    float *tmp = cpu_scratch(s, cpu_part(3 * width, 4));

    for (int64_t n = 0; n < a->q.rows; n++)
        for (int64_t h = 0; h < a->heads; h++) {
            attend(a, n, h, tmp, tmp + width, tmp + 2 * width);
            value_put(&a->out, n, h * width, width, tmp + 2 * width);
        }
    return ST_OK;
}
