/* The graph: order, cycles, and which stages a run is about. */
#include <string.h>

#include "pipelines/plan/plan.h"

/* ---- order ---- */

/* The path from -> ... -> to along what stages wait for is `path`, of stages none of which could be
 * sorted. Such a stage waits for another such stage, so that walking on must come back to one that
 * was seen. */
static enum status name_cycle(const struct plan *p, const bool *sorted)
{
    size_t *seen_at = arena_array(p->arena, p->count, sizeof *seen_at);     /* position + 1 */
    const struct plan_edge **path = arena_array(p->arena, p->count + 1, sizeof *path);
    size_t at = 0, n = 0;
    struct buf text = { 0 };
    enum status st;

    while (sorted[at])
        at++;
    while (seen_at[at] == 0) {
        const struct plan_stage *s = &p->stages[at];
        size_t i = 0;
        while (sorted[s->after[i].from])
            i++;
        seen_at[at] = n + 1;
        path[n++] = &s->after[i];
        at = s->after[i].from;
    }
    buf_printf(&text, "%s", p->stages[at].name);
    for (size_t i = seen_at[at] - 1; i < n; i++)
        buf_printf(&text, " -> %s", p->stages[path[i]->from].name);
    st = yaml_fail(path[seen_at[at] - 1]->at, "stages wait for each other in a circle: %s", text.p);
    buf_release(&text);
    return st;
}

struct plan_arrows plan_arrows(const struct plan *p, const bool *among)
{
    struct plan_arrows s;
    size_t arrows = 0, k = 0;

    for (size_t i = 0; i < p->count; i++)
        arrows += p->stages[i].after_count;
    s.waits = arena_array(p->arena, p->count, sizeof *s.waits);
    s.first = arena_array(p->arena, p->count, sizeof *s.first);
    s.next = arena_array(p->arena, arrows + 1, sizeof *s.next);
    s.head = arena_array(p->arena, arrows + 1, sizeof *s.head);
    for (size_t i = 0; i < p->count; i++)
        for (size_t j = 0; (among == NULL || among[i]) && j < p->stages[i].after_count; j++) {
            size_t from = p->stages[i].after[j].from;
            if (among != NULL && !among[from])
                continue;
            s.head[k] = i;
            s.next[k] = s.first[from];
            s.first[from] = ++k;
            s.waits[i]++;
        }
    return s;
}

/* A binary heap of stage indices, smallest first. */
static void heap_push(size_t *heap, size_t *n, size_t value)
{
    size_t i = (*n)++;

    for (; i > 0 && heap[(i - 1) / 2] > value; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = value;
}

static size_t heap_pop(size_t *heap, size_t *n)
{
    size_t top = heap[0], last = heap[--*n], i = 0;

    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < *n && heap[child + 1] < heap[child])
            child++;
        if (child >= *n || heap[child] >= last)
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return top;
}

enum status plan_sort(struct plan *p)
{
    struct plan_arrows s = plan_arrows(p, NULL);
    size_t *heap = arena_array(p->arena, p->count, sizeof *heap), n = 0, done = 0;
    bool *sorted = arena_array(p->arena, p->count, sizeof *sorted);

    p->order = arena_array(p->arena, p->count, sizeof *p->order);
    for (size_t i = 0; i < p->count; i++)
        if (s.waits[i] == 0)
            heap_push(heap, &n, i);
    while (n > 0) {
        size_t i = heap_pop(heap, &n);
        p->order[done++] = i;
        sorted[i] = true;
        for (size_t k = s.first[i]; k > 0; k = s.next[k - 1])
            if (--s.waits[s.head[k - 1]] == 0)
                heap_push(heap, &n, s.head[k - 1]);
    }
    return done == p->count ? ST_OK : name_cycle(p, sorted);
}

/* ---- selection ---- */

/* Takes out what is not `from` or behind it. */
static enum status keep_behind(const struct plan *p, const char *from, bool *run)
{
    bool *behind = arena_array(p->arena, p->count, sizeof *behind);
    struct plan_span span;

    TRY(plan_find(p, "--from", from, &span));
    memset(behind + span.first, 1, span.count * sizeof *behind);
    for (size_t k = 0; k < p->count; k++) {
        const struct plan_stage *s = &p->stages[p->order[k]];
        for (size_t j = 0; j < s->after_count; j++)
            behind[p->order[k]] |= behind[s->after[j].from];
        run[p->order[k]] &= behind[p->order[k]];
    }
    return ST_OK;
}

/* Takes out what `until` does not wait for. */
static enum status keep_before(const struct plan *p, const char *until, bool *run)
{
    bool *before = arena_array(p->arena, p->count, sizeof *before);
    struct plan_span span;

    TRY(plan_find(p, "--until", until, &span));
    memset(before + span.first, 1, span.count * sizeof *before);
    for (size_t k = p->count; k-- > 0;) {
        const struct plan_stage *s = &p->stages[p->order[k]];
        for (size_t j = 0; before[p->order[k]] && j < s->after_count; j++)
            before[s->after[j].from] = true;
        run[p->order[k]] &= before[p->order[k]];
    }
    return ST_OK;
}

static enum status keep_only(const struct plan *p, const struct opt_list *only, bool *run)
{
    struct plan_span span;

    memset(run, 0, p->count * sizeof *run);
    for (size_t k = 0; k < only->count; k++) {
        TRY(plan_find(p, "--only", only->v[k], &span));
        memset(run + span.first, 1, span.count * sizeof *run);
    }
    return ST_OK;
}

static enum status mark_forced(const struct plan *p, const struct opt_list *force, const bool *run,
                               bool *forced)
{
    struct plan_span span;

    for (size_t k = 0; k < force->count; k++) {
        TRY(plan_find(p, "--force", force->v[k], &span));
        if (memchr(run + span.first, 1, span.count) == NULL)
            return fail(ST_USAGE, "--force %s: --from, --until or --only leave that stage out",
                        force->v[k]);
        for (size_t i = span.first; i < span.first + span.count; i++)
            forced[i] |= run[i];
    }
    return ST_OK;
}

enum status plan_select(const struct plan *p, const struct plan_selection *s, bool **run,
                        bool **force)
{
    bool only = s->only != NULL && s->only->count > 0, any = false;

    *run = arena_array(p->arena, p->count, sizeof **run);
    *force = arena_array(p->arena, p->count, sizeof **force);
    memset(*run, 1, p->count * sizeof **run);
    if (only && (s->from != NULL || s->until != NULL))
        return fail(ST_USAGE, "--only goes with neither --from nor --until");
    if (only)
        TRY(keep_only(p, s->only, *run));
    if (s->from != NULL)
        TRY(keep_behind(p, s->from, *run));
    if (s->until != NULL)
        TRY(keep_before(p, s->until, *run));
    for (size_t i = 0; i < p->count; i++)
        any |= (*run)[i];
    if (!any)
        return fail(ST_USAGE, "--from %s --until %s leave no stage: '%s' does not lead to '%s'",
                    s->from, s->until, s->from, s->until);
    return s->force == NULL ? ST_OK : mark_forced(p, s->force, *run, *force);
}
