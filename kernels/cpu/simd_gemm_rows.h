/*
 * out = a b^T for decoding: weights b [N, K] are read as they lie, once for each DOT_BLOCK rows;
 * bound by memory when the rows are few. The order of a sum depends on K alone, so a row has the
 * same bits alone and among others. Included behind simd_dots.h and simd_gemm.h.
 */
#ifndef TUNDISH_KERNELS_CPU_SIMD_GEMM_ROWS_H
#define TUNDISH_KERNELS_CPU_SIMD_GEMM_ROWS_H

#include "kernels/cpu/cpu.h"

enum { DOT_STAGE = 16, DOT_BLOCK = 192 };      /* columns and rows of a block of results */

static void dot_put(const struct matmul_args *a, int64_t row, int64_t rows, int64_t col,
                    int64_t cols, const float *sums)
{
    for (int64_t r = 0; r < rows; r++, sums += DOT_STAGE)
        for (int64_t c = 0, n; c < cols; c += n) {
            void *out = value_at(&a->out, row + r, col + c);
            n = least(VF, cols - c);
            const vf x = vt_get(sums + c, DT_F32, 0, n);
            if (a->out.type == DT_BF16)
                vt_put(out, DT_BF16, 0, n, x);
            else
                vt_put(out, DT_F32, 0, n, a->accumulate ? vf_add(vt_get(out, DT_F32, 0, n), x) : x);
        }
}

/* Rows [row, row + rows) of out, DOT_STAGE columns at a time: whole lines of out are written at
 * once. */
static void dot_block(const struct matmul_args *a, const char *rows_a, int64_t a_row, int64_t row,
                      int64_t rows, float *stage)
{
    struct dots d = { .a_row = a_row, .b = &a->b, .depth = a->a.cols, .out_stride = DOT_STAGE };

    for (int64_t n = 0; n < a->out.cols; n += DOT_STAGE) {
        const int64_t cols = least(DOT_STAGE, a->out.cols - n);
        for (int64_t c = 0; c < cols; c += DOT_COLS) {
            for (int64_t i = 0; i < DOT_COLS; i++)
                d.col[i] = n + least(c + i, cols - 1);
            for (int64_t m = 0; m < rows;) {
                d.a = rows_a + (row + m) * a_row;
                m += dot_rows(&d, rows - m, stage + m * DOT_STAGE + c);
            }
        }
        dot_put(a, row, rows, n, cols, stage);
    }
}

/* a is not transposed, b is. */
static enum status simd_gemm_rows(struct stream *s, const struct matmul_args *a)
{
    const size_t bytes = cpu_part(a->a.rows * units_of(a->a.cols), 4);
    char *tmp = cpu_scratch(s, bytes + cpu_part(DOT_BLOCK * DOT_STAGE, 4));
    struct tile t = { 0 };

    tile_lay_rows(&t, &a->a, 0, a->a.rows, tmp);
    for (int64_t m = 0; m < a->out.rows; m += DOT_BLOCK)
        dot_block(a, t.a, t.a_row, m, least(DOT_BLOCK, a->out.rows - m), (float *)(tmp + bytes));
    return ST_OK;
}

/* Which of the two; the choice does not depend on the number of rows. */
static enum status simd_matmul(struct stream *s, const struct matmul_args *a)
{
    if (a->row_invariant && a->transpose_b && !a->transpose_a)
        return simd_gemm_rows(s, a);
    return simd_gemm(s, a);
}

#endif
