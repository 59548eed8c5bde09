/* Every key of pipeline files and site profiles, and what is said of others. */
#include <string.h>

#include "pipelines/plan_part.h"

/* A key that people may well write here, and why it cannot be. */
struct refused_key {
    const char *key, *why;
};
struct key_list {
    const char *where;                    /* "a pipeline file" */
    const char *const *known;
    const struct refused_key *refused;
};

#define LATER(what) "(" what ") is not in this version"
#define TOP "stands at the top of the file, not in a stage"
#define OF_STAGES "belongs to a stage, or to `defaults` for all stages"
#define SCIENCE                                                                                    \
    "belongs in the pipeline file: a site says what its machine may take, never what is computed"
#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define REFUSED(...) (const struct refused_key[]){ __VA_ARGS__, { NULL, NULL } }

static const struct key_list lists[] = {
    [KEYS_FILE] = { "a pipeline file",
                    WORDS("pipeline", "params", "include", "defaults", "stages", "notify"),
                    REFUSED({ "on", LATER("schedules and triggers") },
                            { "executor", LATER("clusters") },
                            { "registry", LATER("promotion of models") },
                            { "keep", LATER("how long artifacts are kept") },
                            { "env", LATER("environment variables") },
                            { "resources", OF_STAGES }, { "timeout", OF_STAGES },
                            { "retry", OF_STAGES },
                            { "matrix", "belongs to a stage" }, { "gate", "belongs to a stage" },
                            { "site", "is named on the command line: --site FILE" }) },
    [KEYS_STAGE] = { "a stage",
                     WORDS("uses", "with", "run", "in", "needs", "matrix", "resources", "timeout",
                           "retry", "gate"),
                     REFUSED({ "if", LATER("conditions") },
                             { "env", LATER("environment variables") },
                             { "executor", LATER("clusters") },
                             { "keep", LATER("how long artifacts are kept") },
                             { "registry", LATER("promotion of models") },
                             { "on", LATER("schedules and triggers") },
                             { "notify", TOP }, { "include", TOP }, { "params", TOP },
                             { "defaults", TOP },
                             { "out", "is the runner's to give; a program's words have {out}" }) },
    [KEYS_DEFAULTS] = { "defaults", WORDS("resources", "timeout", "retry"),
                        REFUSED({ "env", LATER("environment variables") },
                                { "executor", LATER("clusters") },
                                { "with", "belongs to a stage" },
                                { "gate", "belongs to a stage" }) },
    [KEYS_RESOURCES] = { "resources", WORDS("ranks", "threads", "memory", "time"),
                         REFUSED({ "nodes", LATER("clusters") },
                                 { "gpus", LATER("a share of the devices") },
                                 { "timeout", "stands beside `resources`, not in it" }) },
    [KEYS_RETRY] = { "retry", WORDS("times", "on", "wait", "factor", "most"),
                     REFUSED({ "max", "is called 'times' here" },
                             { "delay", "is called 'wait' here" }) },
    [KEYS_GATE] = { "a gate",
                    WORDS("metric", "max", "min", "versus", "better", "gain", "confidence",
                          "resamples", "seed"),
                    REFUSED({ "baseline", "is called 'versus' here" }) },
    [KEYS_NOTIFY] = { "notify", WORDS("run", "on"),
                      REFUSED({ "mail", "is sent by a program of yours: `run: [mail, ...]`" }) },
    [KEYS_SITE] = { "a site profile",
                    WORDS("site", "jobs", "threads", "memory", "kinds", "stages", "notify"),
                    REFUSED({ "pipeline", SCIENCE }, { "params", SCIENCE }, { "include", SCIENCE },
                            { "defaults", SCIENCE }, { "with", SCIENCE },
                            { "executor", LATER("clusters") },
                            { "env", LATER("environment variables") },
                            { "resources", "belongs to one of `kinds` or `stages`" },
                            { "timeout", "belongs to one of `kinds` or `stages`" },
                            { "retry", "belongs to one of `kinds` or `stages`" }) },
    [KEYS_SITE_ENTRY] = { "a site's word on a stage", WORDS("resources", "timeout", "retry"),
                          REFUSED({ "uses", SCIENCE }, { "with", SCIENCE }, { "run", SCIENCE },
                                  { "in", SCIENCE }, { "needs", SCIENCE }, { "matrix", SCIENCE },
                                  { "gate", SCIENCE }, { "params", SCIENCE },
                                  { "executor", LATER("clusters") },
                                  { "env", LATER("environment variables") }) },
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

static bool in_list(const char *word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

static enum status check_key(struct arena *a, const struct yaml *key, const struct key_list *keys)
{
    const char *hint;

    if (in_list(key->text, keys->known))
        return ST_OK;
    for (const struct refused_key *r = keys->refused; r->key != NULL; r++)
        if (strcmp(key->text, r->key) == 0)
            return yaml_fail(key, "'%s' %s", r->key, r->why);
    hint = hint_nearest(a, key->text, keys->known);
    if (*hint == 0)
        hint = arena_printf(a, "; %s has %s", keys->where, plan_words(a, keys->known));
    return yaml_fail(key, "unknown key '%.60s'%s", key->text, hint);
}

enum status plan_check_keys(struct arena *a, const struct yaml *value, enum plan_keys which)
{
    const struct key_list *keys = &lists[which];

    if (value->kind != YAML_MAP)
        return yaml_fail(value, "%s is a map with %s; found %s", keys->where,
                         plan_words(a, keys->known), yaml_describe(a, value));
    for (size_t i = 0; i < value->count; i++)
        TRY(check_key(a, value->keys[i], keys));
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
