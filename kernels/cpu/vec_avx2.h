/*
 * Vectors of 8 f32 in AVX2 with FMA. The same names as vec_avx512.h, so that an algorithm
 * (simd_*.h) is written once and compiled for each. A file includes one of the two. The _n forms
 * touch n values only, 0 < n <= VF; what they do not read is 0.
 */
#ifndef TUNDISH_KERNELS_CPU_VEC_AVX2_H
#define TUNDISH_KERNELS_CPU_VEC_AVX2_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline, unused))

typedef __m256 vf;
enum {
    VF = 8,
    TILE_COLS = 2
}; /* lanes; vectors side by side in a tile of simd_tile.h (6 x 2 of 16 registers) */

INLINE __m256i vf_lanes(int64_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

INLINE vf vf_set(float x) { return _mm256_set1_ps(x); }
INLINE vf vf_zero(void) { return _mm256_setzero_ps(); }
INLINE vf vf_get(const float *p) { return _mm256_loadu_ps(p); }
INLINE vf vf_get_n(const float *p, int64_t n) { return _mm256_maskload_ps(p, vf_lanes(n)); }
INLINE void vf_put(float *p, vf x) { _mm256_storeu_ps(p, x); }
INLINE void vf_put_n(float *p, vf x, int64_t n) { _mm256_maskstore_ps(p, vf_lanes(n), x); }

INLINE vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
INLINE vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
INLINE vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
INLINE vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
INLINE vf vf_sqrt(vf a) { return _mm256_sqrt_ps(a); }
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }      /* a b + c */
INLINE vf vf_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }    /* c - a b */
/* A NaN in b stays. */
INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
/* To the nearest integer. */
INLINE vf vf_round(vf a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/* x * 2^n, n integral in [-126, 127]. */
INLINE vf vf_scale2(vf x, vf n)
{
    const __m256i bits =
        _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);

    return _mm256_mul_ps(x, _mm256_castsi256_ps(bits));
}
/* x where lane >= from and lane < to, else other. */
INLINE vf vf_between(vf x, int64_t from, int64_t to, vf other)
{
    const int low = from < 0    ? 0
                    : from > VF ? VF
                                : (int)from,
              high = to < 0    ? 0
                     : to > VF ? VF
                               : (int)to;
    const __m256i in = _mm256_andnot_si256(vf_lanes(low), vf_lanes(high));

    return _mm256_blendv_ps(other, x, _mm256_castsi256_ps(in));
}

/* Sums in a fixed tree: halves are added until one is left. */
INLINE float vf_sum(vf a)
{
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));

    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}
/* The sums of four vectors, each in the same tree. */
INLINE void vf_sum4(const vf *a, float out[4])
{
    const vf low = _mm256_add_ps(_mm256_unpacklo_ps(a[0], a[1]), _mm256_unpackhi_ps(a[0], a[1]));
    const vf high = _mm256_add_ps(_mm256_unpacklo_ps(a[2], a[3]), _mm256_unpackhi_ps(a[2], a[3]));
    const vf two =
        _mm256_add_ps(_mm256_shuffle_ps(low, high, 0x44), _mm256_shuffle_ps(low, high, 0xee));

    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(two), _mm256_extractf128_ps(two, 1)));
}
INLINE float vf_most(vf a)
{
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));

    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

/* bf16: the upper halves of f32; rounding to nearest even, a NaN stays a (quiet) NaN. */
INLINE vf vf_from_bf16(__m128i h)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}
INLINE __m128i vf_to_bf16(vf x)
{
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i up = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256i half = _mm256_srli_epi32(_mm256_blendv_epi8(up, quiet, nan), 16);

    return _mm_packus_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}
INLINE vf vf_get_bf16(const uint16_t *p)
{
    return vf_from_bf16(_mm_loadu_si128((const __m128i *)p));
}
INLINE vf vf_get_bf16_n(const uint16_t *p, int64_t n)
{
    uint16_t part[8] = { 0 };

    memcpy(part, p, (size_t)n * 2);
    return vf_get_bf16(part);
}
INLINE void vf_put_bf16(uint16_t *p, vf x) { _mm_storeu_si128((__m128i *)p, vf_to_bf16(x)); }
INLINE void vf_put_bf16_n(uint16_t *p, vf x, int64_t n)
{
    uint16_t part[8];

    vf_put_bf16(part, x);
    memcpy(p, part, (size_t)n * 2);
}

/* 16 values x (f32) widened and squared, added to the 16 lanes of sum (f64). */
INLINE void vd_add_squares(double *sum, const float *x)
{
    for (int i = 0; i < 16; i += 4) {
        const __m256d d = _mm256_cvtps_pd(_mm_loadu_ps(x + i));
        _mm256_storeu_pd(sum + i, _mm256_fmadd_pd(d, d, _mm256_loadu_pd(sum + i)));
    }
}

/* Transposes VF rows of VF 32-bit units: row r at from + r * stride (bytes) goes to column r; rows
 * of `to` lie to_stride bytes apart. */
INLINE void vu_transpose(const char *from, int64_t stride, char *to, int64_t to_stride)
{
    __m256 r[8], t[8];

    for (int i = 0; i < 8; i++)
        r[i] = _mm256_loadu_ps((const float *)(from + i * stride));
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
        r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_ps((float *)(to + i * to_stride),
                         _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
        _mm256_storeu_ps((float *)(to + (i + 4) * to_stride),
                         _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
    }
}

#endif
