/* Row-wise operations and the training steps for AVX-512. */
#include "kernels/cpu/vec_avx512.h"

#include "kernels/cpu/vec_math.h"

#include "kernels/cpu/simd_rows.h"
#include "kernels/cpu/simd_train.h"
#include "kernels/cpu/variants.h"

const struct op_table cpu_avx512_rows = {
    .name = "avx512",
    .embed = simd_embed,
    .embed_grad = simd_embed_grad,
    .rmsnorm = simd_rmsnorm,
    .rmsnorm_grad = simd_rmsnorm_grad,
    .rope = simd_rope,
    .swiglu = simd_swiglu,
    .swiglu_grad = simd_swiglu_grad,
    .cross_entropy = simd_cross_entropy,
    .add = simd_add,
    .cast = simd_cast,
    .sum_squares = simd_sum_squares,
    .adamw = simd_adamw,
};
