/* The keys of pipeline files and site profiles: what plan_keys.c knows, as schemas. To add one: a
 * row here, and whoever reads it (plan_part.h). */
#include "pipelines/plan/schema.h"

struct key {
    const char *key, *help, *schema;     /* JSON text */
};

#define REF(name) "{\"$ref\": \"#/$defs/" name "\"}"
#define OR_PARAM(schema) "{\"anyOf\": [" schema ", " REF("param") "]}"
#define ONE_OR_MORE(name)                                                                          \
    "{\"anyOf\": [" REF(name) ", " REF("param") ", {\"type\": \"array\", \"minItems\": 1, "        \
    "\"items\": " OR_PARAM(REF(name)) "}]}"
#define MAP_OF(name)                                                                               \
    "{\"type\": \"object\", \"propertyNames\": " REF("name") ", \"additionalProperties\": "        \
    REF(name) "}"

static const struct key file_keys[] = {
    { "pipeline", "the name; work is kept in work/<name> unless --work says otherwise",
      REF("name") },
    { "params", "knobs with their defaults, put in as ${name}; --set name=value turns one",
      "{\"type\": \"object\", \"propertyNames\": " REF("name") "}" },
    { "include", "paths of files whose params and stages belong to this pipeline, too",
      ONE_OR_MORE("plain") },
    { "defaults", "what every stage may take that does not say so itself",
      OR_PARAM(REF("defaults")) },
    { "notify", "programs that are told how a run ended", ONE_OR_MORE("notify") },
    { "stages", "the stages by name; their order follows from what they read",
      "{\"type\": \"object\", \"minProperties\": 1, \"maxProperties\": 10000, \"propertyNames\": "
      REF("name") ", \"additionalProperties\": " REF("stage") "}" },
    { NULL, NULL, NULL }
};
#define POLICY_KEYS                                                                                \
    { "resources", "what the stage may take; never part of a result's identity",                   \
      OR_PARAM(REF("resources")) },                                                                \
    { "timeout", "how long an attempt may take; none: no limit",                                   \
      "{\"anyOf\": [" REF("time") ", {\"const\": \"none\"}]}" },                                   \
    { "retry", "further attempts after a failure: how many, or when", REF("retry") }
static const struct key stage_keys[] = {
    { "uses", "the subcommand that does it", OR_PARAM(REF("uses")) },
    { "with", "its options, by the same names as on the command line",
      OR_PARAM("{\"type\": \"object\"}") },
    { "run", "a program in place of `uses`: its words; {NAME} is the path of an input, {out} the "
             "folder to fill, {threads} how many threads it may use", REF("words") },
    { "in", "what the program reads, by name: paths or \"@stage\"",
      OR_PARAM(MAP_OF("plain")) },
    { "needs", "stages that it waits for though it reads nothing of them",
      "{\"anyOf\": [" REF("plain") ", {\"type\": \"array\", \"items\": " REF("plain") "}]}" },
    { "matrix", "one stage for each combination of these values, put in as ${name}",
      OR_PARAM("{\"type\": \"object\", \"minProperties\": 1, \"maxProperties\": 8, "
               "\"propertyNames\": " REF("name") ", \"additionalProperties\": "
               OR_PARAM("{\"type\": \"array\", \"minItems\": 1}") "}") },
    POLICY_KEYS,
    { "gate", "bounds that its metrics must meet before what waits for it goes on",
      ONE_OR_MORE("gate") },
    { NULL, NULL, NULL }
};
static const struct key defaults_keys[] = { POLICY_KEYS, { NULL, NULL, NULL } };
static const struct key resource_keys[] = {
    { "ranks", "processes; 1: no launcher", REF("count") },
    { "threads", "threads of a process", REF("count") },
    { "memory", "bytes of all its processes together", REF("size") },
    { "time", "how long it is expected to take", REF("time") },
    { NULL, NULL, NULL }
};
static const struct key retry_keys[] = {
    { "times", "how many further attempts", REF("times") },
    { "on", "after which failures", ONE_OR_MORE("cause") },
    { "wait", "before the first further attempt", REF("time") },
    { "factor", "each wait is so many times the one before",
      "{\"anyOf\": [{\"type\": \"number\", \"minimum\": 1, \"maximum\": 100}, " REF("param") "]}" },
    { "most", "the longest wait", REF("time") },
    { NULL, NULL, NULL }
};
static const struct key gate_keys[] = {
    { "metric", "member of metrics.json, dots between levels", REF("plain") },
    { "max", "the value is at most this", REF("number") },
    { "min", "the value is at least this", REF("number") },
    { "versus", "what it is held against: REGISTRY/ALIAS", REF("plain") },
    { "better", "which is better of two values",
      "{\"anyOf\": [{\"enum\": [\"lower\", \"higher\"]}, " REF("param") "]}" },
    { "gain", "least gain over the other", REF("number") },
    { "confidence", "of the paired bootstrap",
      "{\"anyOf\": [{\"type\": \"number\", \"minimum\": 0.5, \"maximum\": 0.9999}, " REF("param")
      "]}" },
    { "resamples", "of the bootstrap", REF("count") },
    { "seed", "of the bootstrap",
      "{\"anyOf\": [{\"type\": \"integer\", \"minimum\": 0}, " REF("param") "]}" },
    { NULL, NULL, NULL }
};
static const struct key notify_keys[] = {
    { "run", "the program's words; it finds the run's record on its input", REF("words") },
    { "on", "how a run ended; none: however", ONE_OR_MORE("ending") },
    { NULL, NULL, NULL }
};
static const struct key site_keys[] = {
    { "site", "the name of this machine or cluster", REF("name") },
    { "jobs", "stages that run at once", REF("count") },
    { "threads", "threads of all stages together", REF("count") },
    { "memory", "bytes of all stages together", REF("size") },
    { "kinds", "what stages of a kind may take",
      "{\"type\": \"object\", \"propertyNames\": {\"anyOf\": [" REF("uses")
      ", {\"const\": \"run\"}]}, \"additionalProperties\": " REF("site-entry") "}" },
    { "stages", "what one stage may take, by its name",
      "{\"type\": \"object\", \"additionalProperties\": " REF("site-entry") "}" },
    { "notify", "programs that are told how a run ended", ONE_OR_MORE("notify") },
    { NULL, NULL, NULL }
};

static const struct map {
    const char *name;
    const struct key *keys;
    const char *required;
} maps[] = {
    [SCHEMA_FILE] = { "file", file_keys, "[]" },
    [SCHEMA_STAGE] = { "stage", stage_keys, "[]" },
    [SCHEMA_DEFAULTS] = { "defaults", defaults_keys, "[]" },
    [SCHEMA_RESOURCES] = { "resources", resource_keys, "[]" },
    [SCHEMA_RETRY] = { "retry-map", retry_keys, "[\"times\"]" },
    [SCHEMA_GATE] = { "gate", gate_keys, "[\"metric\"]" },
    [SCHEMA_NOTIFY] = { "notify", notify_keys, "[\"run\"]" },
    [SCHEMA_SITE] = { "site", site_keys, "[\"site\"]" },
    [SCHEMA_SITE_ENTRY] = { "site-entry", defaults_keys, "[]" },
};

/* What values look like. */
static const struct shape {
    const char *name, *schema;
} shapes[] = {
    { "param", "{\"type\": \"string\", \"pattern\": \"\\\\$\\\\{[^}]+\\\\}\","
               " \"description\": \"a param of the pipeline\"}" },
    { "name", "{\"type\": [\"string\", \"number\"], \"pattern\": "
              "\"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$\"}" },
    { "plain", "{\"type\": [\"string\", \"number\", \"boolean\"]}" },
    { "number", "{\"anyOf\": [{\"type\": \"number\"}, " REF("param") "]}" },
    { "count", "{\"anyOf\": [{\"type\": \"integer\", \"minimum\": 1}, " REF("param") "]}" },
    { "times", "{\"anyOf\": [{\"type\": \"integer\", \"minimum\": 0}, " REF("param") "]}" },
    { "size", "{\"anyOf\": [{\"type\": \"integer\", \"minimum\": 0}, {\"type\": \"string\", "
              "\"pattern\": \"^[0-9]+[KMGTkmgt]?$\"}, " REF("param") "]}" },
    { "time", "{\"anyOf\": [{\"type\": \"string\", \"pattern\": "
              "\"^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$\"}, " REF("param") "]}" },
    { "words", OR_PARAM("{\"type\": \"array\", \"minItems\": 1, \"items\": " REF("plain") "}") },
    { "retry", "{\"anyOf\": [" REF("times") ", " REF("retry-map") "]}" },
    { "ending", "{\"enum\": [\"done\", \"failed\", \"gate\", \"interrupted\"]}" },
};

const char *schema_key(enum schema_map map, size_t i) { return maps[map].keys[i].key; }

json_t *schema_ref(const char *name)
{
    json_t *ref = json_object();

    json_object_set_new(ref, "$ref", json_sprintf("#/$defs/%s", name));
    return ref;
}

/* Of text that this file holds. */
static json_t *parse(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

    BUG_IF(value == NULL);
    return value;
}

json_t *schema_of_keys(enum schema_map map)
{
    json_t *properties = json_object();

    for (const struct key *k = maps[map].keys; k->key; k++) {
        json_t *schema = parse(k->schema);

        json_object_set_new(schema, "description", json_string(k->help));
        json_object_set_new(properties, k->key, schema);
    }
    return json_pack("{s:s, s:o, s:b, s:o}", "type", "object", "properties", properties,
                     "additionalProperties", 0, "required", parse(maps[map].required));
}

void schema_add_shapes(json_t *defs)
{
    static const enum schema_map inner[] = { SCHEMA_DEFAULTS, SCHEMA_RESOURCES, SCHEMA_RETRY,
                                             SCHEMA_GATE, SCHEMA_NOTIFY, SCHEMA_SITE_ENTRY };

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        json_object_set_new(defs, shapes[i].name, parse(shapes[i].schema));
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
        json_object_set_new(defs, maps[inner[i]].name, schema_of_keys(inner[i]));
}
