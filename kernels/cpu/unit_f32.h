/*
 * What a tile (simd_tile.h) multiplies: units of four bytes along K. Here a unit is one f32; bf16
 * operands are widened while packing. unit_bf16.h is the other kind. Behind vec_*.h and vec_math.h.
 */
#ifndef TUNDISH_KERNELS_CPU_UNIT_F32_H
#define TUNDISH_KERNELS_CPU_UNIT_F32_H

#include "kernels/cpu/value.h"

enum { UNIT = 1 };                     /* values of K in a unit */
#define UNIT_TYPE DT_F32               /* operands of this type lie in memory as units already */

/* acc + a b, lane by lane. */
INLINE vf unit_dot(vf acc, vf a, vf b) { return vf_fma(a, b, acc); }

/* Units of VF columns from row k on of a [K, N] operand: lanes are columns. n columns and k_left
 * rows are there; others count as 0. */
INLINE vf unit_columns(const struct tensor *b, int64_t k, int64_t k_left, int64_t col, int64_t n)
{
    return vt_get(value_at(b, k, 0), b->type, col, n);
}

/* n units of one row (row r, values from k on) of an operand with K along the row; k_left > 0
 * values are there. */
INLINE vf unit_run(const struct tensor *b, int64_t r, int64_t k, int64_t k_left)
{
    return vt_get(value_at(b, r, 0), b->type, k, k_left < VF ? k_left : VF);
}

/* VF values of a row of an operand a, from value i on. */
INLINE void unit_put(char *row, int64_t i, vf x) { vf_put((float *)row + i, x); }

/* The same values of UNIT rows as units: one unit a column. */
INLINE void unit_put_rows(char *row, int64_t i, const vf *x) { vf_put((float *)row + i, x[0]); }

#endif
