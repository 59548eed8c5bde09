#include "pipelines/plan.h"

#include <string.h>

#include "base/file.h"
#include "pipelines/options.h"
#include "pipelines/param.h"

#define FILE_LIMIT (4u << 20)
#define STAGE_LIMIT 10000
#define RANK_LIMIT 100000
#define THREAD_LIMIT 4096

/* ---- keys ---- */

struct later_key {
    const char *key, *what;
};
struct key_list {
    const char *where;                 /* "a pipeline" */
    const char *const *known;
    const struct later_key *later;     /* planned, and refused until then */
};

static const struct key_list file_keys = {
    "a pipeline file",
    (const char *const[]){ "pipeline", "params", "stages", NULL },
    (const struct later_key[]){ { "on", "schedules and triggers" },
                                { "include", "parts from other files" },
                                { "defaults", "keys for every stage" },
                                { "executor", "clusters" },
                                { "notify", "messages about runs" },
                                { "registry", "promotion of models" },
                                { "keep", "how long artifacts are kept" },
                                { NULL, NULL } },
};
static const struct key_list stage_keys = {
    "a stage",
    (const char *const[]){ "uses", "with", "needs", "resources", NULL },
    (const struct later_key[]){ { "gate", "bounds that a result must meet" },
                                { "matrix", "one stage for each of many values" },
                                { "retry", "another try after a failure" },
                                { "timeout", "a limit of time" },
                                { "if", "conditions" },
                                { "env", "environment variables" },
                                { "executor", "clusters" },
                                { "notify", "messages about runs" },
                                { "keep", "how long artifacts are kept" },
                                { NULL, NULL } },
};
static const struct key_list resource_keys = {
    "resources",
    (const char *const[]){ "ranks", "threads", NULL },
    (const struct later_key[]){ { "nodes", "clusters" },
                                { "gpus", "a share of the devices" },
                                { "memory", "a limit of memory" },
                                { "time", "a limit of time" },
                                { NULL, NULL } },
};

static const char *word_list(struct arena *a, const char *const *words)
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
    for (const struct later_key *l = keys->later; l->key != NULL; l++)
        if (strcmp(key->text, l->key) == 0)
            return yaml_fail(key, "'%s' (%s) is not in this version", l->key, l->what);
    hint = hint_nearest(a, key->text, keys->known);
    if (*hint == 0)
        hint = arena_printf(a, "; %s has %s", keys->where, word_list(a, keys->known));
    return yaml_fail(key, "unknown key '%.60s'%s", key->text, hint);
}

/* value is a map with known keys only. */
static enum status check_map(struct arena *a, const struct yaml *value, const struct key_list *keys)
{
    if (value->kind != YAML_MAP)
        return yaml_fail(value, "%s is a map with %s; found %s", keys->where,
                         word_list(a, keys->known), yaml_describe(a, value));
    for (size_t i = 0; i < value->count; i++)
        TRY(check_key(a, value->keys[i], keys));
    return ST_OK;
}

/* ---- names ---- */

static enum status unknown_stage(const struct plan *p, const struct yaml *at, const char *name)
{
    const char *hint = hint_nearest(p->arena, name, p->names);

    if (*hint == 0 && p->count <= 12)
        hint = arena_printf(p->arena, "; the stages are %s", word_list(p->arena, p->names));
    return yaml_fail(at, "no stage '%.80s'%s", name, hint);
}

static enum status find_stage(const struct plan *p, const struct plan_stage *self,
                              const struct yaml *at, const char *name, size_t *out)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->stages[i].name, name) == 0) {
            *out = i;
            if (&p->stages[i] == self)
                return yaml_fail(at, "stage '%s' cannot wait for itself", name);
            return ST_OK;
        }
    return unknown_stage(p, at, name);
}

static bool is_stage_kind(const struct command *c)
{
    return c->stage_version > 0 && options_row_of_type(c->opts, OPT_T_OUTPUT) != NULL;
}

/* The stage kinds as `uses` writes them, NULL-terminated. */
static const char **stage_kinds(struct arena *a, command_list commands)
{
    size_t n = 0, count = 0;
    const char **names;

    while (commands[n] != NULL)
        n++;
    names = arena_array(a, n + 1, sizeof *names);
    for (size_t i = 0; i < n; i++)
        if (is_stage_kind(commands[i])) {
            char *name = arena_strdup(a, commands[i]->name);
            for (char *c = name; *c; c++)
                if (*c == ' ')
                    *c = '.';
            names[count++] = name;
        }
    return names;
}

static enum status find_command(struct arena *a, command_list commands, const struct yaml *uses,
                                const struct command **out)
{
    const char **kinds = stage_kinds(a, commands);
    const char *hint;

    if (uses->kind != YAML_SCALAR)
        return yaml_fail(uses, "uses: want the kind of the stage, one of %s; found %s",
                         word_list(a, kinds), yaml_describe(a, uses));
    *out = command_find(commands, uses->text);
    if (*out != NULL && is_stage_kind(*out))
        return ST_OK;
    if (*out != NULL)
        return yaml_fail(uses, "'%s' makes no artifact, so it cannot be a stage; kinds are %s",
                         uses->text, word_list(a, kinds));
    hint = hint_nearest(a, uses->text, kinds);
    if (*hint == 0)
        hint = arena_printf(a, "; kinds are %s", word_list(a, kinds));
    return yaml_fail(uses, "no stage kind '%.80s'%s", uses->text, hint);
}

/* ---- one stage, by itself ---- */

static enum status read_count(struct arena *a, const struct yaml *resources, const char *key,
                              long long limit, long long *out)
{
    const struct yaml *n = yaml_get(resources, key);

    if (n == NULL)
        return ST_OK;
    if (!yaml_as_int(n, out) || *out < 1 || *out > limit)
        return yaml_fail(n, "%s: want a whole number, 1 to %lld; found %s", key, limit,
                         yaml_describe(a, n));
    return ST_OK;
}

static enum status read_resources(struct plan *p, struct plan_stage *s, const struct yaml *map)
{
    s->ranks = 1;
    if (map == NULL)
        return ST_OK;
    TRY(check_map(p->arena, map, &resource_keys));
    TRY(read_count(p->arena, map, "ranks", RANK_LIMIT, &s->ranks));
    TRY(read_count(p->arena, map, "threads", THREAD_LIMIT, &s->threads));
    if (s->threads > 0 && opt_find(s->command->opts, "threads") == NULL)
        return yaml_fail(yaml_get(map, "threads"), "'%s' has no option 'threads'",
                         s->command->name);
    return ST_OK;
}

/* What the runner alone decides must not be in `with`. */
static enum status check_use(void *ctx, const struct option_use *use)
{
    const struct plan_stage *s = ctx;

    if (use->row->type == OPT_T_OUTPUT)
        return yaml_fail(use->key, "leave '%s' out: the runner says where the artifact goes",
                         use->row->name);
    if (use->row->fallback != NULL && use->value->kind == YAML_LIST && use->value->count == 0
        && use->row->type != OPT_T_TREE)
        return yaml_fail(use->value,
                         "an empty list cannot be said on a command line; leave '%s' out",
                         use->row->name);
    if (s->threads > 0 && strcmp(use->row->name, "threads") == 0)
        return yaml_fail(use->key, "'threads' is also given in `resources`; leave one out");
    return ST_OK;
}

static enum status read_with(struct plan *p, struct plan_stage *s, struct yaml *with)
{
    if (with == NULL) {
        with = arena_new(p->arena, struct yaml);
        *with = *s->at;
        with->kind = YAML_MAP;
    }
    if (with->kind != YAML_MAP)
        return yaml_fail(with, "with: want a map of the options of '%s'; found %s",
                         s->command->name, yaml_describe(p->arena, with));
    s->with = with;
    TRY(opt_check_map(s->command->opts, p->arena, with, s->at, 1u << OPT_T_OUTPUT));
    return options_walk(s->command->opts, with, check_use, s);
}

static enum status read_stage(struct plan *p, const struct plan_args *args, struct params *params,
                              struct plan_stage *s, struct yaml *map)
{
    struct yaml *with, *resources;

    if (!name_is_good(s->name))
        return yaml_fail(s->at,
                         "a stage's name is letters, digits, - and _, at most 64; found '%.80s'",
                         s->name);
    TRY(check_map(p->arena, map, &stage_keys));
    if (yaml_get(map, "uses") == NULL)
        return yaml_fail(s->at, "stage '%s' lacks 'uses', the kind of the stage: one of %s",
                         s->name, word_list(p->arena, stage_kinds(p->arena, args->commands)));
    TRY(find_command(p->arena, args->commands, yaml_get(map, "uses"), &s->command));
    with = yaml_get(map, "with");
    resources = yaml_get(map, "resources");
    if (resources != NULL)
        TRY(params_apply(params, resources));
    TRY(read_resources(p, s, resources));
    if (with != NULL)
        TRY(params_apply(params, with));
    return read_with(p, s, with);
}

/* ---- what it reads and waits for ---- */

struct collect {
    struct plan *plan;
    struct plan_stage *stage;
    size_t input_cap, edge_cap;
};

static void add_edge(struct collect *c, size_t from, const struct yaml *at)
{
    struct plan_stage *s = c->stage;

    if (s->after_count == c->edge_cap) {
        struct plan_edge *old = s->after;
        c->edge_cap = c->edge_cap ? 2 * c->edge_cap : 4;
        s->after = arena_array(c->plan->arena, c->edge_cap, sizeof *s->after);
        if (old != NULL)
            memcpy(s->after, old, s->after_count * sizeof *old);
    }
    s->after[s->after_count++] = (struct plan_edge){ from, at };
}

static enum status add_input(void *ctx, const struct opt *row, size_t index, struct yaml *path)
{
    struct collect *c = ctx;
    struct plan_stage *s = c->stage;
    struct plan_input in = { row, index, path, PLAN_OUTSIDE };

    if (path->text[0] == '@') {
        TRY(find_stage(c->plan, s, path, path->text + 1, &in.from));
        add_edge(c, in.from, path);
    }
    if (s->input_count == c->input_cap) {
        struct plan_input *old = s->inputs;
        c->input_cap = c->input_cap ? 2 * c->input_cap : 4;
        s->inputs = arena_array(c->plan->arena, c->input_cap, sizeof *s->inputs);
        if (old != NULL)
            memcpy(s->inputs, old, s->input_count * sizeof *old);
    }
    s->inputs[s->input_count++] = in;
    return ST_OK;
}

static bool is_input(const struct plan_stage *s, const struct yaml *node)
{
    for (size_t i = 0; i < s->input_count; i++)
        if (s->inputs[i].node == node)
            return true;
    return false;
}

/* "@stage" where nothing is read would go to the stage as a text: surely not what was meant. */
static enum status refuse_strays(const struct plan *p, const struct plan_stage *s,
                                 const struct yaml *node)
{
    if (node->kind != YAML_SCALAR) {
        for (size_t i = 0; i < node->count; i++)
            TRY(refuse_strays(p, s, node->items[i]));
        return ST_OK;
    }
    if (node->text[0] == '@' && in_list(node->text + 1, p->names) && !is_input(s, node))
        return yaml_fail(node, "'%s' is the artifact of a stage, and '%s' reads none here",
                         node->text, s->command->name);
    return ST_OK;
}

static enum status add_need(struct collect *c, const struct yaml *need)
{
    size_t from;

    if (need->kind != YAML_SCALAR)
        return yaml_fail(need, "needs: want the names of stages; found %s",
                         yaml_describe(c->plan->arena, need));
    if (need->text[0] == '@')
        return yaml_fail(need, "needs: want the stage's name without the '@'");
    TRY(find_stage(c->plan, c->stage, need, need->text, &from));
    add_edge(c, from, need);
    return ST_OK;
}

static enum status add_needs(struct collect *c, const struct yaml *needs)
{
    if (needs == NULL)
        return ST_OK;
    if (needs->kind != YAML_LIST)
        return add_need(c, needs);
    for (size_t i = 0; i < needs->count; i++)
        TRY(add_need(c, needs->items[i]));
    return ST_OK;
}

static enum status connect(struct plan *p, struct plan_stage *s, const struct yaml *map)
{
    struct collect c = { .plan = p, .stage = s };

    TRY(options_inputs(s->command->opts, s->with, add_input, &c));
    TRY(refuse_strays(p, s, s->with));
    return add_needs(&c, yaml_get(map, "needs"));
}

/* ---- the file ---- */

static enum status read_name(struct plan *p, const struct yaml *root)
{
    const struct yaml *name = yaml_get(root, "pipeline");

    if (name == NULL)
        return yaml_fail(root, "'pipeline' is missing: the name of this pipeline");
    if (name->kind != YAML_SCALAR || !name_is_good(name->text))
        return yaml_fail(name,
                         "pipeline: want a name of letters, digits, - and _, at most 64; found %s",
                         yaml_describe(p->arena, name));
    p->name = name->text;
    return ST_OK;
}

static enum status begin_stages(struct plan *p, const struct yaml *root, struct yaml **out)
{
    struct yaml *stages = yaml_get(root, "stages");

    if (stages == NULL)
        return yaml_fail(root, "'stages' is missing: what this pipeline does");
    if (stages->kind != YAML_MAP)
        return yaml_fail(stages, "stages: want a map of names to stages; found %s",
                         yaml_describe(p->arena, stages));
    if (stages->count == 0 || stages->count > STAGE_LIMIT)
        return yaml_fail(stages, "stages: want 1 to %d stages; found %zu", STAGE_LIMIT,
                         stages->count);
    p->count = stages->count;
    p->stages = arena_array(p->arena, p->count, sizeof *p->stages);
    p->names = arena_array(p->arena, p->count + 1, sizeof *p->names);
    for (size_t i = 0; i < p->count; i++) {
        p->stages[i].at = stages->keys[i];
        p->stages[i].name = p->stages[i].slug = p->names[i] = stages->keys[i]->text;
    }
    *out = stages;
    return ST_OK;
}

static enum status read_tree(struct plan *p, const struct plan_args *args, const struct yaml *root)
{
    struct params *params = arena_new(p->arena, struct params);
    struct yaml *stages = NULL;

    TRY(check_map(p->arena, root, &file_keys));
    TRY(read_name(p, root));
    TRY(params_read(p->arena, yaml_get(root, "params"), args->sets, params));
    p->params = params;
    TRY(begin_stages(p, root, &stages));
    for (size_t i = 0; i < p->count; i++)
        TRY(read_stage(p, args, params, &p->stages[i], stages->items[i]));
    for (size_t i = 0; i < p->count; i++)
        TRY(connect(p, &p->stages[i], stages->items[i]));
    return plan_sort(p);
}

enum status plan_parse(struct arena *a, const struct plan_args *args, const char *text, size_t n,
                       struct plan **out)
{
    struct plan *p = arena_new(a, struct plan);
    struct yaml *root;

    p->arena = a;
    TRY(yaml_parse(a, args->name, text, n, &root));
    TRY(read_tree(p, args, root));
    *out = p;
    return ST_OK;
}

enum status plan_read_file(struct arena *a, const struct plan_args *args, struct plan **out)
{
    struct buf text = { 0 };
    enum status st = file_read(args->name, FILE_LIMIT, &text);

    if (st == ST_OK)
        st = plan_parse(a, args, text.p, text.n, out);
    buf_release(&text);
    return st;
}
