/* Which slot is served by what: the list of variants, slowest first. To add one: a file with a table, a row here. */
#include "kernels/cpu/cpu.h"

#include "kernels/cpu/variants.h"

static bool always(const struct cpu_features *f) { return true; }

const struct cpu_variant cpu_variants[] = {
    { &cpu_portable, always },
    { NULL, NULL },
};

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
