/* Why a key changed: two records side by side, in words. */
#include <string.h>

#include "pipelines/plan/options.h"
#include "pipelines/run/cache.h"

#define SHOWN 48   /* characters of a value */

struct diff {
    const struct plan *plan;
    const struct plan_stage *stage;
    struct words *out;
    size_t left;         /* lines that may still be said */
    size_t unsaid;
};

static void say(struct diff *d, const char *line)
{
    if (d->left == 0) {
        d->unsaid++;
        return;
    }
    d->left--;
    words_add(d->out, line);
}

/* A value as JSON, cut to SHOWN characters. */
static const char *shown(struct arena *a, const json_t *v)
{
    struct buf text = { 0 };
    size_t n;
    const char *kept;

    json_canonical(&text, v);
    n = text.n;
    if (n > SHOWN)
        for (n = SHOWN; n > 0 && ((unsigned char)text.p[n] & 0xC0) == 0x80;)
            n--;
    kept = arena_printf(a, "%.*s%s", (int)n, text.p, n < text.n ? "..." : "");
    buf_release(&text);
    return kept;
}

static void say_value(struct diff *d, const char *path, const json_t *before, const json_t *after)
{
    struct arena *a = d->out->arena;

    if (before == NULL)
        say(d, arena_printf(a, "option %s: new, %s", path, shown(a, after)));
    else if (after == NULL)
        say(d, arena_printf(a, "option %s: gone, was %s", path, shown(a, before)));
    else
        say(d, arena_printf(a, "option %s: %s -> %s", path, shown(a, before), shown(a, after)));
}

static void diff_values(struct diff *d, const char *path, const json_t *before,
                        const json_t *after);

static void diff_member(struct diff *d, const char *path, const char *key, const json_t *before,
                        const json_t *after)
{
    struct arena *a = d->out->arena;

    diff_values(d, *path ? arena_printf(a, "%s.%s", path, key) : arena_strdup(a, key), before,
                after);
}

static void diff_objects(struct diff *d, const char *path, const json_t *before,
                         const json_t *after)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)after, key, value)
        diff_member(d, path, key, json_object_get(before, key), value);
    json_object_foreach((json_t *)(uintptr_t)before, key, value)
        if (json_object_get(after, key) == NULL)
            diff_member(d, path, key, value, NULL);
}

static void diff_arrays(struct diff *d, const char *path, const json_t *before, const json_t *after)
{
    struct arena *a = d->out->arena;
    size_t n = json_array_size(before), m = json_array_size(after);

    if (n != m) {
        say(d, arena_printf(a, "option %s: %zu items -> %zu items", path, n, m));
        return;
    }
    for (size_t i = 0; i < n; i++)
        diff_values(d, arena_printf(a, "%s[%zu]", path, i), json_array_get(before, i),
                    json_array_get(after, i));
}

static void diff_values(struct diff *d, const char *path, const json_t *before, const json_t *after)
{
    if (before != NULL && after != NULL && json_equal(before, after))
        return;
    if (json_is_object(before) && json_is_object(after))
        diff_objects(d, path, before, after);
    else if (json_is_array(before) && json_is_array(after))
        diff_arrays(d, path, before, after);
    else
        say_value(d, path, before, after);
}

/* ---- inputs ---- */

static const struct plan_input *find_input(const struct diff *d, const char *option, size_t index)
{
    for (size_t i = 0; i < d->stage->input_count; i++)
        if (d->stage->inputs[i].index == index &&
            strcmp(d->stage->inputs[i].row->name, option) == 0)
            return &d->stage->inputs[i];
    BUG_IF("a record has an input that its stage lacks");
    return NULL;
}

static const char *digest_of(const json_t *value)
{
    return json_string_value(json_is_object(value) ? json_object_get(value, "digest") : value);
}

static void diff_input(struct diff *d, const char *label, const struct plan_input *in,
                       const json_t *before, const json_t *after)
{
    struct arena *a = d->out->arena;
    const char *old = digest_of(before), *new = digest_of(after);
    bool same = old != NULL && new != NULL && strcmp(old, new) == 0;

    if (same)
        say(d, arena_printf(a, "input %s: now named %s", label,
                            shown(a, json_object_get(after, "name"))));
    else if (in->from != PLAN_OUTSIDE)
        say(d, arena_printf(a, "input %s: digest changed (artifact of stage %s)", label,
                            d->plan->stages[in->from].name));
    else
        say(d, arena_printf(a, "input %s: the content of '%s' changed", label, in->node->text));
}

static void diff_option_inputs(struct diff *d, const char *option, const json_t *before,
                               const json_t *after)
{
    struct arena *a = d->out->arena;
    size_t n = json_array_size(before), m = json_array_size(after);

    if (n != m) {
        say(d, arena_printf(a, "input %s: %zu -> %zu of them", option, n, m));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *old = json_array_get(before, i), *new = json_array_get(after, i);
        if (json_is_null(new) || json_equal(old, new))
            continue;
        diff_input(d, n == 1 ? option : arena_printf(a, "%s[%zu]", option, i),
                   find_input(d, option, i), old, new);
    }
}

static void diff_inputs(struct diff *d, const json_t *before, const json_t *after)
{
    const char *option;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)after, option, value)
        diff_option_inputs(d, option, json_object_get(before, option), value);
    json_object_foreach((json_t *)(uintptr_t)before, option, value)
        if (json_object_get(after, option) == NULL)
            say(d, arena_printf(d->out->arena, "input %s: gone", option));
}

/* ---- the whole ---- */

static void diff_field(struct diff *d, const char *field, const char *label, const json_t *before,
                       const json_t *after)
{
    const json_t *old = json_object_get(before, field), *new = json_object_get(after, field);
    struct arena *a = d->out->arena;

    if (old != NULL && new != NULL && !json_equal(old, new))
        say(d, arena_printf(a, "%s: %s -> %s", label, shown(a, old), shown(a, new)));
}

void key_explain(const struct plan *p, const struct plan_stage *s, const json_t *before,
                 const json_t *after, size_t most, struct words *out)
{
    struct diff d = { .plan = p, .stage = s, .out = out, .left = most };

    diff_field(&d, "kind", "kind", before, after);
    diff_field(&d, "version", "stage version", before, after);
    diff_field(&d, "numeric_class", "numeric class", before, after);
    diff_values(&d, "", json_object_get(before, "options"), json_object_get(after, "options"));
    diff_inputs(&d, json_object_get(before, "inputs"), json_object_get(after, "inputs"));
    if (d.unsaid > 0)
        words_add(out, arena_printf(out->arena, "and %zu more", d.unsaid));
}
