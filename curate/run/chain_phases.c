#include "curate/run/chain_phases.h"

#include "base/arena.h"

/* ---- parts ---- */

static void add_part(struct arena *a, struct phases *p, const char *part)
{
    const char **more;

    for (size_t i = 0; i < p->part_count; i++)
        if (strcmp(p->parts[i], part) == 0)
            return;
    more = arena_array(a, p->part_count + 1, sizeof *more);
    if (p->part_count > 0)
        memcpy(more, p->parts, p->part_count * sizeof *more);
    more[p->part_count++] = part;
    p->parts = more;
}

static void list_parts(struct arena *a, struct phases *p, bool keep_dropped)
{
    for (size_t i = 0; i < p->chain->count; i++) {
        const struct step *s = &p->chain->steps[i];
        const char *part;

        for (size_t k = 0; s->kind->part && (part = s->kind->part(s->cfg, k)) != NULL; k++)
            add_part(a, p, part);
    }
    if (keep_dropped)
        add_part(a, p, PART_DROPPED);
}

size_t phases_part(const struct phases *p, const char *part)
{
    size_t i = 0;

    while (strcmp(p->parts[i], part) != 0)
        BUG_IF(++i == p->part_count);
    return i;
}

/* ---- reasons ---- */

size_t phases_reason(const struct phases *p, size_t step, const struct drop_reason *reason)
{
    const struct drop_reason *const *reasons = p->chain->steps[step].kind->reasons;
    size_t n = 0;

    while (reasons[n] && reasons[n] != reason)
        n++;
    BUG_IF(reasons[n] == NULL && reason != &drop_invalid_utf8);
    return n;
}

const struct drop_reason *phases_reason_at(const struct phases *p, size_t step, size_t number)
{
    const struct drop_reason *const *reasons = p->chain->steps[step].kind->reasons;
    size_t n = 0;

    while (reasons[n] && n < number)
        n++;
    return reasons[n] ? reasons[n] : &drop_invalid_utf8;
}

/* ---- phases ---- */

/* The pass that begins at step `first`. */
static struct phase pass_at(const struct chain *c, size_t first)
{
    struct phase ph = { .kind = PHASE_PASS, .first = first, .last = first, .verdict = SIZE_MAX, .order = SIZE_MAX };

    while (ph.last < c->count && c->steps[ph.last].kind->each)
        ph.last++;
    ph.final = ph.last == c->count;
    if (!ph.final && c->steps[ph.last].kind->order)
        ph.order = ph.last;
    return ph;
}

static struct phase all_at(const struct chain *c, size_t first)
{
    struct phase ph = { .kind = PHASE_ALL, .first = first, .last = first };

    while (ph.last < c->count && c->steps[ph.last].kind->all)
        ph.last++;
    return ph;
}

void phases_make(struct arena *a, const struct chain *chain, bool keep_dropped, struct phases *out)
{
    struct phase ph = pass_at(chain, 0);

    *out = (struct phases){ .v = arena_array(a, 2 * chain->count + 2, sizeof *out->v), .chain = chain };
    ph.from = PHASE_SOURCES;
    for (;;) {
        size_t pass = out->count;

        out->v[out->count++] = ph;
        if (ph.final)
            break;
        if (ph.order != SIZE_MAX) {
            ph = pass_at(chain, ph.last + 1);
            ph.from = PHASE_RANGES;
        } else {
            struct phase all = all_at(chain, ph.last);

            all.input = pass;
            out->v[out->count++] = all;
            ph = pass_at(chain, all.last);
            ph.from = PHASE_SPOOLS;
            ph.verdict = out->count - 1;
        }
        ph.input = pass;
    }
    list_parts(a, out, keep_dropped);
}
