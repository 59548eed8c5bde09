/*
 * Sums along K of rows that lie as they are: up to DOT_ROWS rows of units times DOT_COLS rows of
 * another operand. Lane i takes units i, i + VF, ... in order, then the lanes are added in a fixed
 * tree: an order that depends on K alone. Included behind simd_tile.h.
 */
#ifndef TUNDISH_KERNELS_CPU_SIMD_DOTS_H
#define TUNDISH_KERNELS_CPU_SIMD_DOTS_H

#include "base/platform.h"
#include "kernels/cpu/value.h"

enum { DOT_ROWS = TILE_COLS == 4 ? 6 : 3, DOT_COLS = 4 };

/* With few rows the other operand comes straight from memory, and its rows are too short for the
 * hardware to see where they lead: it is told, this many blocks of columns ahead. (Past the matrix'
 * end that does nothing.) */
enum { FEW_ROWS = 3, AHEAD = 2 };

struct dots {
    const char *a;               /* units */
    int64_t a_row;               /* bytes */
    const struct tensor *b;
    int64_t col[DOT_COLS];       /* rows of b; the last is repeated where there are no more */
    int64_t depth;
    int64_t out_stride;
};

INLINE void dot_step(const struct dots *d, vf (*sum)[DOT_COLS], const int rows, int64_t unit,
                     int64_t units, int64_t k_left)
{
    vf line[DOT_COLS];

    PLATFORM_UNROLL
    for (int c = 0; c < DOT_COLS; c++) {
        line[c] = unit_run(d->b, d->col[c], unit * UNIT, k_left);
        if (rows <= FEW_ROWS)
            __builtin_prefetch(value_at(d->b, d->col[c] + AHEAD * DOT_COLS, unit * UNIT));
    }
    PLATFORM_UNROLL
    for (int r = 0; r < rows; r++) {
        const float *a = (const float *)(d->a + r * d->a_row) + unit;
        const vf x = units == VF ? vf_get(a) : vf_get_n(a, units);
        PLATFORM_UNROLL
        for (int c = 0; c < DOT_COLS; c++)
            sum[r][c] = unit_dot(sum[r][c], x, line[c]);
    }
}

INLINE void dot_body(const struct dots *d, const int rows, float *out)
{
    vf sum[DOT_ROWS][DOT_COLS];
    const int64_t units = units_of(d->depth);
    int64_t u = 0;

    PLATFORM_UNROLL
    for (int r = 0; r < rows; r++)
        PLATFORM_UNROLL
        for (int c = 0; c < DOT_COLS; c++)
            sum[r][c] = vf_zero();
    for (; (u + VF) * UNIT <= d->depth; u += VF)
        dot_step(d, sum, rows, u, VF, VF * UNIT);
    if (u < units)
        dot_step(d, sum, rows, u, units - u, d->depth - u * UNIT);
    PLATFORM_UNROLL
    for (int r = 0; r < rows; r++)
        vf_sum4(sum[r], out + r * d->out_stride);
}

static void dot_rows_1(const struct dots *d, float *out) { dot_body(d, 1, out); }
static void dot_rows_2(const struct dots *d, float *out) { dot_body(d, 2, out); }
static void dot_rows_3(const struct dots *d, float *out) { dot_body(d, 3, out); }
static void dot_rows_all(const struct dots *d, float *out) { dot_body(d, DOT_ROWS, out); }

/* DOT_COLS sums for each of as many rows as one of the functions takes (at most `rows`); returns
 * how many. */
static int64_t dot_rows(const struct dots *d, int64_t rows, float *out)
{
    static void (*const some[])(const struct dots *, float *) = { dot_rows_1, dot_rows_2,
                                                                  dot_rows_3 };

    if (rows >= DOT_ROWS) {
        dot_rows_all(d, out);
        return DOT_ROWS;
    }
    rows = least(rows, 3);
    some[rows - 1](d, out);
    return rows;
}

#endif
