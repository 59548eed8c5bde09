/* The tables that cpu_variants.c chooses from, and the functions they are made of. Private to
 * kernels/cpu/. */
#ifndef TUNDISH_KERNELS_CPU_VARIANTS_H
#define TUNDISH_KERNELS_CPU_VARIANTS_H

#include "kernels/backend.h"

extern const struct op_table cpu_portable;
extern const struct op_table cpu_avx2_rows, cpu_avx2_gemm, cpu_avx2_attention;
extern const struct op_table cpu_avx512_rows, cpu_avx512_gemm, cpu_avx512_attention;
extern const struct op_table cpu_avx512bf16_gemm, cpu_avx512bf16_attention;
extern const struct op_table cpu_onednn;      /* .matmul; empty where oneDNN is not built in */

/* The reference of every operation (ref_*.c). */
#define X(op) enum status ref_##op(struct stream *s, const struct op##_args *a);
KERNEL_OPS(X)
#undef X

#endif
