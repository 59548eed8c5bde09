#include "store/sampling/read_plan.h"

#include <stdlib.h>
#include <string.h>

/* ---- the record ---- */

static enum status wrong(const char *what, const char *option, const json_t *seen)
{
    char *text = seen == NULL ? NULL : json_dumps(seen, JSON_ENCODE_ANY | JSON_COMPACT);
    enum status st = fail(ST_FORMAT, "%s: the option %s is %.200s, which no training has", what,
                          option, text == NULL ? "(absent)" : text);

    free(text);
    return st;
}

static enum status read_count(const json_t *options, const char *name, const char *what,
                              uint64_t *out)
{
    const json_t *value = json_object_get(options, name);

    if (!json_is_integer(value) || json_integer_value(value) < 1)
        return wrong(what, name, value);
    *out = (uint64_t)json_integer_value(value);
    return ST_OK;
}

/* A member of a phase whose name may be written with '_'; absent: *out stays. */
static enum status read_member(const json_t *phase, const char *name, const char *what,
                               uint64_t *out)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)phase, key, value)
    {
        size_t i = 0;

        while (name[i] != 0 && (key[i] == name[i] || (key[i] == '_' && name[i] == '-')))
            i++;
        if (name[i] == 0 && key[i] == 0)
            return read_count(phase, key, what, out);
    }
    return ST_OK;
}

static enum status check_phase(const struct read_phase *p, const char *what)
{
    if (p->context < 2 || p->context > INT32_MAX)
        return fail(ST_FORMAT, "%s: context is %llu from step %llu on, want 2 to %d", what,
                    (unsigned long long)p->context, (unsigned long long)p->step, INT32_MAX);
    return ST_OK;
}

/* out->phases is an array with room for the list and has the first phase already. */
static enum status read_phases(const json_t *list, const char *what, struct read_plan *out)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        struct read_phase *p = &out->phases[out->count];

        *p = p[-1];
        TRY(read_member(item, "step", what, &p->step));
        TRY(read_member(item, "context", what, &p->context));
        TRY(read_member(item, "batch-tokens", what, &p->batch_tokens));
        if (p->step <= p[-1].step)
            return fail(ST_FORMAT, "%s: a phase of step %llu stands behind one of step %llu", what,
                        (unsigned long long)p->step, (unsigned long long)p[-1].step);
        if (json_object_get(item, "store") != NULL)
            p->input = out->inputs++;
        TRY(check_phase(p, what));
        out->count++;
    }
    return ST_OK;
}

static enum status read_packing(const json_t *options, const char *what, struct read_plan *out)
{
    const char *packing = json_text(options, "packing"),
               *mask = json_text(options, "document-mask");
    int i = 0;

    while (packing_names[i] != NULL && strcmp(packing_names[i], packing) != 0)
        i++;
    if (packing_names[i] == NULL)
        return wrong(what, "packing", json_object_get(options, "packing"));
    out->packing = (enum packing)i;
    out->apart =
        strcmp(mask, "true") == 0 || (strcmp(mask, "auto") == 0 && out->packing == PACK_BEST_FIT);
    if (!out->apart && strcmp(mask, "false") != 0 && strcmp(mask, "auto") != 0)
        return wrong(what, "document-mask", json_object_get(options, "document-mask"));
    return read_count(options, "pack-window", what, &out->window);
}

enum status read_plan_of(struct arena *a, const json_t *options, const char *what,
                         struct read_plan *out)
{
    const json_t *seed = json_object_get(options, "seed"),
                 *list = json_object_get(options, "phases");
    struct read_phase first = { 0 };

    *out = (struct read_plan){ .inputs = 1 };
    if (!json_is_integer(seed))
        return wrong(what, "seed", seed);
    out->seed = (uint64_t)json_integer_value(seed);
    TRY(read_count(options, "context", what, &first.context));
    TRY(read_count(options, "batch-tokens", what, &first.batch_tokens));
    TRY(check_phase(&first, what));
    TRY(read_packing(options, what, out));
    if (!json_is_null(list) && (!json_is_array(list) || json_array_size(list) >= READ_PHASES_MOST))
        return fail(ST_FORMAT, "%s: the option phases is no list of fewer than %u", what,
                    READ_PHASES_MOST);
    out->phases = arena_array(a, json_array_size(list) + 1, sizeof *out->phases);
    out->phases[out->count++] = first;
    return read_phases(list, what, out);
}

/* ---- steps and tokens ---- */

const struct read_phase *read_plan_at(const struct read_plan *p, uint64_t step)
{
    size_t i = p->count - 1;

    while (p->phases[i].step > step)
        i--;
    return &p->phases[i];
}

uint64_t read_plan_context(const struct read_plan *p)
{
    uint64_t most = 0;

    for (size_t i = 0; i < p->count; i++)
        most = p->phases[i].context > most ? p->phases[i].context : most;
    return most;
}

/* Where phase i ends: the next one's first step. */
static uint64_t end_of(const struct read_plan *p, size_t i)
{
    return i + 1 < p->count ? p->phases[i + 1].step : UINT64_MAX;
}

uint64_t read_plan_tokens(const struct read_plan *p, uint64_t steps)
{
    uint64_t sum = 0, more;

    for (size_t i = 0; i < p->count && p->phases[i].step < steps; i++) {
        uint64_t end = end_of(p, i) < steps ? end_of(p, i) : steps;

        if (__builtin_mul_overflow(end - p->phases[i].step, p->phases[i].batch_tokens, &more) ||
            __builtin_add_overflow(sum, more, &sum))
            return UINT64_MAX;
    }
    return sum;
}

uint64_t read_plan_steps(const struct read_plan *p, uint64_t tokens)
{
    for (size_t i = 0;; i++) {
        uint64_t batch = p->phases[i].batch_tokens, here = tokens / batch + (tokens % batch != 0);
        uint64_t steps = end_of(p, i) - p->phases[i].step;

        if (here <= steps)
            return p->phases[i].step + here;
        tokens -= steps * batch;
    }
}

/* ---- the order ---- */

enum status read_plan_open(const struct read_plan *p, const struct read_input *inputs,
                           uint64_t steps, struct sampling **out)
{
    struct sampling_phase *phases;
    enum status st;

    for (size_t i = 0; i < p->count; i++)
        if (p->phases[i].batch_tokens % p->phases[i].context != 0)
            return fail(ST_FORMAT,
                        "batch-tokens is %llu from step %llu on, want a multiple of "
                        "context %llu",
                        (unsigned long long)p->phases[i].batch_tokens,
                        (unsigned long long)p->phases[i].step,
                        (unsigned long long)p->phases[i].context);
    phases = mem_array(p->count, sizeof *phases);
    for (size_t i = 0; i < p->count; i++) {
        const struct read_phase *from = &p->phases[i];

        phases[i] = (struct sampling_phase){ .step = from->step,
                                             .length = from->context,
                                             .rows = from->batch_tokens / from->context,
                                             .sources = inputs[from->input].sources,
                                             .source_count = inputs[from->input].count };
    }
    st = sampling_open(&(struct sampling_args){ .seed = p->seed,
                                                .packing = p->packing,
                                                .window = p->window,
                                                .apart = p->apart,
                                                .phases = phases,
                                                .phase_count = p->count,
                                                .steps = steps },
                       out);
    free(phases);
    return st;
}
