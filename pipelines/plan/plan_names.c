/* Stages by name. */
#include <string.h>

#include "pipelines/plan/plan_part.h"

#define SHOWN 8      /* names in a message */

bool plan_span_of(const struct plan *p, const char *name, struct plan_span *out)
{
    size_t i = name_index_find(&p->index->index, name);

    if (i == NAME_NONE)
        return false;
    *out = p->index->spans[i];
    return true;
}

const char *plan_instances(const struct plan *p, struct plan_span span)
{
    struct buf text = { 0 };
    const char *kept;

    for (size_t i = 0; i < span.count && i < SHOWN; i++)
        buf_printf(&text, "%s%s", i ? ", " : "", p->names[span.first + i]);
    if (span.count > SHOWN)
        buf_printf(&text, " and %zu more", span.count - SHOWN);
    kept = arena_strdup(p->arena, text.p);
    buf_release(&text);
    return kept;
}

/* Of "train[...]" when there is a stage "train" with few instances (or, last, with any number). */
static const char *near_instance(const struct plan *p, const char *name, bool any)
{
    const char *bracket = strchr(name, '['), *base;
    struct plan_span span;

    if (bracket == NULL)
        return "";
    base = arena_strndup(p->arena, name, (size_t)(bracket - name));
    if (!plan_span_of(p, base, &span))
        return "";
    if (span.count == 1 && strcmp(p->names[span.first], base) == 0)
        return arena_printf(p->arena, "; stage '%s' has no matrix", base);
    if (span.count > SHOWN && !any)
        return "";
    return arena_printf(p->arena, "; there are %s", plan_instances(p, span));
}

const char *plan_near(const struct plan *p, const char *name)
{
    const char *hint = near_instance(p, name, false);

    if (*hint == 0)
        hint = hint_nearest(p->arena, name, p->index->index.names);
    if (*hint == 0)
        hint = near_instance(p, name, true);
    if (*hint == 0 && p->count <= 12)
        hint = arena_printf(p->arena, "; the stages are %s", plan_words(p->arena, p->names));
    return hint;
}

enum status plan_find(const struct plan *p, const char *what, const char *name,
                      struct plan_span *out)
{
    if (plan_span_of(p, name, out))
        return ST_OK;
    return fail(ST_USAGE, "%s: pipeline '%s' has no stage '%.80s'%s", what, p->name, name,
                plan_near(p, name));
}
