/* The variants on a machine that is not x86-64. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/variants.h"

static bool always(const struct cpu_features *f) { return true; }

const struct cpu_variant cpu_variants[] = {
    { &cpu_portable, always },
    { NULL, NULL },
};
