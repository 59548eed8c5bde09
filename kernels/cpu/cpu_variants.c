/* Which slot is served by what. The list itself is chosen by CMake: variants_x86.c or
 * variants_other.c. */
#include "kernels/cpu/cpu.h"

const char *cpu_variant_of(const struct cpu_features *f, enum kernel_op op)
{
    const char *name = NULL;

    for (const struct cpu_variant *v = cpu_variants; v->ops != NULL; v++)
        if (v->usable(f) && op_table_has(v->ops, op))
            name = v->ops->name;
    return name;
}

void cpu_table(const struct cpu_features *f, struct op_table *out)
{
    *out = (struct op_table){ .name = "cpu" };
    for (const struct cpu_variant *v = cpu_variants; v->ops != NULL; v++)
        if (v->usable(f))
            op_table_overlay(out, v->ops);
}
