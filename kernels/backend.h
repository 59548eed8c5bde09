/*
 * What one kind of device supplies: private to kernels/. The CPU's table is filled with the portable reference first;
 * faster variants then take slots over by what the machine has (cpu/cpu_variants.c). An empty slot after that refuses the device
 * at open.
 */
#ifndef TUNDISH_KERNELS_BACKEND_H
#define TUNDISH_KERNELS_BACKEND_H

#include "kernels/ops.h"

struct backend {
    const char *name;
#define X(op) enum status (*op)(struct stream *s, const struct op##_args *args);
    KERNEL_OPS(X)
#undef X
};

#endif
