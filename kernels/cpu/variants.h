/* The tables that cpu_variants.c chooses from, and the functions they are made of. Private to kernels/cpu/. */
#ifndef TUNDISH_KERNELS_CPU_VARIANTS_H
#define TUNDISH_KERNELS_CPU_VARIANTS_H

#include "kernels/backend.h"

extern const struct op_table cpu_portable;

/* The reference of every operation (ref_*.c). */
#define X(op) enum status ref_##op(struct stream *s, const struct op##_args *a);
KERNEL_OPS(X)
#undef X

#endif
