#include "pipelines/plan/plan.h"

#include <string.h>

#include "base/file.h"
#include "pipelines/plan/options.h"
#include "pipelines/plan/plan_part.h"

#define FILE_LIMIT (4u << 20)

bool plan_is_kind(const struct command *c)
{
    return c->stage_version > 0 && options_row_of_type(c->opts, OPT_T_OUTPUT) != NULL;
}

/* The stage kinds as `uses` writes them. */
static const char **stage_kinds(struct arena *a, command_list commands)
{
    size_t n = 0, count = 0;
    const char **names;

    while (commands[n] != NULL)
        n++;
    names = arena_array(a, n + 1, sizeof *names);
    for (size_t i = 0; i < n; i++)
        if (plan_is_kind(commands[i])) {
            char *name = arena_strdup(a, commands[i]->name);
            for (char *c = name; *c; c++)
                if (*c == ' ')
                    *c = '.';
            names[count++] = name;
        }
    return names;
}

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

/* What stands at the top of a file beside params and stages. */
static enum status read_top(struct plan_build *b, struct plan_file *f)
{
    struct yaml *defaults = yaml_get(f->root, "defaults"), *notify = yaml_get(f->root, "notify");

    if (defaults != NULL) {
        TRY(params_apply(b->params, defaults));
        TRY(plan_check_keys(b->arena, defaults, SCHEMA_DEFAULTS));
        TRY(plan_policy_read(b->arena, defaults, &f->defaults));
    }
    if (notify == NULL)
        return ST_OK;
    TRY(params_apply(b->params, notify));
    return plan_notify_read(b->plan, notify);
}

static enum status read_tree(struct plan_build *b, struct yaml *root)
{
    struct params *params = arena_new(b->arena, struct params);

    TRY(plan_check_keys(b->arena, root, SCHEMA_FILE));
    TRY(read_name(b->plan, root));
    TRY(plan_gather(b, root));
    TRY(params_read(b->arena, b->declared, b->args->sets, params));
    b->plan->params = b->params = params;
    for (size_t i = 0; i < b->file_count; i++)
        TRY(read_top(b, b->files[i]));
    if (b->args->site != NULL)
        TRY(plan_site_read(b, b->args->site));
    TRY(plan_multiply(b));
    for (size_t i = 0; i < b->plan->count; i++)
        TRY(plan_stage_read(b, i));
    for (size_t i = 0; i < b->plan->count; i++)
        TRY(plan_connect(b, i));
    return plan_sort(b->plan);
}

enum status plan_parse(struct arena *a, const struct plan_args *args, const char *text, size_t n,
                       struct plan **out)
{
    struct plan_build b = { .plan = arena_new(a, struct plan), .arena = a, .args = args };
    struct yaml *root;
    enum status st;

    *out = b.plan;
    b.plan->arena = a;
    b.kinds = stage_kinds(a, args->commands);
    TRY(yaml_parse(a, args->name, text, n, &root));
    arena_init(&b.scratch);
    st = read_tree(&b, root);
    arena_release(&b.scratch);
    return st;
}

enum status plan_too_large(struct arena *a, enum status st)
{
    return st != ST_LIMIT ? st : fail(ST_CONFIG, "%s", arena_strdup(a, fail_message()));
}

enum status plan_read_file(struct arena *a, const struct plan_args *args, struct plan **out)
{
    struct buf text = { 0 };
    enum status st = file_read(args->name, FILE_LIMIT, &text);

    if (st == ST_OK)
        st = plan_parse(a, args, text.p, text.n, out);
    buf_release(&text);
    return plan_too_large(a, st);
}
