/*
 * matmul by tiles: out = op(a) op(b). Included behind simd_tile.h.
 *
 * Blocks, from the outside: BLOCK_COLS columns (b packed for all of K), BLOCK_ROWS rows (a packed
 * if it does not lie as units already), BLOCK_UNITS of K (a panel of b and a block of a share the
 * second cache), panels, tiles. Where K takes more than one block, sums stay in f32 in a block of
 * scratch. Sums over K go in order, so that results depend on nothing else.
 */
#ifndef TUNDISH_KERNELS_CPU_SIMD_GEMM_H
#define TUNDISH_KERNELS_CPU_SIMD_GEMM_H

#include "kernels/cpu/cpu.h"

enum { BLOCK_COLS = 16 * 64, BLOCK_UNITS = 512, BLOCK_ROWS = 192 };

struct gemm {
    const struct matmul_args *args;
    int64_t depth;              /* K */
    char *b;                    /* packed columns of this block: for each block of K, its panels */
    char *a;                    /* packed rows of this block */
    float *sums;                /* [BLOCK_ROWS, TILE_WIDTH], when K takes several blocks */
};

/* Where operand a of this block of rows and K lies, as units. */
static void gemm_lay_a(const struct gemm *g, int64_t row, int64_t rows, int64_t k, int64_t depth,
                       struct tile *t)
{
    const struct tensor *a = &g->args->a;

    if (!g->args->transpose_a) {
        const struct tensor part = tensor_columns(*a, k, depth);
        tile_lay_rows(t, &part, row, rows, g->a);
    } else {
        pack_all(&(struct panel){ a, k, depth, row, rows }, false, g->a);
        t->a = g->a;
        t->a_row = 4;
        t->a_unit = TILE_WIDTH * 4;
    }
}

/* The rows of a block against one panel. A transposed a lies in panels of TILE_WIDTH rows. */
static void gemm_panel(const struct gemm *g, const struct tile *first, int64_t rows)
{
    struct tile t = *first;

    if (!g->args->transpose_a) {
        tile_rows(&t, rows);
        return;
    }
    for (int64_t r = 0; r < rows; r += TILE_WIDTH) {
        tile_rows(&t, least(TILE_WIDTH, rows - r));
        t.a += panel_bytes(t.units, TILE_WIDTH);
        t.out = (char *)t.out + (size_t)(TILE_WIDTH * t.out_stride) * dtype_size(t.type);
    }
}

/* Where the sums of this panel go: to out, or for all but the last block of K to g->sums. */
static void gemm_lay_out(const struct gemm *g, int64_t row, int64_t col, int64_t k, struct tile *t)
{
    const struct tensor *out = &g->args->out;

    t->out = value_at(out, row, col);
    t->type = out->type;
    t->out_stride = out->stride;
    t->add = g->args->accumulate || (k > 0 && out->type == DT_F32);
    if (out->type == DT_F32 || g->depth <= BLOCK_UNITS * UNIT)
        return;
    t->out = g->sums + col % BLOCK_COLS * BLOCK_ROWS;
    t->type = DT_F32;
    t->out_stride = TILE_WIDTH;
    t->add = k > 0;
}

static void gemm_round(const struct gemm *g, int64_t row, int64_t rows, int64_t col, int64_t cols)
{
    for (int64_t c = 0; c < cols; c += TILE_WIDTH) {
        const float *sums = g->sums + c * BLOCK_ROWS;
        for (int64_t r = 0; r < rows; r++, sums += TILE_WIDTH)
            for (int64_t i = 0, n; i < least(TILE_WIDTH, cols - c); i += n) {
                n = least(VF, least(TILE_WIDTH, cols - c) - i);
                vt_put(value_at(&g->args->out, row + r, col + c), DT_BF16, i, n,
                       vt_get(sums, DT_F32, i, n));
            }
    }
}

static void gemm_rows(const struct gemm *g, int64_t row, int64_t rows, int64_t col, int64_t cols)
{
    const char *b = g->b;

    for (int64_t k = 0; k < g->depth; k += BLOCK_UNITS * UNIT) {
        const int64_t depth = least(BLOCK_UNITS * UNIT, g->depth - k);
        struct tile t = { .units = units_of(depth) };
        gemm_lay_a(g, row, rows, k, depth, &t);
        for (int64_t c = 0; c < cols; c += TILE_WIDTH, b += panel_bytes(t.units, TILE_WIDTH)) {
            gemm_lay_out(g, row, col + c, k, &t);
            t.b = b;
            t.cols = least(TILE_WIDTH, cols - c);
            gemm_panel(g, &t, rows);
        }
    }
    if (g->args->out.type == DT_BF16 && g->depth > BLOCK_UNITS * UNIT)
        gemm_round(g, row, rows, col, cols);
}

static void gemm_pack_b(const struct gemm *g, int64_t col, int64_t cols)
{
    char *to = g->b;

    for (int64_t k = 0; k < g->depth; k += BLOCK_UNITS * UNIT) {
        const int64_t depth = least(BLOCK_UNITS * UNIT, g->depth - k);
        pack_all(&(struct panel){ &g->args->b, k, depth, col, cols }, g->args->transpose_b, to);
        to += panel_bytes(units_of(depth), cols);
    }
}

static void gemm_zero(const struct matmul_args *a)
{
    if (!a->accumulate)
        for (int64_t m = 0; m < a->out.rows; m++)
            memset(value_at(&a->out, m, 0), 0, (size_t)a->out.cols * dtype_size(a->out.type));
}

static enum status simd_gemm(struct stream *s, const struct matmul_args *a)
{
    const int64_t depth = a->transpose_a ? a->a.rows : a->a.cols;
    const int64_t block =
        least(BLOCK_COLS, (a->out.cols + TILE_WIDTH - 1) / TILE_WIDTH * TILE_WIDTH);
    const size_t b_bytes = panel_bytes(units_of(depth) + 1, block);
    const size_t a_bytes = panel_bytes(BLOCK_UNITS, BLOCK_ROWS);

    if (depth == 0) {
        gemm_zero(a);
        return ST_OK;
    }
    char *scratch = cpu_scratch(s, b_bytes + a_bytes + (size_t)(BLOCK_ROWS * block) * 4);
    const struct gemm g = { a, depth, scratch, scratch + b_bytes,
                            (float *)(scratch + b_bytes + a_bytes) };
    for (int64_t n = 0; n < a->out.cols; n += BLOCK_COLS) {
        const int64_t cols = least(BLOCK_COLS, a->out.cols - n);
        gemm_pack_b(&g, n, cols);
        for (int64_t m = 0; m < a->out.rows; m += BLOCK_ROWS)
            gemm_rows(&g, m, least(BLOCK_ROWS, a->out.rows - m), n, cols);
    }
    return ST_OK;
}

#endif
