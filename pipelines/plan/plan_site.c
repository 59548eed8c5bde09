/* The site profile: what a machine gives to pipelines, and nothing that decides a result. */
#include <string.h>

#include "pipelines/plan/plan_part.h"
#include "pipelines/plan/program.h"

#define JOB_LIMIT 1024

/* What is said of kinds or of stages: names, and a policy for each. */
struct site_entries {
    struct name_index names;
    struct plan_policy *policies;
};
struct plan_site {
    struct site_entries kinds, stages;
};

static enum status read_entries(struct arena *a, const struct yaml *map, const char *what,
                                struct site_entries *out)
{
    out->names.arena = a;
    if (map == NULL)
        return ST_OK;
    if (map->kind != YAML_MAP)
        return yaml_fail(map, "%s: want a map of names to what they may take; found %s", what,
                         yaml_describe(a, map));
    out->policies = arena_array(a, map->count, sizeof *out->policies);
    for (size_t i = 0; i < map->count; i++) {
        TRY(plan_check_keys(a, map->items[i], SCHEMA_SITE_ENTRY));
        TRY(plan_policy_read(a, map->items[i], &out->policies[i]));
        name_index_add(&out->names, map->keys[i]->text);
    }
    return ST_OK;
}

/* A kind's name with a dot, as `uses` has it; `run` is a program of the user's. */
static enum status check_kind(struct plan_build *b, const struct yaml *key,
                              const struct plan_policy *policy)
{
    const struct command *c = command_find(b->args->commands, key->text);
    const char *hint;

    if (strcmp(key->text, stage_program.name) == 0)
        return ST_OK;
    if (c == NULL || !plan_is_kind(c)) {
        hint = hint_nearest(b->arena, key->text, b->kinds);
        if (*hint == 0)
            hint = arena_printf(b->arena, "; kinds are %s, and run for programs",
                                plan_words(b->arena, b->kinds));
        return yaml_fail(key, "no stage kind '%.80s'%s", key->text, hint);
    }
    if ((policy->said & SAID_THREADS) && !plan_takes_threads(c))
        return yaml_fail(policy->threads_at, "'%s' has no option 'threads'", c->name);
    return ST_OK;
}

static enum status read_machine(struct plan_build *b, const struct yaml *root)
{
    struct plan *p = b->plan;
    const struct yaml *name = yaml_get(root, "site");

    if (name == NULL)
        return yaml_fail(root, "'site' is missing: the name of this site");
    if (name->kind != YAML_SCALAR || !name_is_good(name->text))
        return yaml_fail(name,
                         "site: want a name of letters, digits, - and _, at most 64; found %s",
                         yaml_describe(b->arena, name));
    p->site = name->text;
    TRY(plan_read_count(b->arena, root, "jobs", JOB_LIMIT, &p->jobs));
    TRY(plan_read_count(b->arena, root, "threads", PLAN_THREAD_LIMIT, &p->threads));
    return plan_read_memory(b->arena, root, &p->memory);
}

enum status plan_site_read(struct plan_build *b, const char *path)
{
    struct plan_site *site = arena_new(b->arena, struct plan_site);
    struct yaml *root, *kinds, *notify;

    TRY(plan_too_large(b->arena, yaml_read_file(b->arena, path, &root)));
    TRY(plan_check_keys(b->arena, root, SCHEMA_SITE));
    TRY(read_machine(b, root));
    kinds = yaml_get(root, "kinds");
    TRY(read_entries(b->arena, kinds, "kinds", &site->kinds));
    for (size_t i = 0; i < site->kinds.names.count; i++)
        TRY(check_kind(b, kinds->keys[i], &site->kinds.policies[i]));
    TRY(read_entries(b->arena, yaml_get(root, "stages"), "stages", &site->stages));
    b->site = site;
    notify = yaml_get(root, "notify");
    return notify == NULL ? ST_OK : plan_notify_read(b->plan, notify);
}

static void put_named(const struct site_entries *entries, const char *name,
                      struct plan_policy *policy)
{
    size_t i = name_index_find(&entries->names, name);

    if (i != NAME_NONE)
        plan_policy_put(policy, &entries->policies[i]);
}

static void put_kind(const struct site_entries *kinds, const struct command *c,
                     struct plan_policy *policy)
{
    char *dotted;
    struct arena a = { 0 };

    put_named(kinds, c->name, policy);
    if (strchr(c->name, ' ') == NULL)
        return;
    dotted = arena_strdup(&a, c->name);
    for (char *p = dotted; *p; p++)
        if (*p == ' ')
            *p = '.';
    put_named(kinds, dotted, policy);
    arena_release(&a);
}

void plan_site_over(const struct plan_build *b, size_t i, struct plan_policy *policy)
{
    const struct plan_stage *s = &b->plan->stages[i];

    if (b->site == NULL)
        return;
    put_kind(&b->site->kinds, s->command, policy);
    put_named(&b->site->stages, s->at->text, policy);
    if (strcmp(s->name, s->at->text) != 0)
        put_named(&b->site->stages, s->name, policy);
}
