/*
 * Units of two bf16 along K for vdpbf16ps: products are exact, sums in f32 (no denormals). As
 * unit_f32.h; for operands in bf16 only.
 */
#ifndef TUNDISH_KERNELS_CPU_UNIT_BF16_H
#define TUNDISH_KERNELS_CPU_UNIT_BF16_H

#include "kernels/cpu/value.h"

enum { UNIT = 2 };
#define UNIT_TYPE DT_BF16

INLINE vf unit_dot(vf acc, vf a, vf b) { return _mm512_dpbf16_ps(acc, (__m512bh)a, (__m512bh)b); }

/* Puts the first of a pair into the lower half. */
INLINE vf unit_pair(__m256i first, __m256i second)
{
    return _mm512_castsi512_ps(_mm512_or_si512(
        _mm512_cvtepu16_epi32(first), _mm512_slli_epi32(_mm512_cvtepu16_epi32(second), 16)));
}

INLINE vf unit_columns(const struct tensor *b, int64_t k, int64_t k_left, int64_t col, int64_t n)
{
    const __mmask16 lanes = vf_lanes(n);
    const uint16_t *row = (const uint16_t *)value_at(b, k, col);
    const __m256i first = _mm256_maskz_loadu_epi16(lanes, row);

    if (k_left < 2)
        return unit_pair(first, _mm256_setzero_si256());
    return unit_pair(first, _mm256_maskz_loadu_epi16(lanes, row + b->stride));
}

INLINE vf unit_run(const struct tensor *b, int64_t r, int64_t k, int64_t k_left)
{
    const __mmask32 lanes = k_left < 32 ? (1u << k_left) - 1 : ~0u;

    return _mm512_castsi512_ps(_mm512_maskz_loadu_epi16(lanes, value_at(b, r, k)));
}

INLINE void unit_put(char *row, int64_t i, vf x)
{
    _mm256_storeu_si256((__m256i *)(row + 2 * i), (__m256i)_mm512_cvtneps_pbh(x));
}

INLINE void unit_put_rows(char *row, int64_t i, const vf *x)
{
    vf_put((float *)row + i,
           unit_pair((__m256i)_mm512_cvtneps_pbh(x[0]), (__m256i)_mm512_cvtneps_pbh(x[1])));
}

#endif
