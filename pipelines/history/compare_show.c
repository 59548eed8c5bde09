/* A comparison of runs as a table. */
#include <math.h>
#include <string.h>

#include "pipelines/history/columns.h"
#include "pipelines/history/compare.h"
#include "pipelines/history/history.h"
#include "pipelines/run/run_record.h"

#define VALUE_SHOWN 40        /* bytes of a value */
#define DIGEST_SHOWN 12

static const struct {
    const char *json, *table;
} groups[] = {
#define X(name, json, table, text) { json, table },
    FACT_GROUPS(X)
#undef X
};

static bool is_digest(const char *text)
{
    return strlen(text) == 64 && text[strspn(text, "0123456789abcdef")] == 0;
}

static const char *cut(struct arena *a, const char *text, size_t n)
{
    size_t shown = n;

    if (n > VALUE_SHOWN)
        for (shown = VALUE_SHOWN; shown > 0 && ((unsigned char)text[shown] & 0xC0) == 0x80;)
            shown--;
    return arena_printf(a, "%.*s%s", (int)shown, text, shown < n ? "..." : "");
}

static bool is_memory(const char *path, double x)
{
    return str_ends_with(path, "memory") && x > 0 && x < 1e18;
}

/* Options and params exactly, what was measured in six digits, memory in bytes for people. */
static const char *number_words(struct arena *a, enum fact_group group, const char *path,
                                const json_t *value)
{
    double x = json_number_value(value);

    if (is_memory(path, x))
        return history_bytes(a, (uint64_t)x);
    if (json_is_integer(value))
        return arena_printf(a, "%lld", (long long)json_integer_value(value));
    if (group == FACT_RUN || group == FACT_USED || group == FACT_METRIC)
        return arena_printf(a, "%.6g", x);
    return history_number(a, x);
}

static const char *value_words(struct arena *a, enum fact_group group, const char *path,
                               const json_t *value)
{
    const char *text = json_string_value(value), *kept;
    struct buf out = { 0 };

    if (value == NULL || json_is_null(value))
        return "-";
    if (json_is_number(value))
        return number_words(a, group, path, value);
    if (text != NULL && is_digest(text))
        return arena_strndup(a, text, DIGEST_SHOWN);
    if (text != NULL && *text != 0)
        return cut(a, text, json_string_length(value));
    json_canonical(&out, value);
    kept = cut(a, out.p, out.n);
    buf_release(&out);
    return kept;
}

/* "+0.02 (+1.3 %)" of two numbers, "" of anything else. */
static const char *difference(struct arena *a, const char *path, const json_t *values)
{
    const json_t *before = json_array_get(values, 0), *after = json_array_get(values, 1);
    double x = json_number_value(before), d = json_number_value(after) - x;
    const char *by = arena_printf(a, "%+.5g", d);

    if (json_array_size(values) != 2 || !json_is_number(before) || !json_is_number(after) || d == 0)
        return "";
    if (is_memory(path, fabs(d)))
        by = arena_printf(a, "%s%s", d < 0 ? "-" : "+", history_bytes(a, (uint64_t)fabs(d)));
    if (x == 0 || !isfinite(d / fabs(x)))
        return by;
    return arena_printf(a, "%s (%+.3g %%)", by, 100 * d / fabs(x));
}

static void add_row(struct columns *t, enum fact_group group, const char *path,
                    const json_t *values)
{
    for (size_t i = 0; i < json_array_size(values); i++)
        columns_add(t, value_words(t->arena, group, path, json_array_get(values, i)));
    columns_add(t, difference(t->arena, path, values));
    columns_end_row(t);
}

static void add_groups(struct columns *t, const json_t *section, const char *indent)
{
    for (size_t g = 0; g < FACT_GROUP_COUNT; g++) {
        const char *path;
        json_t *values;
        json_object_foreach(json_object_get(section, groups[g].json), path, values) {
            json_t *list = json_is_object(values) ? json_object_get(values, "values") : values;
            columns_add(t, arena_printf(t->arena, "%s%s%s", indent, groups[g].table, path));
            add_row(t, (enum fact_group)g, path, list);
        }
    }
}

/* "only in <run>", for each run that has it, or "" if all have. */
static const char *where(struct arena *a, const json_t *all, const json_t *section)
{
    const json_t *in = json_object_get(section, "in"), *ids = json_object_get(all, "runs"), *one;
    const char *text = "", *before = ": only in ";
    size_t i, count = 0;

    json_array_foreach(in, i, one) {
        if (!json_is_true(one))
            continue;
        text = arena_printf(a, "%s%s%s", text, before,
                            json_string_value(json_array_get(ids, i)));
        before = ", ";
        count++;
    }
    return count == json_array_size(in) ? "" : text;
}

/* Where a stage is in some runs alone, how it ended says enough. */
static void add_stage(struct columns *t, const json_t *all, const char *name, const json_t *section)
{
    const char *only = where(t->arena, all, section);
    const json_t *result =
        json_object_get(json_object_get(section, groups[FACT_STAGE].json), "result");

    columns_add(t, arena_printf(t->arena, "stage %s", name));
    if (*only != 0) {
        for (size_t i = 0; i < json_array_size(result); i++)
            columns_add(t, value_words(t->arena, FACT_STAGE, "result", json_array_get(result, i)));
        columns_add(t, only + 2);
    }
    columns_end_row(t);
    if (*only == 0)
        add_groups(t, section, "  ");
}

void compare_show(struct arena *a, const json_t *all, struct buf *out)
{
    const json_t *ids = json_object_get(all, "runs"), *stages = json_object_get(all, "stages"), *id;
    struct columns t = { .arena = a, .count = json_array_size(ids) + 2 };
    const char *name;
    json_t *section;
    size_t i;

    columns_add(&t, "");
    json_array_foreach(ids, i, id)
        columns_add(&t, json_string_value(id));
    columns_add(&t, json_array_size(ids) == 2 ? "difference" : "");
    add_groups(&t, json_object_get(all, "run"), "");
    json_object_foreach((json_t *)(uintptr_t)stages, name, section)
        add_stage(&t, all, name, section);
    if (t.used == t.count) {
        columns_add(&t, "(no difference)");
        columns_end_row(&t);
    }
    columns_print(&t, out);
}
