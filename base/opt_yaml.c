/* Options from YAML maps: names, groups, and what is wrong with them. */
#include <string.h>

#include "base/opt_fill.h"

static bool name_eq(const char *row_name, const char *name)
{
    for (; *row_name && *name; row_name++, name++)
        if (*row_name != (*name == '_' ? '-' : *name))
            return false;
    return *row_name == 0 && *name == 0;
}

const struct opt *opt_find(const struct opt *table, const char *name)
{
    for (; table->name; table++)
        if (name_eq(table->name, name))
            return table;
    return NULL;
}

bool opt_has_group(const struct opt *table, const char *prefix)
{
    size_t n = strlen(prefix);

    for (; table->name; table++)
        if (strncmp(table->name, prefix, n) == 0)
            return true;
    return false;
}

/* A row of that name in some group ("width" for "model.width"). */
static const char *in_a_group(const struct opt *table, const char *name)
{
    for (; table->name; table++) {
        const char *dot = strrchr(table->name, '.');
        if (dot != NULL && strcmp(dot + 1, name) == 0)
            return table->name;
    }
    return NULL;
}

const char *opt_guess(const struct opt *table, struct arena *a, const char *name,
                      const char *dashes)
{
    static const char *const common[] = { "config", "set", "quiet", "help" };
    const char *near, **names;
    size_t n = 0, extra = *dashes ? sizeof common / sizeof *common : 0;

    if (strlen(name) > 100)
        return "";
    while (table[n].name)
        n++;
    names = arena_array(a, n + extra + 1, sizeof *names);
    for (size_t i = 0; i < n; i++)
        names[i] = table[i].name;
    memcpy(names + n, common, extra * sizeof *names);
    near = in_a_group(table, name);
    if (near == NULL)
        near = str_nearest(name, names);
    return near ? arena_printf(a, "; did you mean '%s%s'?", dashes, near) : "";
}

static enum status unknown_key(struct opt_fill *f, const struct yaml *key, const char *name)
{
    const char *guess = opt_guess(f->table, f->arena, name, "");
    struct buf known = { 0 };

    if (*guess == 0) {
        for (const struct opt *row = f->table; row->name; row++)
            buf_printf(&known, "%s%s", row == f->table ? "; known are " : ", ", row->name);
        guess = known.n ? arena_strdup(f->arena, known.p) : "; no options are known here";
    }
    buf_release(&known);
    return yaml_fail(key, "unknown key '%.60s'%s", name, guess);
}

/* The option's name for a key: the group in front, '-' for '_'; and an end. */
static char *full_name(struct arena *a, const char *prefix, const char *key, const char *end)
{
    char *name = arena_printf(a, "%s%s%s", prefix, key, end);

    for (char *p = name; *p; p++)
        if (*p == '_')
            *p = '-';
    return name;
}

const char *opt_group(struct arena *a, const char *key) { return full_name(a, "", key, "."); }

static enum status fill_key(struct opt_fill *f, const struct yaml *key, struct yaml *value,
                            const char *prefix)
{
    const char *name = full_name(f->arena, prefix, key->text, "");
    const char *group = opt_group(f->arena, name);
    const struct opt *row = opt_find(f->table, name);

    if (row != NULL && f->seen[row - f->table].layer == f->layer
        && f->seen[row - f->table].at->line > 0)
        return yaml_fail(key, "'%s' is given twice; first on line %d", row->name,
                         f->seen[row - f->table].at->line);
    if (row != NULL)
        return opt_fill_row(f, row, value);
    if (!opt_has_group(f->table, group))
        return unknown_key(f, key, name);
    if (value->kind != YAML_MAP)
        return yaml_fail(value, "want a map with the options of '%s'; found %s", name,
                         yaml_describe(f->arena, value));
    return opt_fill_map(f, value, group);
}

enum status opt_fill_map(struct opt_fill *f, const struct yaml *map, const char *prefix)
{
    if (map->kind != YAML_MAP)
        return yaml_fail(map, "want a map of options; found %s", yaml_describe(f->arena, map));
    for (size_t i = 0; i < map->count; i++)
        TRY(fill_key(f, map->keys[i], map->items[i], prefix));
    return ST_OK;
}

static enum status check_missing(const struct opt_fill *f, const struct yaml *where, unsigned skip)
{
    const struct opt *row = opt_fill_missing(f, skip);

    if (row == NULL)
        return ST_OK;
    return yaml_fail(where, "'%s' is missing (%s)", row->name, row->help);
}

enum status opt_from_yaml(const struct opt *table, struct arena *a, const struct yaml *map,
                          void *cfg)
{
    struct opt_fill f = opt_fill_begin(table, a, cfg);

    TRY(opt_fill_map(&f, map, ""));
    return check_missing(&f, map, 0);
}

enum status opt_check_map(const struct opt *table, struct arena *a, const struct yaml *map,
                          const struct yaml *where, unsigned skip)
{
    struct opt_fill f = opt_fill_begin(table, a, NULL);

    TRY(opt_fill_map(&f, map, ""));
    return where ? check_missing(&f, where, skip) : ST_OK;
}
