/* The variants on x86-64, slowest first. To add one: a file with a table, a row here. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/variants.h"

static bool always(const struct cpu_features *f) { return true; }
static bool avx2(const struct cpu_features *f) { return f->avx2; }
static bool avx512(const struct cpu_features *f) { return f->avx512; }
static bool avx512_bf16(const struct cpu_features *f) { return f->avx512_bf16; }

const struct cpu_variant cpu_variants[] = {
    { &cpu_portable, always },
    { &cpu_avx2_rows, avx2 },
    { &cpu_avx2_gemm, avx2 },
    { &cpu_avx2_attention, avx2 },
    { &cpu_avx512_rows, avx512 },
    { &cpu_avx512_gemm, avx512 },
    { &cpu_avx512_attention, avx512 },
    { &cpu_avx512bf16_gemm, avx512_bf16 },
    { &cpu_avx512bf16_attention, avx512_bf16 },
    { &cpu_onednn, avx512 },
    { NULL, NULL },
};
