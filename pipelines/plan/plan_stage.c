/* One stage by itself: its kind, its options, what it may take, its gates. */
#include <string.h>

#include "pipelines/plan/options.h"
#include "pipelines/plan/plan_part.h"
#include "pipelines/plan/program.h"

/* ---- the kind ---- */

static enum status find_command(struct plan_build *b, const struct yaml *uses,
                                const struct command **out)
{
    struct arena *a = b->arena;
    const char *hint;

    if (uses->kind != YAML_SCALAR)
        return yaml_fail(uses, "uses: want the kind of the stage, one of %s; found %s",
                         plan_words(a, b->kinds), yaml_describe(a, uses));
    *out = command_find(b->args->commands, uses->text);
    if (*out != NULL && plan_is_kind(*out))
        return ST_OK;
    if (*out != NULL)
        return yaml_fail(uses, "'%s' makes no artifact, so it cannot be a stage; kinds are %s",
                         uses->text, plan_words(a, b->kinds));
    hint = hint_nearest(a, uses->text, b->kinds);
    if (*hint == 0)
        hint = arena_printf(a, "; kinds are %s", plan_words(a, b->kinds));
    return yaml_fail(uses, "no stage kind '%.80s'%s", uses->text, hint);
}

/* The key node of a map's member. */
static const struct yaml *key_of(const struct yaml *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->keys[i]->text, key) == 0)
            return map->keys[i];
    return NULL;
}

static enum status check_pairs(const struct plan_build *b, const struct plan_stage *s,
                               const struct yaml *map)
{
    const struct yaml *uses = key_of(map, "uses"), *run = key_of(map, "run");
    const struct yaml *with = key_of(map, "with"), *in = key_of(map, "in");

    if (uses != NULL && run != NULL)
        return yaml_fail(run, "a stage has 'uses' or 'run', not both");
    if (uses == NULL && run == NULL)
        return yaml_fail(s->at,
                         "stage '%s' lacks 'uses', the kind of the stage (one of %s), or 'run', a "
                         "program of your own",
                         s->name, plan_words(b->arena, b->kinds));
    if (run != NULL && with != NULL)
        return yaml_fail(with, "'with' goes with 'uses'; what a program reads stands in 'in'");
    if (uses != NULL && in != NULL)
        return yaml_fail(in, "'in' goes with 'run'; the options of '%s' stand in 'with'",
                         s->command->name);
    return ST_OK;
}

/* ---- options ---- */

/* What the runner alone decides must not be in `with`. */
static enum status check_use(void *ctx, const struct option_use *use)
{
    const struct plan_policy *own = ctx;

    if (use->row->type == OPT_T_OUTPUT)
        return yaml_fail(use->key, "leave '%s' out: the runner says where the artifact goes",
                         use->row->name);
    if (use->row->fallback != NULL && use->value->kind == YAML_LIST && use->value->count == 0
        && use->row->type != OPT_T_TREE)
        return yaml_fail(use->value,
                         "an empty list cannot be said on a command line; leave '%s' out",
                         use->row->name);
    if ((own->said & SAID_THREADS) && strcmp(use->row->name, "threads") == 0)
        return yaml_fail(use->key, "'threads' is also given in `resources`; leave one out");
    return ST_OK;
}

static struct yaml *empty_map(struct plan_build *b, const struct yaml *at)
{
    struct yaml *map = arena_new(b->arena, struct yaml);

    *map = *at;
    map->kind = YAML_MAP;
    return map;
}

static enum status read_with(struct plan_build *b, struct plan_stage *s, struct yaml *with,
                             const struct plan_policy *own)
{
    if (with == NULL)
        with = empty_map(b, s->at);
    if (with->kind != YAML_MAP)
        return yaml_fail(with, "with: want a map of the options of '%s'; found %s",
                         s->command->name, yaml_describe(b->arena, with));
    s->with = with;
    arena_reset(&b->scratch);
    TRY(opt_check_map(s->command->opts, &b->scratch, with, s->at, 1u << OPT_T_OUTPUT));
    return options_walk(s->command->opts, with, check_use,
                        (void *)(uintptr_t)own);
}

/* `run` and `in` as a `with` of the program's own table; the nodes keep their places. */
static enum status read_program(struct plan_build *b, struct plan_stage *s, struct yaml *map)
{
    static const char *const pairs[][2] = { { "run", "argv" }, { "in", "in" } };
    struct yaml *with = empty_map(b, s->at);

    TRY(program_check(b->arena, yaml_get(map, "run"), yaml_get(map, "in")));
    with->keys = arena_array(b->arena, 2, sizeof *with->keys);
    with->items = arena_array(b->arena, 2, sizeof *with->items);
    for (size_t i = 0; i < 2; i++) {
        struct yaml *value = yaml_get(map, pairs[i][0]), *key;
        if (value == NULL)
            continue;
        key = arena_new(b->arena, struct yaml);
        *key = *key_of(map, pairs[i][0]);
        key->text = pairs[i][1];
        with->keys[with->count] = key;
        with->items[with->count++] = value;
    }
    s->with = with;
    return ST_OK;
}

/* ---- the whole ---- */

static enum status put_params(struct plan_build *b, size_t i)
{
    enum status st;

    b->params->scope = &b->scopes[i];
    st = params_apply(b->params, b->maps[i]);
    b->params->scope = NULL;
    return st;
}

static enum status check_threads(const struct plan_stage *s, const struct plan_policy *own)
{
    if ((own->said & SAID_THREADS) && !plan_takes_threads(s->command))
        return yaml_fail(own->threads_at, "'%s' has no option 'threads'", s->command->name);
    return ST_OK;
}

enum status plan_stage_read(struct plan_build *b, size_t i)
{
    struct plan_stage *s = &b->plan->stages[i];
    struct yaml *map = b->maps[i], *gate;
    struct plan_policy own;

    TRY(put_params(b, i));
    s->command = &stage_program;
    if (yaml_get(map, "uses") != NULL)
        TRY(find_command(b, yaml_get(map, "uses"), &s->command));
    TRY(check_pairs(b, s, map));
    TRY(plan_policy_read(b->arena, map, &own));
    TRY(check_threads(s, &own));
    if (s->command == &stage_program)
        TRY(read_program(b, s, map));
    else
        TRY(read_with(b, s, yaml_get(map, "with"), &own));
    plan_policy_settle(b, i, &own);
    gate = yaml_get(map, "gate");
    return gate == NULL ? ST_OK : plan_gates_read(b->arena, s, gate);
}
