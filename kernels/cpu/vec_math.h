/*
 * What both vector widths share: values of either type, and the exponential. Behind vec_avx512.h or
 * vec_avx2.h.
 *
 * Functions that take `enum dtype t` or a count are inlined into callers that pass constants, so
 * that each combination is code of its own. Loops go over whole vectors with n = VF and call the
 * same step once more for the rest.
 */
#ifndef TUNDISH_KERNELS_CPU_VEC_MATH_H
#define TUNDISH_KERNELS_CPU_VEC_MATH_H

#include "kernels/cpu/value.h"

/* n values of type t from element i of p on. */
INLINE vf vt_get(const void *p, enum dtype t, int64_t i, int64_t n)
{
    if (t == DT_F32)
        return n == VF ? vf_get((const float *)p + i) : vf_get_n((const float *)p + i, n);
    return n == VF ? vf_get_bf16((const uint16_t *)p + i)
                   : vf_get_bf16_n((const uint16_t *)p + i, n);
}

INLINE void vt_put(void *p, enum dtype t, int64_t i, int64_t n, vf x)
{
    if (t == DT_F32 && n == VF)
        vf_put((float *)p + i, x);
    else if (t == DT_F32)
        vf_put_n((float *)p + i, x, n);
    else if (n == VF)
        vf_put_bf16((uint16_t *)p + i, x);
    else
        vf_put_bf16_n((uint16_t *)p + i, x, n);
}

/* e^x, relative error below 1.5e-7: x = n ln 2 + r, |r| <= ln 2 / 2, a Taylor sum of degree 7 (rest
 * below 6e-9), times 2^n. x is held to [-87.33, 88]: what would leave the normal f32 is 1.2e-38
 * or 1.7e38; a NaN stays one. */
INLINE vf vf_exp(vf x)
{
    const vf least = vf_set(-87.33654f), in = vf_max(least, vf_min(vf_set(88.0f), x));
    const vf n = vf_round(vf_mul(in, vf_set(1.44269504088896341f)));
    const vf r = vf_fnma(n, vf_set(-2.12194440e-4f), vf_fnma(n, vf_set(0.693359375f), in));
    vf sum = vf_fma(r, vf_set(1.0f / 5040), vf_set(1.0f / 720));

    sum = vf_fma(sum, r, vf_set(1.0f / 120));
    sum = vf_fma(sum, r, vf_set(1.0f / 24));
    sum = vf_fma(sum, r, vf_set(1.0f / 6));
    sum = vf_fma(sum, r, vf_set(0.5f));
    sum = vf_fma(sum, r, vf_set(1.0f));
    sum = vf_fma(sum, r, vf_set(1.0f));
    return vf_scale2(sum, n);
}

/* 1 / (1 + e^-x). */
INLINE vf vf_sigmoid(vf x)
{
    const vf one = vf_set(1.0f);

    return vf_div(one, vf_add(one, vf_exp(vf_sub(vf_zero(), x))));
}

/* out[i] = factor * x[i], rounded to t. */
INLINE void row_times(void *out, enum dtype t, const float *x, float factor, int64_t n)
{
    const vf f = vf_set(factor);
    int64_t i = 0;

    for (; i + VF <= n; i += VF)
        vt_put(out, t, i, VF, vf_mul(vf_get(x + i), f));
    if (i < n)
        vt_put(out, t, i, n - i, vf_mul(vf_get_n(x + i, n - i), f));
}

#endif
