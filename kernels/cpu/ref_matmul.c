/*
 * Reference of the matrix product: b is laid out as f32 [K, N] once, then each row of out is a sum
 * over k in order, all columns at a time. An element's sum is the same whatever M is, so this
 * serves row_invariant too.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/value.h"
#include "kernels/cpu/variants.h"

static void lay_b(const struct matmul_args *a, int64_t depth, float *out, float *tmp)
{
    const int64_t cols = a->out.cols;

    if (!a->transpose_b) {
        for (int64_t k = 0; k < depth; k++)
            memcpy(out + k * cols, value_row(&a->b, k, 0, cols, tmp), (size_t)cols * 4);
        return;
    }
    for (int64_t n = 0; n < cols; n++) {
        const float *row = value_row(&a->b, n, 0, depth, tmp);
        for (int64_t k = 0; k < depth; k++)
            out[k * cols + n] = row[k];
    }
}

static float element_a(const struct matmul_args *a, int64_t m, int64_t k)
{
    float tmp;

    return a->transpose_a ? *value_row(&a->a, k, m, 1, &tmp) : *value_row(&a->a, m, k, 1, &tmp);
}

enum status ref_matmul(struct stream *s, const struct matmul_args *a)
{
    const int64_t cols = a->out.cols, depth = a->transpose_a ? a->a.rows : a->a.cols;
    const size_t b_bytes = cpu_part(depth * cols, 4), sum_bytes = cpu_part(cols, 4);
    char *scratch = cpu_scratch(s, b_bytes + sum_bytes + cpu_part(cols > depth ? cols : depth, 4));
    float *b = (float *)scratch, *sum = (float *)(scratch + b_bytes);
    float *tmp = (float *)(scratch + b_bytes + sum_bytes);

    lay_b(a, depth, b, tmp);
    for (int64_t m = 0; m < a->out.rows; m++) {
        memset(sum, 0, (size_t)cols * 4);
        for (int64_t k = 0; k < depth; k++) {
            const float x = element_a(a, m, k);
            const float *row = b + k * cols;
            for (int64_t n = 0; n < cols; n++)
                sum[n] += x * row[n];
        }
        if (a->accumulate)
            for (int64_t n = 0; n < cols; n++)
                sum[n] += value_f32(&a->out, m)[n];
        value_put(&a->out, m, 0, cols, sum);
    }
    return ST_OK;
}
