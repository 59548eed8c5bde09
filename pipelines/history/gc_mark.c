/* Why something stays. Each rule marks what it keeps and no other rule kept before. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/stop.h"
#include "base/log.h"
#include "pipelines/history/gc.h"
#include "pipelines/run/journal.h"
#include "pipelines/run/run_record.h"
#include "pipelines/run/survey.h"

#define DAY 86400
#define RECORDS_KEPT 50       /* small, and all that is left of a run when its artifacts are gone */

/* ---- marking ---- */

static void keep(struct gc_item *one, const char *why)
{
    if (one != NULL && one->kept == NULL)
        one->kept = why;
}

/* The artifact, or what is there of an unfinished one, by its base name. */
static struct gc_item *find_artifact(struct gc *g, const char *base)
{
    for (size_t i = 0; i < g->count; i++)
        if ((g->items[i].kind == GC_ARTIFACT || g->items[i].kind == GC_UNFINISHED)
            && strcmp(path_base(g->items[i].name), base) == 0)
            return &g->items[i];
    return NULL;
}

static struct gc_item *find_item(struct gc *g, enum gc_kind kind, const char *base)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->items[i].kind == kind && strcmp(path_base(g->items[i].name), base) == 0)
            return &g->items[i];
    return NULL;
}

/* ---- the present plan ---- */

/* The artifact that current/<stage> points to, or NULL. */
static const char *current_of(struct gc *g, const char *slug)
{
    char target[4096];
    ssize_t n = readlink(path_join(g->arena, g->work->current, slug), target, sizeof target - 1);

    if (n <= 0)
        return NULL;
    target[n] = 0;
    return arena_strdup(g->arena, path_base(target));
}

/* A stage's artifact of the present key, or what it would go on from; and, because what stands in
 * front may come out as before, its last one. */
static void keep_of_stage(struct gc *g, const struct survey *s, size_t i)
{
    const struct plan_stage *stage = &g->plan->stages[i];
    const struct stage_view *v = &s->views[i];
    struct journal_view h = journal_of(s->journal, stage->name);
    const char *last = json_string_value(json_object_get(h.done, "artifact"));
    const char *current = current_of(g, stage->slug);

    if (v->artifact != NULL)
        keep(find_artifact(g, path_base(v->artifact)),
             arena_printf(g->arena, v->state == STAGE_CACHED ? "fits stage %s"
                                                             : "stage %s goes on from it",
                          stage->name));
    if (current != NULL)
        keep(find_artifact(g, current), arena_printf(g->arena, "current of stage %s", stage->name));
    if (last != NULL)
        keep(find_artifact(g, path_base(last)),
             arena_printf(g->arena, "last success of stage %s", stage->name));
    last = json_string_value(json_object_get(h.start, "artifact"));
    if (last != NULL && (h.end == NULL || h.end != h.done))
        keep(find_artifact(g, path_base(last)),
             arena_printf(g->arena, "last attempt of stage %s", stage->name));
    last = json_string_value(json_object_get(h.start, "log"));
    if (last != NULL)
        keep(find_item(g, GC_LOG, path_base(last)),
             arena_printf(g->arena, "last attempt of stage %s", stage->name));
}

static enum status keep_plan(struct gc *g)
{
    struct survey s = { .arena = g->arena, .plan = g->plan, .work = g->work };
    struct journal *journal;
    enum status st;

    TRY(journal_open(g->work->journal, &journal));
    s.journal = journal;
    st = survey_begin(&s);
    for (size_t i = 0; st == ST_OK && i < g->plan->count; i++)
        keep_of_stage(g, &s, i);
    survey_release(&s);
    journal_close(journal);
    return st;
}

/* ---- the last run ---- */

static void keep_of_record(struct gc *g, const json_t *record)
{
    const json_t *stage, *attempt;
    size_t i, k;

    json_array_foreach(json_object_get(record, "stages"), i, stage) {
        keep(find_artifact(g, path_base(json_text(stage, "artifact"))), "of the last run");
        json_array_foreach(json_object_get(stage, "attempts"), k, attempt)
            keep(find_item(g, GC_LOG, path_base(json_text(attempt, "log"))),
                 "of the last run");
    }
}

static enum status keep_last_run(struct gc *g)
{
    struct run_list all;
    const char *path;
    json_t *record;

    TRY(run_record_list(g->arena, g->work->path, &all));
    for (size_t i = 0; i < RECORDS_KEPT && i < all.count; i++)
        keep(find_item(g, GC_RECORD,
                       arena_printf(g->arena, "%s.json", all.ids[all.count - 1 - i])),
             arena_printf(g->arena, "one of the newest %d", RECORDS_KEPT));
    if (all.count == 0)
        return ST_OK;
    path = run_record_path(g->arena, g->work->path, all.ids[all.count - 1]);
    if (run_record_load(path, &record) != ST_OK) {
        log_warn("passed over: %s", fail_message());
        return ST_OK;
    }
    keep_of_record(g, record);
    json_decref(record);
    return ST_OK;
}

/* ---- pins, age, number ---- */

static void keep_pinned(struct gc *g)
{
    for (size_t i = 0; i < g->count; i++) {
        struct gc_item *one = &g->items[i];
        if ((one->kind == GC_ARTIFACT || one->kind == GC_UNFINISHED)
            && file_exists(arena_printf(g->arena, "%s/%s.pin", g->work->path, one->name)))
            keep(one, "pinned");
    }
}

static bool has_age(const struct gc_item *one)
{
    return one->kind != GC_LEFTOVER && one->kind != GC_LINK;
}

static void keep_young(struct gc *g)
{
    const char *why = arena_printf(g->arena, "younger than %lld day%s", (long long)g->keep_days,
                                   g->keep_days == 1 ? "" : "s");

    for (size_t i = 0; i < g->count; i++)
        if (has_age(&g->items[i])
            && difftime(g->now, g->items[i].time) < (double)g->keep_days * DAY)
            keep(&g->items[i], why);
}

static bool is_newer(const struct gc_item *a, const struct gc_item *b)
{
    return a->time != b->time ? a->time > b->time : strcmp(a->name, b->name) > 0;
}

/* By kind and stage, the newest of each first. */
static int by_stage_and_age(const void *x, const void *y)
{
    const struct gc_item *a = *(struct gc_item *const *)x, *b = *(struct gc_item *const *)y;
    int stages = strcmp(a->stage, b->stage);

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return stages != 0 ? stages : is_newer(a, b) ? -1 : is_newer(b, a);
}

static void keep_newest_one(struct gc *g, struct gc_item *one)
{
    long long n = (long long)g->keep_last;

    keep(one, *one->stage
                  ? arena_printf(g->arena, "one of the newest %lld of stage %s", n, one->stage)
                  : arena_printf(g->arena, "one of the newest %lld", n));
}

/* Records have a rule of their own; an unfinished artifact is no result. */
static void keep_newest(struct gc *g)
{
    struct gc_item **order = arena_array(g->arena, g->count + 1, sizeof *order);
    int64_t place = 0;

    for (size_t i = 0; i < g->count; i++)
        order[i] = &g->items[i];
    if (g->count > 0)
        qsort(order, g->count, sizeof *order, by_stage_and_age);
    for (size_t i = 0; i < g->count; i++) {
        struct gc_item *one = order[i];
        place = i > 0 && order[i - 1]->kind == one->kind
                        && strcmp(order[i - 1]->stage, one->stage) == 0
                    ? place + 1
                    : 0;
        if (place < g->keep_last && has_age(one) && one->kind != GC_UNFINISHED
            && one->kind != GC_RECORD)
            keep_newest_one(g, one);
    }
}

/* ---- lineage ---- */

static void index_digests(struct gc *g)
{
    g->digests.arena = g->arena;
    g->first = arena_array(g->arena, g->count + 1, sizeof *g->first);
    g->next = arena_array(g->arena, g->count + 1, sizeof *g->next);
    for (size_t i = 0; i < g->count; i++) {
        const struct gc_item *one = &g->items[i];
        size_t n;
        if (one->kind != GC_ARTIFACT || *one->digest == 0)
            continue;
        n = name_index_find(&g->digests, one->digest);
        if (n == NAME_NONE)
            n = name_index_add(&g->digests, one->digest);
        g->next[i] = g->first[n];
        g->first[n] = i + 1;
    }
}

/* Of the artifacts with that content the one to keep: none if one is kept, else the newest. */
static struct gc_item *with_digest(struct gc *g, const char *digest)
{
    size_t n = digest == NULL ? NAME_NONE : name_index_find(&g->digests, digest);
    struct gc_item *newest = NULL;

    for (size_t k = n == NAME_NONE ? 0 : g->first[n]; k > 0; k = g->next[k - 1]) {
        struct gc_item *one = &g->items[k - 1];
        if (one->kept != NULL)
            return NULL;
        if (newest == NULL || is_newer(one, newest))
            newest = one;
    }
    return newest;
}

/* Those that are kept for it are put on the stack. */
static void keep_inputs(struct gc *g, const struct gc_item *of, size_t *stack, size_t *count)
{
    const char *option;
    json_t *list, *digest;
    size_t i;

    json_object_foreach(of->inputs, option, list)
        json_array_foreach(list, i, digest) {
            struct gc_item *one = with_digest(g, json_string_value(digest));
            if (one == NULL)
                continue;
            keep(one, arena_printf(g->arena, "%s was made from it", path_base(of->name)));
            stack[(*count)++] = (size_t)(one - g->items);
        }
}

/* Each artifact is looked at once. */
static enum status keep_lineage(struct gc *g)
{
    size_t *stack = arena_array(g->arena, g->count + 1, sizeof *stack), n = 0;

    for (size_t i = 0; i < g->count; i++)
        if (g->items[i].kind == GC_ARTIFACT && g->items[i].kept != NULL)
            stack[n++] = i;
    while (n > 0) {
        if (stop_requested())
            return fail(ST_INTERRUPTED, "stopped; nothing was removed");
        keep_inputs(g, &g->items[stack[--n]], stack, &n);
    }
    return ST_OK;
}

static enum status keep_registry(struct gc *g, const char *folder)
{
    struct words roots = { .arena = g->arena };

    TRY(gc_registry_roots(folder, &roots));
    for (size_t i = 0; i < roots.count; i++)
        keep(with_digest(g, roots.v[i]),
             arena_printf(g->arena, "a model in the registry '%s' leads to it", folder));
    return ST_OK;
}

/* The folder in "REGISTRY/ALIAS". */
static enum status keep_registry_of(struct gc *g, const char *place)
{
    size_t n = place == NULL ? 0 : (size_t)(path_base(place) - place);

    while (n > 1 && place[n - 1] == '/')
        n--;
    return n == 0 ? ST_OK : keep_registry(g, arena_strndup(g->arena, place, n));
}

static enum status keep_registries(struct gc *g)
{
    for (size_t i = 0; i < g->plan->count; i++) {
        const struct plan_stage *s = &g->plan->stages[i];
        const struct yaml *to = yaml_get(s->with, "to");
        if (strcmp(s->command->name, "promote") == 0 && to != NULL && to->kind == YAML_SCALAR)
            TRY(keep_registry_of(g, to->text));
        for (size_t k = 0; k < s->gate_count; k++)
            TRY(keep_registry_of(g, s->gates[k].versus));
    }
    for (size_t i = 0; g->registries != NULL && i < g->registries->count; i++) {
        if (!file_is_folder(g->registries->v[i]))
            return fail(ST_MISSING, "--registry: there is no folder '%s'", g->registries->v[i]);
        TRY(keep_registry(g, g->registries->v[i]));
    }
    return ST_OK;
}

/* ---- links ---- */

/* A link stays as long as what it leads to. */
static void keep_links(struct gc *g)
{
    for (size_t i = 0; i < g->count; i++) {
        struct gc_item *one = &g->items[i], *artifact;
        const char *target;
        if (one->kind != GC_LINK)
            continue;
        target = current_of(g, path_base(one->name));
        artifact = target != NULL ? find_artifact(g, target) : NULL;
        if (target == NULL)
            keep(one, "not a link of ours");
        else if (artifact != NULL && artifact->kind == GC_ARTIFACT && artifact->kept != NULL)
            keep(one, "leads to an artifact that stays");
        else if (artifact == NULL
                 && file_exists(path_join(g->arena, g->work->path, one->name)))
            keep(one, "leads to something that is not ours");
    }
}

enum status gc_mark(struct gc *g)
{
    index_digests(g);
    TRY(keep_plan(g));
    TRY(keep_last_run(g));
    keep_pinned(g);
    TRY(keep_registries(g));
    keep_newest(g);
    keep_young(g);
    TRY(keep_lineage(g));
    keep_links(g);
    return ST_OK;
}
