/* Attention for AVX-512, in f32. */
#include "kernels/cpu/vec_avx512.h"

#include "kernels/cpu/vec_math.h"

#include "kernels/cpu/unit_f32.h"

#include "kernels/cpu/simd_tile.h"

#include "kernels/cpu/simd_attention.h"
#include "kernels/cpu/simd_dots.h"
#include "kernels/cpu/simd_attention_grad.h"
#include "kernels/cpu/simd_cached.h"
#include "kernels/cpu/variants.h"

const struct op_table cpu_avx512_attention = {
    .name = "avx512",
    .attention = simd_attention,
    .attention_grad = simd_attention_grad,
    .attention_cached = simd_attention_cached,
};
