/*
 * The inner part of every matrix product: a tile of TILE_ROWS x (TILE_COLS * VF) sums in registers,
 * and the packing that feeds it. Included behind vec_*.h, vec_math.h and unit_*.h.
 *
 * K is counted in units of four bytes (one f32, or two bf16). Operand b is packed in panels:
 * TILE_WIDTH columns wide, unit after unit, padded with zeros. Operand a is read by broadcasting
 * single units, so that it may lie in memory either way round: a_row and a_unit are its byte
 * strides. An element's sum goes over K in order, whatever tile it is in.
 */
#ifndef TUNDISH_KERNELS_CPU_SIMD_TILE_H
#define TUNDISH_KERNELS_CPU_SIMD_TILE_H

#include <stdbool.h>

#include "base/platform.h"
#include "kernels/cpu/value.h"

enum { TILE_ROWS = 6, TILE_WIDTH = TILE_COLS * VF };

struct tile {
    const char *a;
    int64_t a_row, a_unit;      /* bytes */
    const char *b;              /* a packed panel */
    int64_t units;
    void *out;                  /* [rows, cols] */
    enum dtype type;
    int64_t out_stride;         /* elements */
    int64_t cols;               /* columns wanted, <= TILE_WIDTH */
    bool add;                   /* add to out (f32) */
};

INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

INLINE int64_t units_of(int64_t k) { return (k + UNIT - 1) / UNIT; }

/* Bytes of a packed panel, or of `cols` columns in panels. */
INLINE size_t panel_bytes(int64_t units, int64_t cols)
{
    return (size_t)((cols + TILE_WIDTH - 1) / TILE_WIDTH * TILE_WIDTH * units) * 4;
}

INLINE vf tile_unit(const char *a)
{
    float bits;

    memcpy(&bits, a, 4);
    return vf_set(bits);
}

INLINE void tile_put(const struct tile *t, int64_t row, int64_t col, int64_t n, vf sum)
{
    char *out = (char *)t->out + (size_t)(row * t->out_stride + col) * dtype_size(t->type);

    if (t->type == DT_BF16)
        vt_put(out, DT_BF16, 0, n, sum);
    else if (t->add)
        vt_put(out, DT_F32, 0, n, vf_add(vt_get(out, DT_F32, 0, n), sum));
    else
        vt_put(out, DT_F32, 0, n, sum);
}

/* rows and cols are constants where it is inlined: all sums are registers. */
INLINE void tile_body(const struct tile *t, const int rows, const int cols)
{
    vf sum[TILE_ROWS][TILE_COLS];
    const char *a[TILE_ROWS], *b = t->b;

    PLATFORM_UNROLL
    for (int r = 0; r < rows; r++) {
        a[r] = t->a + r * t->a_row;
        PLATFORM_UNROLL
        for (int c = 0; c < cols; c++)
            sum[r][c] = vf_zero();
    }
    for (int64_t k = 0; k < t->units; k++, b += TILE_WIDTH * 4) {
        vf line[TILE_COLS];
        PLATFORM_UNROLL
        for (int c = 0; c < cols; c++)
            line[c] = vf_get((const float *)b + c * VF);
        PLATFORM_UNROLL
        for (int r = 0; r < rows; r++) {
            const vf x = tile_unit(a[r] + k * t->a_unit);
            PLATFORM_UNROLL
            for (int c = 0; c < cols; c++)
                sum[r][c] = unit_dot(sum[r][c], x, line[c]);
        }
    }
    PLATFORM_UNROLL
    for (int r = 0; r < rows; r++)
        PLATFORM_UNROLL
        for (int c = 0; c < cols; c++) {
            const int64_t n = t->cols - c * VF;
            if (n > 0)
                tile_put(t, r, c * VF, n < VF ? n : VF, sum[r][c]);
        }
}

/* One function for each number of rows; a full panel, or its first vector alone (narrow products,
 * ends). */
#define TILE(rows)                                                                              \
    static void tile_##rows##_full(const struct tile *t) { tile_body(t, rows, TILE_COLS); }     \
    static void tile_##rows##_half(const struct tile *t) { tile_body(t, rows, TILE_COLS / 2); }
TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
#undef TILE

static void tile_run(const struct tile *t, int64_t rows)
{
    static void (*const full[])(const struct tile *) = {
        tile_1_full, tile_2_full, tile_3_full, tile_4_full, tile_5_full, tile_6_full,
    };
    static void (*const half[])(const struct tile *) = {
        tile_1_half, tile_2_half, tile_3_half, tile_4_half, tile_5_half, tile_6_half,
    };

    if (t->cols <= TILE_WIDTH / 2)
        half[rows - 1](t);
    else
        full[rows - 1](t);
}

/* All rows of a block against one panel. */
static void tile_rows(const struct tile *first, int64_t rows)
{
    struct tile t = *first;

    for (int64_t r = 0; r < rows; r += TILE_ROWS) {
        tile_run(&t, rows - r < TILE_ROWS ? rows - r : TILE_ROWS);
        t.a += TILE_ROWS * t.a_row;
        t.out = (char *)t.out + (size_t)(TILE_ROWS * t.out_stride) * dtype_size(t.type);
    }
}

/* ---- packing ---- */

/* A part of an operand: `depth` values of K from k on, `cols` <= TILE_WIDTH columns from col on. */
struct panel {
    const struct tensor *from;
    int64_t k, depth, col, cols;
};

/* from is [K, N]. */
static void pack_columns(const struct panel *p, char *to)
{
    for (int64_t k = 0; k < p->depth; k += UNIT, to += TILE_WIDTH * 4)
        for (int c = 0; c < TILE_WIDTH; c += VF) {
            const int64_t n = p->cols - c;
            vf x = vf_zero();
            if (n > 0)
                x = unit_columns(p->from, p->k + k, p->depth - k, p->col + c, n < VF ? n : VF);
            vf_put((float *)to + c, x);
        }
}

/* A square of VF columns x VF units of a [N, K] operand, at its edge: what is not there counts as
 * 0. */
static void pack_edge(const struct panel *p, int64_t col, int64_t unit, char *to)
{
    const int64_t units = least(VF, units_of(p->depth) - unit);
    float square[VF * VF] __attribute__((aligned(64)));
    float turned[VF * VF] __attribute__((aligned(64)));

    for (int64_t r = 0; r < VF; r++) {
        vf x = vf_zero();
        if (col + r < p->cols)
            x = unit_run(p->from, p->col + col + r, p->k + unit * UNIT, p->depth - unit * UNIT);
        vf_put(square + r * VF, x);
    }
    vu_transpose((const char *)square, VF * 4, (char *)turned, VF * 4);
    for (int64_t r = 0; r < units; r++)
        vf_put((float *)(to + r * TILE_WIDTH * 4), vf_get(turned + r * VF));
}

/* from is [N, K]: squares of VF columns and VF units are transposed. */
static void pack_transposed(const struct panel *p, char *to)
{
    const struct tensor *from = p->from;
    const int64_t units = units_of(p->depth),
                  stride = from->stride * (int64_t)dtype_size(from->type);

    for (int64_t c = 0; c < TILE_WIDTH; c += VF)
        for (int64_t u = 0; u < units; u += VF) {
            char *out = to + (u * TILE_WIDTH + c) * 4;
            if (from->type == UNIT_TYPE && c + VF <= p->cols && (u + VF) * UNIT <= p->depth)
                vu_transpose(value_at(from, p->col + c, p->k + u * UNIT), stride, out,
                             TILE_WIDTH * 4);
            else
                pack_edge(p, c, u, out);
        }
}

static void pack_panel(const struct panel *p, bool transposed, char *to)
{
    if (transposed)
        pack_transposed(p, to);
    else
        pack_columns(p, to);
}

/* All columns [col, col + cols) of an operand, panel after panel. */
static void pack_all(const struct panel *p, bool transposed, char *to)
{
    const size_t bytes = panel_bytes(units_of(p->depth), TILE_WIDTH);

    for (int64_t c = 0; c < p->cols; c += TILE_WIDTH, to += bytes) {
        const int64_t left = p->cols - c;
        const struct panel part = { p->from, p->k, p->depth, p->col + c,
                                    left < TILE_WIDTH ? left : TILE_WIDTH };
        pack_panel(&part, transposed, to);
    }
}

/* Rows [row, row + rows) of a [M, K] operand as units, each row units_of(depth) long. */
static void pack_rows(const struct tensor *from, int64_t row, int64_t rows, int64_t k,
                      int64_t depth, char *to)
{
    const int64_t units = units_of(depth);

    for (int64_t r = 0; r < rows; r++, to += units * 4)
        for (int64_t u = 0; u < units; u += VF) {
            const vf x = unit_run(from, row + r, k + u * UNIT, depth - u * UNIT);
            vf_put_n((float *)to + u, x, units - u < VF ? units - u : VF);
        }
}

/* Lays rows [row, row + rows) of a [M, K] operand as operand a of t: where they are if they are
 * units already, else packed at tmp. */
static void tile_lay_rows(struct tile *t, const struct tensor *from, int64_t row, int64_t rows,
                          char *tmp)
{
    t->a_unit = 4;
    if (from->type == UNIT_TYPE && from->cols % UNIT == 0) {
        t->a = value_at(from, row, 0);
        t->a_row = from->stride * (int64_t)dtype_size(from->type);
        return;
    }
    pack_rows(from, row, rows, 0, from->cols, tmp);
    t->a = tmp;
    t->a_row = units_of(from->cols) * 4;
}

#endif
