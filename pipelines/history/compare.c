#include "pipelines/history/compare.h"

#include <math.h>
#include <string.h>

#include "pipelines/run/run_record.h"

static const char *const group_names[] = {
#define X(name, json, table, text) json,
    FACT_GROUPS(X)
#undef X
};

/* Where the facts of one section of one run go. */
struct facts {
    json_t *section;              /* {group: {path: [values]}} */
    size_t run, count;            /* of them */
    struct arena *arena;          /* for paths */
};

/* ---- collecting ---- */

static json_t *member(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    if (value == NULL) {
        value = json_object();
        json_object_set_new(object, key, value);
    }
    return value;
}

static void add_fact(struct facts *f, enum fact_group group, const char *path, json_t *value)
{
    json_t *paths = member(f->section, group_names[group]);
    json_t *values = json_object_get(paths, path);

    if (values == NULL) {
        values = json_array();
        for (size_t i = 0; i < f->count; i++)
            json_array_append_new(values, json_null());
        json_object_set_new(paths, path, values);
    }
    json_array_set_new(values, f->run, value != NULL ? value : json_null());
}

static void add_member(struct facts *f, enum fact_group group, const json_t *object,
                       const char *name)
{
    json_t *value = json_object_get(object, name);

    if (value != NULL && !json_is_null(value))
        add_fact(f, group, name, json_incref(value));
}

/* Every scalar below value, under a dotted path; an empty map or list is a value of its own. */
static void add_tree(struct facts *f, enum fact_group group, const char *path, json_t *value)
{
    const char *key;
    json_t *item;
    size_t i;

    if (json_object_size(value) == 0 && json_array_size(value) == 0) {
        if (*path != 0)
            add_fact(f, group, path, json_incref(value));
        return;
    }
    json_object_foreach(value, key, item)
        add_tree(f, group, *path ? arena_printf(f->arena, "%s.%s", path, key) : key, item);
    json_array_foreach(value, i, item)
        add_tree(f, group, arena_printf(f->arena, "%s[%zu]", path, i), item);
}

static void add_inputs(struct facts *f, const json_t *inputs)
{
    const char *option;
    json_t *list, *item;
    size_t i;

    json_object_foreach((json_t *)(uintptr_t)inputs, option, list)
        json_array_foreach(list, i, item) {
            const char *path = json_array_size(list) == 1
                                   ? option
                                   : arena_printf(f->arena, "%s[%zu]", option, i);
            json_t *digest = json_is_object(item) ? json_object_get(item, "digest") : item;
            add_fact(f, FACT_INPUT, path, json_incref(digest));
            if (json_is_object(item))
                add_fact(f, FACT_INPUT, arena_printf(f->arena, "%s name", path),
                         json_incref(json_object_get(item, "name")));
        }
}

static void add_used(struct facts *f, const json_t *attempts)
{
    double seconds = 0, cpu = 0;
    json_int_t memory = 0;
    const json_t *one;
    size_t i;

    if (json_array_size(attempts) == 0)
        return;
    json_array_foreach(attempts, i, one) {
        json_int_t peak = json_integer_value(json_object_get(one, "peak_memory"));
        seconds += json_number_value(json_object_get(one, "seconds"));
        cpu += json_number_value(json_object_get(one, "cpu_seconds"));
        memory = peak > memory ? peak : memory;
    }
    add_fact(f, FACT_USED, "attempts", json_integer((json_int_t)json_array_size(attempts)));
    add_fact(f, FACT_USED, "seconds", json_real(seconds));
    add_fact(f, FACT_USED, "cpu_seconds", json_real(cpu));
    add_fact(f, FACT_USED, "peak_memory", json_integer(memory));
}

static void add_gates(struct facts *f, const json_t *gates)
{
    const json_t *gate;
    size_t i;

    json_array_foreach(gates, i, gate) {
        const char *words = json_text(gate, "words");
        const char *path = arena_printf(f->arena, "%zu %s", i, json_text(gate, "metric"));
        add_fact(f, FACT_GATE, path,
                 json_sprintf("%s%s%s%s", json_text(gate, "outcome"), *words ? " (" : "",
                              words, *words ? ")" : ""));
    }
}

static void add_run(struct facts *f, const json_t *record)
{
    static const char *const members[] = { "pipeline", "outcome", "message", "seconds", "site",
                                           "program",  "words",   NULL };

    for (size_t i = 0; members[i] != NULL; i++)
        if (strcmp(members[i], "message") != 0 || *json_text(record, "message") != 0)
            add_member(f, FACT_RUN, record, members[i]);
    add_tree(f, FACT_RUN, "machine", json_object_get(record, "machine"));
    add_tree(f, FACT_PARAM, "", json_object_get(record, "params"));
}

static void add_stage(struct facts *f, const json_t *stage)
{
    static const char *const members[] = { "result", "uses", "after", "digest", "artifact", NULL };

    for (size_t i = 0; members[i] != NULL; i++)
        add_member(f, FACT_STAGE, stage, members[i]);
    add_tree(f, FACT_OPTION, "", json_object_get(stage, "options"));
    add_inputs(f, json_object_get(stage, "inputs"));
    add_tree(f, FACT_ASKED, "", json_object_get(stage, "asked"));
    add_used(f, json_object_get(stage, "attempts"));
    add_gates(f, json_object_get(stage, "gates"));
    add_tree(f, FACT_METRIC, "", json_object_get(stage, "metrics"));
}

static json_t *presence(size_t count)
{
    json_t *in = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(in, json_false());
    return in;
}

static void add_record(json_t *all, struct facts f, const json_t *record)
{
    json_t *stages = json_object_get(all, "stages"), *stage;
    size_t i;

    f.section = json_object_get(all, "run");
    add_run(&f, record);
    json_array_foreach(json_object_get(record, "stages"), i, stage) {
        f.section = member(stages, json_text(stage, "name"));
        if (json_object_get(f.section, "in") == NULL)
            json_object_set_new(f.section, "in", presence(f.count));
        json_array_set_new(json_object_get(f.section, "in"), f.run, json_true());
        add_stage(&f, stage);
    }
}

/* ---- what is left out ---- */

static bool all_equal(const json_t *values)
{
    for (size_t i = 1; i < json_array_size(values); i++) {
        const json_t *x = json_array_get(values, 0), *y = json_array_get(values, i);
        if (!json_equal(x, y)
            && !(json_is_number(x) && json_is_number(y)
                 && json_number_value(x) == json_number_value(y)))
            return false;
    }
    return true;
}

/* Facts that only one of two runs can have say nothing when a stage is in one alone. */
static void drop_equal(json_t *section)
{
    const char *group, *path;
    json_t *paths, *values;
    void *next, *next_path;

    json_object_foreach_safe(section, next, group, paths) {
        if (strcmp(group, "in") == 0)
            continue;
        json_object_foreach_safe(paths, next_path, path, values)
            if (all_equal(values))
                json_object_del(paths, path);
        if (json_object_size(paths) == 0)
            json_object_del(section, group);
    }
}

static bool is_in_all(const json_t *section)
{
    const json_t *in = json_object_get(section, "in"), *one;
    size_t i;

    json_array_foreach(in, i, one)
        if (!json_is_true(one))
            return false;
    return true;
}

static void drop_equal_everywhere(json_t *all)
{
    json_t *stages = json_object_get(all, "stages"), *section;
    const char *name;
    void *next;

    drop_equal(json_object_get(all, "run"));
    json_object_foreach_safe(stages, next, name, section) {
        drop_equal(section);
        if (json_object_size(section) == 1 && is_in_all(section))
            json_object_del(stages, name);
    }
}

/* ---- metrics ---- */

static json_t *metric_json(json_t *values)
{
    const json_t *before = json_array_get(values, 0), *after = json_array_get(values, 1);
    double a = json_number_value(before), d = json_number_value(after) - a;
    bool both = json_is_number(before) && json_is_number(after);

    return json_pack("{s:O, s:o, s:o}", "values", values, "difference",
                     both ? json_real(d) : json_null(), "percent",
                     both && a != 0 && isfinite(d / fabs(a)) ? json_real(100 * d / fabs(a))
                                                             : json_null());
}

static void tell_differences(json_t *all)
{
    json_t *section, *values;
    const char *name, *path;
    void *next;

    json_object_foreach(json_object_get(all, "stages"), name, section) {
        json_t *metrics = json_object_get(section, group_names[FACT_METRIC]);
        json_object_foreach_safe(metrics, next, path, values)
            json_object_set_new(metrics, path, metric_json(values));
    }
}

json_t *compare_records(json_t *const *records, size_t count, bool all)
{
    json_t *result = json_pack("{s:[], s:{}, s:{}}", "runs", "run", "stages");
    struct arena a;

    BUG_IF(result == NULL || count > COMPARE_MOST);
    arena_init(&a);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(json_object_get(result, "runs"),
                              json_string(json_text(records[i], "run")));
        add_record(result, (struct facts){ .run = i, .count = count, .arena = &a }, records[i]);
    }
    arena_release(&a);
    if (!all)
        drop_equal_everywhere(result);
    if (count == 2)
        tell_differences(result);
    return result;
}
