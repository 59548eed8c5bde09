/* The files that steps name, for those who digest a stage's inputs. */
#include "curate/chain/step.h"

/* The row for a step's name and options; NULL: none such, which chain_parse() tells. */
static const struct step_kind *row_of(const struct yaml *name, const struct yaml *options)
{
    const struct step_kind *first = NULL;

    for (const struct step_kind *k = step_kinds; k->name; k++) {
        const struct yaml *chosen = k->key ? yaml_get(options, k->key) : NULL;

        if (strcmp(k->name, name->text) != 0)
            continue;
        if (first == NULL)
            first = k;
        if (chosen != NULL && chosen->kind == YAML_SCALAR && strcmp(chosen->text, k->variant) == 0)
            return k;
    }
    return first;
}

static enum status visit_value(struct yaml *value, opt_path_fn *visit, void *ctx)
{
    if (value->kind == YAML_SCALAR && !yaml_is_null(value))
        return visit(ctx, value);
    for (size_t i = 0; value->kind == YAML_LIST && i < value->count; i++)
        if (value->items[i]->kind == YAML_SCALAR)
            TRY(visit(ctx, value->items[i]));
    return ST_OK;
}

enum status chain_paths(struct yaml *list, opt_path_fn *visit, void *ctx)
{
    for (size_t i = 0; list->kind == YAML_LIST && i < list->count; i++) {
        struct yaml *item = list->items[i], *options;
        const struct step_kind *kind;

        if (item->kind != YAML_MAP || item->count != 1 || item->items[0]->kind != YAML_MAP)
            continue;
        options = item->items[0];
        kind = row_of(item->keys[0], options);
        for (size_t j = 0; kind != NULL && j < options->count; j++) {
            const struct opt *row = opt_find(kind->opts, options->keys[j]->text);

            if (row != NULL && (row->type == OPT_T_INPUT || row->type == OPT_T_INPUTS))
                TRY(visit_value(options->items[j], visit, ctx));
        }
    }
    return ST_OK;
}
