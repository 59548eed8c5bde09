#include "pipelines/plan/schema.h"

#include <string.h>

#include "pipelines/plan/options.h"
#include "pipelines/plan/plan.h"

#define DRAFT "https://json-schema.org/draft/2020-12/schema"

static bool is_stage(const struct command *c)
{
    return c->stage_version > 0 && options_row_of_type(c->opts, OPT_T_OUTPUT) != NULL;
}

/* "tokenizer train" is written tokenizer.train, and may be written as it is. */
static json_t *spellings(const struct command *c)
{
    json_t *names = json_array();
    char *dotted = mem_strdup(c->name);

    for (char *p = dotted; *p; p++)
        if (*p == ' ')
            *p = '.';
    json_array_append_new(names, json_string(dotted));
    if (strcmp(dotted, c->name) != 0)
        json_array_append_new(names, json_string(c->name));
    free(dotted);
    return names;
}

static void add_kinds(json_t *defs, command_list commands)
{
    json_t *names = json_array();

    for (; *commands; commands++)
        if (is_stage(*commands)) {
            json_t *own = spellings(*commands);

            json_array_extend(names, own);
            json_decref(own);
        }
    json_object_set_new(defs, "uses", json_pack("{s:o}", "enum", names));
}

static void add_causes(json_t *defs)
{
    json_t *words = json_array();

    for (const char *const *word = fail_cause_words; *word != NULL; word++)
        json_array_append_new(words, json_string(*word));
    json_object_set_new(defs, "cause", json_pack("{s:o}", "enum", words));
}

/* Is there an option that every such stage must be given? */
static bool wants_options(const struct command *c)
{
    for (const struct opt *row = c->opts; row->name; row++)
        if ((row->flags & OPT_REQUIRED) && row->type != OPT_T_OUTPUT)
            return true;
    return false;
}

/* If the stage is of that kind, then its `with` is a map of those options. */
static json_t *rule_of(json_t *defs, const struct command *c)
{
    struct buf name = { 0 };
    json_t *rule, *then;

    buf_printf(&name, "with.%s", c->name);
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == ' ')
            name.p[i] = '.';
    schema_add_options(defs, name.p, c->opts);
    then = json_pack("{s:{s:{s:[o, o]}, s:{s:s}}}", "properties", "with", "anyOf",
                     schema_ref(name.p), schema_ref("param"), "uses", "description", c->summary);
    if (wants_options(c))
        json_object_set_new(then, "required", json_pack("[s]", "with"));
    rule = json_pack("{s:{s:{s:{s:o}}, s:[s]}, s:o}", "if", "properties", "uses", "enum",
                     spellings(c), "required", "uses", "then", then);
    BUG_IF(rule == NULL);
    buf_release(&name);
    return rule;
}

static json_t *stage_schema(json_t *defs, command_list commands)
{
    json_t *stage = schema_of_keys(SCHEMA_STAGE), *rules = json_array();
    json_t *either = json_pack("[{s:[s], s:{s:b, s:b}}, {s:[s], s:{s:b, s:b}}]", "required", "uses",
                               "properties", "run", 0, "in", 0, "required", "run", "properties",
                               "uses", 0, "with", 0);

    BUG_IF(either == NULL);
    for (; *commands; commands++)
        if (is_stage(*commands))
            json_array_append_new(rules, rule_of(defs, *commands));
    json_object_set_new(stage, "anyOf", either);
    json_object_set_new(stage, "allOf", rules);
    return stage;
}

static json_t *with_head(json_t *schema, const char *title, json_t *defs)
{
    json_t *whole = json_pack("{s:s, s:s}", "$schema", DRAFT, "title", title);

    json_object_update(whole, schema);
    json_object_set_new(whole, "$defs", defs);
    json_decref(schema);
    return whole;
}

json_t *schema_of_pipeline(command_list commands)
{
    json_t *defs = json_object(), *file = schema_of_keys(SCHEMA_FILE);

    schema_add_shapes(defs);
    add_kinds(defs, commands);
    add_causes(defs);
    json_object_set_new(defs, "stage", stage_schema(defs, commands));
    /* what a run is given has stages, its own or included; a part of it needs neither */
    json_object_set_new(file, "anyOf",
                        json_pack("[{s:[s]}, {s:[s]}, {s:{s:[s]}}]", "required", "stages",
                                  "required", "include", "not", "required", "pipeline"));
    return with_head(file, "a Tundish pipeline file", defs);
}

json_t *schema_of_site(command_list commands)
{
    json_t *defs = json_object();

    schema_add_shapes(defs);
    add_kinds(defs, commands);
    add_causes(defs);
    return with_head(schema_of_keys(SCHEMA_SITE), "a Tundish site profile", defs);
}
