/* The reference as a table: every slot is filled, on any machine. */
#include "kernels/cpu/variants.h"

const struct op_table cpu_portable = {
    .name = "portable",
#define X(op) .op = ref_##op,
    KERNEL_OPS(X)
#undef X
};
