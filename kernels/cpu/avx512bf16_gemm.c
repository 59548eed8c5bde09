/* Matrix products for AVX-512 with bf16 dot products; those in f32 are left to avx512_gemm.c. */
#include "kernels/cpu/vec_avx512.h"

#include "kernels/cpu/vec_math.h"

#include "kernels/cpu/unit_bf16.h"

#include "kernels/cpu/simd_tile.h"

#include "kernels/cpu/simd_dots.h"
#include "kernels/cpu/simd_gemm.h"
#include "kernels/cpu/simd_gemm_rows.h"
#include "kernels/cpu/variants.h"

static enum status matmul(struct stream *s, const struct matmul_args *a)
{
    return a->a.type == DT_BF16 ? simd_matmul(s, a) : cpu_avx512_gemm.matmul(s, a);
}

const struct op_table cpu_avx512bf16_gemm = { .name = "avx512_bf16", .matmul = matmul };
