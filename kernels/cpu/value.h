/*
 * Values in memory: f32 and bf16 (the upper half of an f32), one at a time or a row at a time.
 *
 * A row is worked on as f32: value_row() lends the memory itself when it is f32 and converts into
 * `tmp` otherwise.
 */
#ifndef TUNDISH_KERNELS_CPU_VALUE_H
#define TUNDISH_KERNELS_CPU_VALUE_H

#include <stdint.h>
#include <string.h>

#include "kernels/device.h"

static inline float value_from_bf16(uint16_t h)
{
    const uint32_t bits = (uint32_t)h << 16;
    float x;

    memcpy(&x, &bits, 4);
    return x;
}

/* Round to nearest, ties to even; a NaN stays one (quiet). */
static inline uint16_t value_to_bf16(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, 4);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline void *value_at(const struct tensor *t, int64_t r, int64_t c)
{
    return (char *)t->p + (size_t)(r * t->stride + c) * dtype_size(t->type);
}
static inline float *value_f32(const struct tensor *t, int64_t r)
{
    return (float *)t->p + r * t->stride;
}
static inline int32_t *value_i32(const struct tensor *t, int64_t r)
{
    return (int32_t *)t->p + r * t->stride;
}

/* n values from (r, c) on, as f32. tmp: room for n. */
static inline const float *value_row(const struct tensor *t, int64_t r, int64_t c, int64_t n,
                                     float *tmp)
{
    if (t->type == DT_F32)
        return value_f32(t, r) + c;
    const uint16_t *p = value_at(t, r, c);
    for (int64_t i = 0; i < n; i++)
        tmp[i] = value_from_bf16(p[i]);
    return tmp;
}

/* Puts n values x, rounded to t's type, at (r, c). x may be that memory itself (f32). */
static inline void value_put(const struct tensor *t, int64_t r, int64_t c, int64_t n,
                             const float *x)
{
    if (t->type == DT_F32) {
        memmove(value_f32(t, r) + c, x, (size_t)n * 4);
        return;
    }
    uint16_t *p = value_at(t, r, c);
    for (int64_t i = 0; i < n; i++)
        p[i] = value_to_bf16(x[i]);
}

#endif
