/* The keys of pipeline files and site profiles are those of schema_keys.c; here is what is said of
 * others. */
#include <string.h>

#include "pipelines/plan/plan_part.h"

/* A key that people may well write here, and why it cannot be. */
struct refused_key {
    const char *key, *why;
};
struct key_list {
    const char *where;                    /* "a pipeline file" */
    const struct refused_key *refused;
};

#define LATER(what)      "(" what ") is not in this version"
#define OF_CLUSTERS      LATER("clusters")
#define OF_ENVIRONMENT   LATER("environment variables")
#define TOP              "stands at the top of the file, not in a stage"
#define OF_A_STAGE       "belongs to a stage"
#define OF_STAGES        "belongs to a stage, or to `defaults` for all stages"
#define OF_SITE_ENTRIES  "belongs to one of `kinds` or `stages`"
#define SCIENCE                                                                                    \
    "belongs in the pipeline file: a site says what its machine may take, never what is computed"
#define REFUSED(...) (const struct refused_key[]){ __VA_ARGS__, { NULL, NULL } }

static const struct key_list lists[] = {
    [SCHEMA_FILE] = { "a pipeline file",
        REFUSED({ "on", LATER("schedules and triggers") }, { "executor", OF_CLUSTERS },
                { "registry", LATER("promotion of models") },
                { "keep", LATER("how long artifacts are kept") }, { "env", OF_ENVIRONMENT },
                { "resources", OF_STAGES }, { "timeout", OF_STAGES }, { "retry", OF_STAGES },
                { "matrix", OF_A_STAGE }, { "gate", OF_A_STAGE },
                { "site", "is named on the command line: --site FILE" }) },
    [SCHEMA_STAGE] = { "a stage",
        REFUSED({ "if", LATER("conditions") }, { "env", OF_ENVIRONMENT },
                { "executor", OF_CLUSTERS }, { "keep", LATER("how long artifacts are kept") },
                { "registry", LATER("promotion of models") },
                { "on", LATER("schedules and triggers") }, { "notify", TOP }, { "include", TOP },
                { "params", TOP }, { "defaults", TOP },
                { "out", "is the runner's to give; a program's words have {out}" }) },
    [SCHEMA_DEFAULTS] = { "defaults",
        REFUSED({ "env", OF_ENVIRONMENT }, { "executor", OF_CLUSTERS }, { "with", OF_A_STAGE },
                { "gate", OF_A_STAGE }) },
    [SCHEMA_RESOURCES] = { "resources",
        REFUSED({ "nodes", OF_CLUSTERS }, { "gpus", LATER("a share of the devices") },
                { "timeout", "stands beside `resources`, not in it" }) },
    [SCHEMA_RETRY] = { "retry",
        REFUSED({ "max", "is called 'times' here" }, { "delay", "is called 'wait' here" }) },
    [SCHEMA_GATE] = { "a gate",
        REFUSED({ "baseline", "is called 'versus' here" }) },
    [SCHEMA_NOTIFY] = { "notify",
        REFUSED({ "mail", "is sent by a program of yours: `run: [mail, ...]`" }) },
    [SCHEMA_SITE] = { "a site profile",
        REFUSED({ "pipeline", SCIENCE }, { "params", SCIENCE }, { "include", SCIENCE },
                { "defaults", SCIENCE }, { "with", SCIENCE }, { "executor", OF_CLUSTERS },
                { "env", OF_ENVIRONMENT }, { "resources", OF_SITE_ENTRIES },
                { "timeout", OF_SITE_ENTRIES }, { "retry", OF_SITE_ENTRIES }) },
    [SCHEMA_SITE_ENTRY] = { "a site's word on a stage",
        REFUSED({ "uses", SCIENCE }, { "with", SCIENCE }, { "run", SCIENCE }, { "in", SCIENCE },
                { "needs", SCIENCE }, { "matrix", SCIENCE }, { "gate", SCIENCE },
                { "params", SCIENCE }, { "executor", OF_CLUSTERS }, { "env", OF_ENVIRONMENT }) },
};

const char *plan_words(struct arena *a, const char *const *words)
{
    struct buf text = { 0 };
    const char *kept;

    for (size_t i = 0; words[i] != NULL; i++)
        buf_printf(&text, "%s%s", i ? ", " : "", words[i]);
    kept = arena_strdup(a, text.n ? text.p : "none");
    buf_release(&text);
    return kept;
}

static const char **known_keys(struct arena *a, enum schema_map map)
{
    const char **names;
    size_t n = 0;

    while (schema_key(map, n) != NULL)
        n++;
    names = arena_array(a, n + 1, sizeof *names);
    for (size_t i = 0; i < n; i++)
        names[i] = schema_key(map, i);
    return names;
}

static enum status check_key(struct arena *a, const struct yaml *key, enum schema_map map)
{
    const char *known, *hint;

    for (size_t i = 0; (known = schema_key(map, i)) != NULL; i++)
        if (strcmp(key->text, known) == 0)
            return ST_OK;
    for (const struct refused_key *r = lists[map].refused; r->key != NULL; r++)
        if (strcmp(key->text, r->key) == 0)
            return yaml_fail(key, "'%s' %s", r->key, r->why);
    hint = hint_nearest(a, key->text, known_keys(a, map));
    if (*hint == 0)
        hint = arena_printf(a, "; %s has %s", lists[map].where, plan_words(a, known_keys(a, map)));
    return yaml_fail(key, "unknown key '%.60s'%s", key->text, hint);
}

enum status plan_check_keys(struct arena *a, const struct yaml *value, enum schema_map map)
{
    if (value->kind != YAML_MAP)
        return yaml_fail(value, "%s is a map with %s; found %s", lists[map].where,
                         plan_words(a, known_keys(a, map)), yaml_describe(a, value));
    for (size_t i = 0; i < value->count; i++)
        TRY(check_key(a, value->keys[i], map));
    return ST_OK;
}

size_t plan_item_count(const struct yaml *value)
{
    return value->kind == YAML_LIST ? value->count : 1;
}

struct yaml *plan_item(struct yaml *value, size_t i)
{
    return value->kind == YAML_LIST ? value->items[i] : value;
}
