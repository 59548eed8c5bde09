/* Matrix products for AVX-512, in f32. */
#include "kernels/cpu/vec_avx512.h"

#include "kernels/cpu/vec_math.h"

#include "kernels/cpu/unit_f32.h"

#include "kernels/cpu/simd_tile.h"

#include "kernels/cpu/simd_dots.h"
#include "kernels/cpu/simd_gemm.h"
#include "kernels/cpu/simd_gemm_rows.h"
#include "kernels/cpu/variants.h"

const struct op_table cpu_avx512_gemm = { .name = "avx512", .matmul = simd_matmul };
