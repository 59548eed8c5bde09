/*
 * The two 16-bit floats of model files, one value at a time: bf16 (the upper half of an f32) and
 * f16 (IEEE 754 binary16). Kernels have vector forms of their own (kernels/cpu).
 */
#ifndef TUNDISH_BASE_HALF_H
#define TUNDISH_BASE_HALF_H

#include <stdint.h>
#include <string.h>

static inline float half_from_bf16(uint16_t h)
{
    const uint32_t bits = (uint32_t)h << 16;
    float f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

/* Rounds to nearest, ties to even; a NaN stays one (quiet). */
static inline uint16_t half_to_bf16(float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

static inline float half_from_f16(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31;
    const float subnormal = (float)(h & 1023) * 0x1p-24f; /* what exponent 0 stands for */
    uint32_t bits = (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | (h & 1023u) << 13;
    float f;

    if (exponent == 0)
        memcpy(&bits, &subnormal, sizeof bits);
    bits |= sign;
    memcpy(&f, &bits, sizeof f);
    return f;
}

#endif
