#include "kernels/kernels_cmd.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "kernels/cpu/cpu.h"

struct kernels_cfg {
    bool json;
};

static const struct opt options[] = {
    OPT_BOOL(struct kernels_cfg, json, "json", "false", "one JSON object instead of lines"),
    OPT_END
};

/* The variants that serve op, best first, each name once: a variant hands what it does not take to
 * the next. */
static int variants_of(enum kernel_op op, const char **names, int max)
{
    int usable = 0, count = 0;

    while (cpu_variants[usable].ops != NULL)
        usable++;
    for (int i = usable - 1; i >= 0 && count < max; i--)
        if (cpu_variants[i].usable(cpu_features()) && op_table_has(cpu_variants[i].ops, op))
            names[count++] = cpu_variants[i].ops->name;
    return count;
}

enum { MAX_VARIANTS = 16 };

static void print_lines(const struct device *d)
{
    printf("device %s, classes of results %s and %s\n", device_name(d),
           device_numeric_class(d, DT_F32), device_numeric_class(d, DT_BF16));
    for (int op = 0; op < KERNEL_OP_COUNT; op++) {
        const char *names[MAX_VARIANTS];
        const int count = variants_of((enum kernel_op)op, names, MAX_VARIANTS);
        printf("  %-18s%s", kernel_op_name((enum kernel_op)op), names[0]);
        for (int i = 1; i < count; i++)
            printf("%s%s", i == 1 ? "  (else " : ", ", names[i]);
        printf("%s\n", count > 1 ? ")" : "");
    }
}

static void print_json(const struct device *d)
{
    json_t *ops = json_object(), *all;
    struct buf text = { 0 };

    for (int op = 0; op < KERNEL_OP_COUNT; op++) {
        const char *names[MAX_VARIANTS];
        const int count = variants_of((enum kernel_op)op, names, MAX_VARIANTS);
        json_t *list = json_array();
        for (int i = 0; i < count; i++)
            json_array_append_new(list, json_string(names[i]));
        json_object_set_new(ops, kernel_op_name((enum kernel_op)op), list);
    }
    all = json_pack("{ss s{ss ss} so}", "device", device_name(d), "numeric_class", "f32",
                    device_numeric_class(d, DT_F32), "bf16", device_numeric_class(d, DT_BF16),
                    "ops", ops);
    BUG_IF(all == NULL);
    json_canonical(&text, all);
    printf("%s\n", text.p);
    buf_release(&text);
    json_decref(all);
}

static enum status run(struct arena *a, void *cfg)
{
    const struct kernels_cfg *c = cfg;
    struct device *d;

    TRY(device_open("cpu", &d));
    if (c->json)
        print_json(d);
    else
        print_lines(d);
    device_close(d);
    return ST_OK;
}

const struct command cmd_kernels_info = {
    .name = "kernels",
    .summary = "which variant serves each operation on this machine",
    .details = "The first name serves the operation; what it does not take (a data type, "
               "row-invariant products) goes to the next.\n"
               "TUNDISH_CPU=portable|avx2|avx512 in the environment lowers what is used.\n"
               "example:\n  TUNDISH_CPU=avx2 tundish kernels --json",
    .opts = options,
    .cfg_size = sizeof(struct kernels_cfg),
    .run = run,
    .benches = kernels_benches,
};
