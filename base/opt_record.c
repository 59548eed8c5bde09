/* The options that decide a result, as JSON. */
#include <string.h>

#include "base/opt_fill.h"

/* ---- trees: the paths inside are inputs, which are known by their content elsewhere ---- */

static struct yaml *copy_tree(struct arena *a, const struct yaml *n)
{
    struct yaml *copy = arena_new(a, struct yaml);

    *copy = *n;
    copy->items = arena_array(a, n->count, sizeof *copy->items);
    for (size_t i = 0; i < n->count; i++)
        copy->items[i] = copy_tree(a, n->items[i]);
    return copy;
}

static enum status blank_path(void *ctx, struct yaml *path)
{
    path->text = "null";
    path->plain = true;
    return ST_OK;
}

static json_t *tree_record(const struct opt *row, const struct yaml *tree)
{
    struct arena a;
    struct yaml *copy;
    json_t *value;

    if (tree == NULL)
        return json_null();
    if (row->paths == NULL)
        return yaml_to_json(tree);
    arena_init(&a);
    copy = copy_tree(&a, tree);
    BUG_IF(row->paths(copy, blank_path, NULL) != ST_OK);
    value = yaml_to_json(copy);
    arena_release(&a);
    return value;
}

/* ---- rows ---- */

static json_t *text_record(const char *text)
{
    json_t *value = text ? json_string(text) : json_null();

    BUG_IF(value == NULL);      /* opt_fill.c lets only UTF-8 in */
    return value;
}

static json_t *list_record(const struct opt_list *list)
{
    json_t *value = json_array();

    for (size_t i = 0; i < list->count; i++)
        BUG_IF(json_array_append_new(value, text_record(list->v[i])) != 0);
    return value;
}

static json_t *row_record(const struct opt *row, const void *field)
{
    switch (row->type) {
    case OPT_T_STR: return text_record(*(const char *const *)field);
    case OPT_T_INT: return json_integer(*(const int64_t *)field);
    case OPT_T_REAL: return json_real(*(const double *)field);
    case OPT_T_BOOL: return json_boolean(*(const bool *)field);
    case OPT_T_SIZE: return json_integer((json_int_t) * (const uint64_t *)field);
    case OPT_T_CHOICE: return text_record(row->choices[*(const int *)field]);
    case OPT_T_LIST: return list_record(field);
    case OPT_T_TREE: return tree_record(row, *(struct yaml *const *)field);
    case OPT_T_INPUT:
    case OPT_T_INPUTS:
    case OPT_T_OUTPUT: break;
    }
    return NULL;
}

json_t *opt_record(const struct opt *table, const void *cfg)
{
    json_t *record = json_object();

    for (const struct opt *row = table; row->name; row++) {
        json_t *value;
        if (row->flags & OPT_NEUTRAL)
            continue;
        value = row_record(row, (const char *)cfg + row->offset);
        if (value != NULL)
            BUG_IF(json_object_set_new(record, row->name, value) != 0);
    }
    return record;
}
