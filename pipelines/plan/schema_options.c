/* An option table as the schema of a map. */
#include <math.h>
#include <string.h>

#include "base/yaml.h"
#include "pipelines/plan/schema.h"

struct options {
    json_t *defs;
    const char *name; /* of the table in defs */
    const struct opt *table;
    struct arena arena;
};

/* ---- one value ---- */

/* The schema, or a text with a param in its place. Takes it over. */
static json_t *or_param(json_t *schema)
{
    return json_pack("{s:[o, o]}", "anyOf", schema, schema_ref("param"));
}

static json_t *number_json(const struct opt *row, double x)
{
    return row->type == OPT_T_REAL || x != floor(x) || fabs(x) > 9e15 ? json_real(x)
                                                                      : json_integer((json_int_t)x);
}

/* Bounds so far out that they only say what the type holds are left out. */
static void add_bounds(json_t *schema, const struct opt *row)
{
    double far = row->type == OPT_T_REAL ? 1e300 : 9e15;

    if (row->min == 0 && row->max == 0)
        return;
    if (row->min > -far)
        json_object_set_new(schema, "minimum", number_json(row, row->min));
    if (row->max < far)
        json_object_set_new(schema, "maximum", number_json(row, row->max));
}

static json_t *bounded(const struct opt *row, const char *type)
{
    json_t *schema = json_pack("{s:s}", "type", type);

    add_bounds(schema, row);
    return schema;
}

/* The value that a plain scalar of that text is. */
static json_t *typed(struct arena *a, const char *text)
{
    return yaml_to_json(yaml_word(a, "choice", text));
}

/* A word that looks like a number or a flag is one when it stands without quotes. */
static json_t *choices(struct options *o, const struct opt *row)
{
    json_t *words = json_array();

    for (int i = 0; row->choices[i]; i++) {
        json_t *plain = typed(&o->arena, row->choices[i]);

        json_array_append_new(words, json_string(row->choices[i]));
        if (!json_is_string(plain))
            json_array_append(words, plain);
        json_decref(plain);
    }
    return json_pack("{s:o}", "enum", words);
}

static json_t *list(json_t *item)
{
    return json_pack("{s:[O, {s:s, s:o}]}", "anyOf", item, "type", "array", "items", item);
}

/* ---- trees ---- */

/* A step by name: {name: options}, its variants told apart by their key; or the value of its main option alone. */
static json_t *named_item(struct options *o, const struct opt *row, const struct opt_item *first,
                          bool several)
{
    json_t *variants = json_array(), *properties = json_object(), *words = json_array();
    struct opt_item item;

    for (size_t i = 0; row->item(i, &item); i++) {
        const char *name = arena_printf(&o->arena, "%s.%s.%s%s%s", o->name, row->name, item.name,
                                        item.variant ? "." : "", item.variant ? item.variant : "");
        json_t *schema;

        if (strcmp(item.name, first->name) != 0)
            continue;
        schema_add_options(o->defs, name, item.opts);
        schema = schema_ref(name);
        json_object_set_new(schema, "description", json_string(item.help));
        if (several)
            json_object_set_new(schema, "required", json_pack("[s]", item.key));
        json_array_append_new(variants, schema);
        if (several && item.main)
            json_array_append_new(words, json_string(item.variant));
        else if (item.main)
            json_array_append_new(variants, schema_ref(arena_printf(&o->arena, "%s/properties/%s", name, item.main)));
    }
    if (json_array_size(words) > 0)
        json_array_append_new(variants, json_pack("{s:O}", "enum", words));
    json_decref(words);
    if (!several)
        json_array_append_new(variants, json_pack("{s:s}", "type", "null"));
    json_object_set_new(properties, first->name, json_pack("{s:o}", "anyOf", variants));
    return json_pack("{s:s, s:o, s:[s], s:b}", "type", "object", "properties", properties,
                     "required", first->name, "additionalProperties", 0);
}

/* How many items have that name, and whether an earlier one has. */
static size_t same_names(const struct opt *row, size_t of, bool *earlier)
{
    struct opt_item item, other;
    size_t n = 0;

    *earlier = false;
    row->item(of, &item);
    for (size_t i = 0; row->item(i, &other); i++)
        if (strcmp(item.name, other.name) == 0) {
            *earlier |= i < of;
            n++;
        }
    return n;
}

/* The list of items; a name with several variants cannot stand alone. */
static json_t *named_items(struct options *o, const struct opt *row)
{
    json_t *words = json_array(), *forms = json_array();
    struct opt_item item;
    bool earlier;

    for (size_t i = 0; row->item(i, &item); i++) {
        size_t n = same_names(row, i, &earlier);

        if (n == 1)
            json_array_append_new(words, json_string(item.name));
        if (!earlier)
            json_array_append_new(forms, named_item(o, row, &item, n > 1));
    }
    json_array_append_new(forms, json_pack("{s:o}", "enum", words));
    json_array_append_new(forms, schema_ref("param"));
    return json_pack("{s:s, s:{s:o}}", "type", "array", "items", "anyOf", forms);
}

static json_t *tree(struct options *o, const struct opt *row)
{
    struct opt_item item;
    const char *name;

    if (row->item == NULL || !row->item(0, &item))
        return json_pack("{s:{s:s}}", "not", "type", "null");
    if (item.name)
        return or_param(named_items(o, row));
    name = arena_printf(&o->arena, "%s.%s", o->name, row->name);
    schema_add_options(o->defs, name, item.opts);
    return list(json_pack("{s:[o, o]}", "anyOf", schema_ref("plain"), schema_ref(name)));
}

/* ---- rows ---- */

static json_t *value_of(struct options *o, const struct opt *row)
{
    switch (row->type) {
    case OPT_T_INT:
        return or_param(bounded(row, "integer"));
    case OPT_T_REAL:
        return or_param(bounded(row, "number"));
    case OPT_T_BOOL:
        return or_param(json_pack("{s:s}", "type", "boolean"));
    case OPT_T_CHOICE:
        return or_param(choices(o, row));
    case OPT_T_TREE:
        return tree(o, row);
    case OPT_T_LIST:
    case OPT_T_INPUTS:
        return list(schema_ref("plain"));
    case OPT_T_SIZE:
        return json_pack("{s:[o, {s:s, s:s}, o]}", "anyOf", bounded(row, "integer"), "type",
                         "string", "pattern", "^[0-9]+[KMGTkmgt]?$", schema_ref("param"));
    case OPT_T_STR:
    case OPT_T_INPUT:
    case OPT_T_OUTPUT:
        return schema_ref("plain");
    }
    return json_true();
}

static json_t *fallback_of(struct options *o, const struct opt *row)
{
    struct yaml *value;

    if (row->type == OPT_T_TREE &&
        yaml_parse(&o->arena, "default", row->fallback, strlen(row->fallback), &value) == ST_OK)
        return yaml_to_json(value);
    if (row->type == OPT_T_INT || row->type == OPT_T_REAL || row->type == OPT_T_BOOL)
        return typed(&o->arena, row->fallback);
    return json_string(row->fallback);
}

static json_t *schema_of_row(struct options *o, const struct opt *row)
{
    json_t *schema = value_of(o, row);

    BUG_IF(schema == NULL);
    json_object_set_new(schema, "description", json_string(row->help));
    if (row->fallback)
        json_object_set_new(schema, "default", fallback_of(o, row));
    return schema;
}

/* ---- maps ---- */

/* "^batch[-_]tokens$": either letter will do. NULL for a name without one. */
static char *either_letter(struct arena *a, const char *name)
{
    struct buf out = { 0 };
    char *kept = NULL;

    buf_adds(&out, "^");
    for (const char *p = name; *p; p++)
        buf_printf(&out, *p == '-' ? "[-_]" : *p == '.' ? "[.]" : "%c", *p);
    buf_adds(&out, "$");
    if (strchr(name, '-'))
        kept = arena_strdup(a, out.p);
    buf_release(&out);
    return kept;
}

static json_t *map_of(struct options *o, const char *prefix, const char *at);

/* Under its name, so that editors propose it, and under its other spellings. */
static void add_property(struct options *o, json_t *map, const char *at, const char *name,
                         json_t *schema)
{
    char *pattern = either_letter(&o->arena, name);
    json_t *patterns = json_object_get(map, "patternProperties");

    json_object_set_new(json_object_get(map, "properties"), name, schema);
    if (pattern)
        json_object_set_new(
            patterns, pattern,
            json_pack("{s:s}", "$ref", arena_printf(&o->arena, "%s/properties/%s", at, name)));
}

/* `model: {width: 256}` is the option model.width. */
static void add_group(struct options *o, json_t *map, const char *at, const char *prefix,
                      const char *rest)
{
    const char *group = arena_strndup(&o->arena, rest, strcspn(rest, "."));
    const char *inner = arena_printf(&o->arena, "%s%s.", prefix, group);
    const char *place = arena_printf(&o->arena, "%s/properties/%s", at, group);

    if (json_object_get(json_object_get(map, "properties"), group) == NULL &&
        opt_find(o->table, arena_printf(&o->arena, "%s%s", prefix, group)) == NULL)
        add_property(o, map, at, group, map_of(o, inner, place));
}

static json_t *map_of(struct options *o, const char *prefix, const char *at)
{
    json_t *map = json_pack("{s:s, s:{}, s:{}, s:b}", "type", "object", "properties",
                            "patternProperties", "additionalProperties", 0);
    size_t n = strlen(prefix);

    for (const struct opt *row = o->table; row->name; row++) {
        if (strncmp(row->name, prefix, n) != 0 || row->type == OPT_T_OUTPUT)
            continue;
        if (strchr(row->name + n, '.'))
            add_group(o, map, at, prefix, row->name + n);
        add_property(o, map, at, row->name + n, schema_of_row(o, row));
    }
    return map;
}

/* Each required option, in either spelling. One in a group may stand there or outside: left to the
 * plan. */
static void add_required(json_t *map, const struct opt *table)
{
    json_t *all = json_array();

    for (const struct opt *row = table; row->name; row++) {
        json_t *properties;
        char *pattern;
        struct arena a = { 0 };

        if (!(row->flags & OPT_REQUIRED) || row->type == OPT_T_OUTPUT || strchr(row->name, '.'))
            continue;
        pattern = either_letter(&a, row->name);
        properties = pattern == NULL ? json_pack("{s:[s]}", "required", row->name)
                                     : json_pack("{s:{s:{s:{s:s}}}}", "not", "propertyNames", "not",
                                                 "pattern", pattern);
        json_array_append_new(all, properties);
        arena_release(&a);
    }
    if (json_array_size(all) > 0)
        json_object_set(map, "allOf", all);
    json_decref(all);
}

void schema_add_options(json_t *defs, const char *name, const struct opt *table)
{
    struct options o = { .defs = defs, .name = name, .table = table };
    json_t *map;

    arena_init(&o.arena);
    map = map_of(&o, "", arena_printf(&o.arena, "#/$defs/%s", name));
    add_required(map, table);
    json_object_set_new(defs, name, map);
    arena_release(&o.arena);
}
