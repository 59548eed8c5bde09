/*
 * Vectors of 16 f32 in AVX-512 (F, BW, DQ, VL). The same names as vec_avx2.h, so that an algorithm
 * (simd_*.h) is written once and compiled for each. A file includes one of the two. The _n forms
 * touch n values only, 0 < n <= VF; what they do not read is 0.
 */
#ifndef TUNDISH_KERNELS_CPU_VEC_AVX512_H
#define TUNDISH_KERNELS_CPU_VEC_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline, unused))

typedef __m512 vf;
enum {
    VF = 16,
    TILE_COLS = 4
}; /* lanes; vectors side by side in a tile of simd_tile.h (6 x 4 of 32 registers) */

INLINE __mmask16 vf_lanes(int64_t n) { return (__mmask16)((1u << n) - 1); }

INLINE vf vf_set(float x) { return _mm512_set1_ps(x); }
INLINE vf vf_zero(void) { return _mm512_setzero_ps(); }
INLINE vf vf_get(const float *p) { return _mm512_loadu_ps(p); }
INLINE vf vf_get_n(const float *p, int64_t n) { return _mm512_maskz_loadu_ps(vf_lanes(n), p); }
INLINE void vf_put(float *p, vf x) { _mm512_storeu_ps(p, x); }
INLINE void vf_put_n(float *p, vf x, int64_t n) { _mm512_mask_storeu_ps(p, vf_lanes(n), x); }

INLINE vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
INLINE vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
INLINE vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
INLINE vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
INLINE vf vf_sqrt(vf a) { return _mm512_sqrt_ps(a); }
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }      /* a b + c */
INLINE vf vf_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }    /* c - a b */
/* A NaN in b stays. */
INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
/* To the nearest integer. */
INLINE vf vf_round(vf a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/* x * 2^n, n integral in [-126, 127]. */
INLINE vf vf_scale2(vf x, vf n) { return _mm512_scalef_ps(x, n); }
/* x where lane >= from and lane < to, else other. */
INLINE vf vf_between(vf x, int64_t from, int64_t to, vf other)
{
    const unsigned low = from <= 0 ? 0 : from >= VF ? 0xffff : (1u << from) - 1;
    const unsigned high = to <= 0 ? 0 : to >= VF ? 0xffff : (1u << to) - 1;

    return _mm512_mask_blend_ps((__mmask16)(high & ~low), other, x);
}

/* Sums in a fixed tree: halves are added until one is left. */
INLINE float vf_sum(vf a)
{
    const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));

    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}
/* The sums of four vectors, each in the same tree. */
INLINE void vf_sum4(const vf *a, float out[4])
{
    const vf low = _mm512_add_ps(_mm512_unpacklo_ps(a[0], a[1]), _mm512_unpackhi_ps(a[0], a[1]));
    const vf high = _mm512_add_ps(_mm512_unpacklo_ps(a[2], a[3]), _mm512_unpackhi_ps(a[2], a[3]));
    const __m512d l = _mm512_castps_pd(low), h = _mm512_castps_pd(high);
    const vf four = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(l, h)),
                                  _mm512_castpd_ps(_mm512_unpackhi_pd(l, h)));
    const __m256 two = _mm256_add_ps(_mm512_castps512_ps256(four), _mm512_extractf32x8_ps(four, 1));

    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(two), _mm256_extractf128_ps(two, 1)));
}
INLINE float vf_most(vf a) { return _mm512_reduce_max_ps(a); }

/* bf16: the upper halves of f32; rounding to nearest even, a NaN stays a (quiet) NaN. */
INLINE vf vf_from_bf16(__m256i h)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}
INLINE __m256i vf_to_bf16(vf x)
{
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
    const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));

    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_blend_epi32(nan, up, quiet), 16));
}
INLINE vf vf_get_bf16(const uint16_t *p)
{
    return vf_from_bf16(_mm256_loadu_si256((const __m256i *)p));
}
INLINE vf vf_get_bf16_n(const uint16_t *p, int64_t n)
{
    return vf_from_bf16(_mm256_maskz_loadu_epi16(vf_lanes(n), p));
}
INLINE void vf_put_bf16(uint16_t *p, vf x) { _mm256_storeu_si256((__m256i *)p, vf_to_bf16(x)); }
INLINE void vf_put_bf16_n(uint16_t *p, vf x, int64_t n)
{
    _mm256_mask_storeu_epi16(p, vf_lanes(n), vf_to_bf16(x));
}

/* VF values x (f32) widened and squared, added to the 16 lanes of sum (f64). */
INLINE void vd_add_squares(double *sum, const float *x)
{
    for (int i = 0; i < 16; i += 8) {
        const __m512d d = _mm512_cvtps_pd(_mm256_loadu_ps(x + i));
        _mm512_storeu_pd(sum + i, _mm512_fmadd_pd(d, d, _mm512_loadu_pd(sum + i)));
    }
}

/* Transposes VF rows of VF 32-bit units: row r at from + r * stride (bytes) goes to column r; rows
 * of `to` lie to_stride bytes apart. */
INLINE void vu_transpose(const char *from, int64_t stride, char *to, int64_t to_stride)
{
    __m512i r[16], t[16];

    for (int i = 0; i < 16; i++)
        r[i] = _mm512_loadu_si512(from + i * stride);
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
    for (int i = 0; i < 8; i++) {
        _mm512_storeu_si512(to + i * to_stride, _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88));
        _mm512_storeu_si512(to + (i + 8) * to_stride, _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd));
    }
}

#endif
