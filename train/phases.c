#include "train/phases.h"

#include <stdint.h>

#include "store/sampling/read_plan.h"

struct phase_item {
    int64_t step, context, batch_tokens;
    const char *store;
};

static const struct opt item_opts[] = {
    OPT_INT(struct phase_item, step, "step", NULL, 1, 1e12,
            "steps before it; a run under way that has gone no further can be given it",
            .flags = OPT_REQUIRED),
    OPT_INT(struct phase_item, context, "context", NULL, 2, 16777216, "tokens of a sequence"),
    OPT_INT(struct phase_item, batch_tokens, "batch-tokens", NULL, 2, 1e12, "tokens of a step"),
    OPT_INPUT(struct phase_item, store, "store", "token store or blend to read from then on",
              .reads = "token-store token-blend"),
    OPT_END
};

bool phases_item(size_t i, struct opt_item *out)
{
    *out = (struct opt_item){ .help = "what changes from a step on", .opts = item_opts };
    return i == 0;
}

static enum status check_item(struct arena *a, const struct yaml *item, long long *step)
{
    const struct yaml *value;
    long long n = 0;

    if (item->kind != YAML_MAP)
        return yaml_fail(item, "a phase is {step: N, context: T, batch-tokens: B, store: PATH}");
    TRY(opt_check_map(item_opts, a, item, item, 0));
    value = yaml_get(item, "step");
    if (!yaml_as_int(value, &n) || n <= *step)
        return yaml_fail(value, "step is %lld, want more than %lld: phases stand in order", n,
                         *step);
    *step = n;
    return ST_OK;
}

enum status phases_check(const struct yaml *phases)
{
    enum status st = ST_OK;
    long long step = 0;
    struct arena a;

    if (phases->kind != YAML_LIST)
        return yaml_fail(phases, "want a list of {step, context, batch-tokens, store}");
    if (phases->count >= READ_PHASES_MOST)
        return yaml_fail(phases, "%zu phases, want fewer than %u", phases->count, READ_PHASES_MOST);
    arena_init(&a);
    for (size_t i = 0; st == ST_OK && i < phases->count; i++)
        st = check_item(&a, phases->items[i], &step);
    arena_release(&a);
    return st;
}

enum status phases_paths(struct yaml *phases, opt_path_fn *visit, void *ctx)
{
    for (size_t i = 0; i < phases->count; i++) {
        const struct yaml *item = phases->items[i];
        struct yaml *store = item->kind == YAML_MAP ? yaml_get(item, "store") : NULL;

        if (store != NULL)
            TRY(visit(ctx, store));
    }
    return ST_OK;
}
