/* In the place of gemm_onednn.c where oneDNN is missing: our own GEMM serves matmul. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/variants.h"

const struct op_table cpu_onednn = { .name = "onednn" };

void gemm_cache_free(struct gemm_cache *c) {}

const char *gemm_onednn_class(void) { return ""; }
