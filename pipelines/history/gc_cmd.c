/* `tundish gc`: room in the work folder. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/output.h"
#include "pipelines/history/columns.h"
#include "pipelines/history/gc.h"
#include "pipelines/history/history.h"
#include "pipelines/history/history_cmd.h"

struct gc_cfg {
    const char *file, *work, *pin, *unpin;
    struct opt_list sets, registries;
    int64_t keep_days, keep_last;
    bool dry_run, json;
};

/* ---- showing ---- */

static const char *age_words(const struct gc *g, const struct gc_item *one)
{
    double days = difftime(g->now, one->time) / 86400;

    return one->time == 0 ? "-" : arena_printf(g->arena, "%.1f", days > 0 ? days : 0);
}

static void add_row(struct columns *t, const struct gc *g, const struct gc_item *one)
{
    columns_add(t, one->name);
    columns_add(t, gc_kind_word(one->kind));
    columns_add(t, history_bytes(t->arena, one->bytes));
    columns_add(t, one->shared > 0 ? history_bytes(t->arena, one->shared) : "-");
    columns_add(t, age_words(g, one));
    columns_add(t, one->kept != NULL ? "keep" : one->removed ? "removed" : "remove");
    columns_add(t, one->kept != NULL ? one->kept : "");
}

/* A dry run tells of everything, what goes first; else of what went, and what was in use. */
static enum status print_table(const struct gc *g, bool dry)
{
    static const char *const head[] = { "name",        "kind", "bytes", "shared",
                                        "age in days", "fate", "why" };
    struct columns t = { .arena = g->arena, .count = 7, .right = 1u << 2 | 1u << 3 | 1u << 4 };
    struct buf text = { 0 };
    enum status st;

    for (size_t i = 0; i < t.count; i++)
        columns_add(&t, head[i]);
    for (size_t i = 0; i < g->count; i++)
        if (g->items[i].kept == NULL && (dry || g->items[i].removed))
            add_row(&t, g, &g->items[i]);
    for (size_t i = 0; i < g->count; i++)
        if (g->items[i].kept != NULL && (dry || strcmp(g->items[i].kept, "in use") == 0))
            add_row(&t, g, &g->items[i]);
    if (t.used > t.count)
        columns_print(&t, &text);
    st = output_text(&text);
    buf_release(&text);
    return st;
}

static void tell_sum(const struct gc *g, bool dry)
{
    uint64_t all = 0;
    size_t count = 0, used = 0;

    for (size_t i = 0; i < g->count; i++) {
        const struct gc_item *one = &g->items[i];
        bool goes = dry ? one->kept == NULL : one->removed;
        count += goes;
        all += goes ? one->bytes + one->shared : 0;
        used += one->kept != NULL && strcmp(one->kept, "in use") == 0;
    }
    log_info("%s %zu of %zu items, %s freed", dry ? "would remove" : "removed", count, g->count,
             history_bytes(g->arena, g->bytes));
    if (all > g->bytes)
        log_info("%s of them stay: those files have other names",
                 history_bytes(g->arena, all - g->bytes));
    if (used > 0)
        log_info("%zu in use; they go another time", used);
}

static json_t *item_json(const struct gc_item *one)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s?, s:b}", "name", one->name, "kind",
                     gc_kind_word(one->kind), "stage", one->stage, "time", (json_int_t)one->time,
                     "bytes", (json_int_t)one->bytes, "shared", (json_int_t)one->shared, "kept",
                     one->kept, "removed", one->removed);
}

static enum status print_items_json(const struct gc *g, bool dry)
{
    json_t *items = json_array(), *all;
    enum status st;

    for (size_t i = 0; i < g->count; i++)
        json_array_append_new(items, item_json(&g->items[i]));
    all = json_pack("{s:s, s:s, s:b, s:I, s:o}", "pipeline", g->plan->name, "work", g->work->path,
                    "dry_run", dry, "freed", (json_int_t)g->bytes, "items", items);
    BUG_IF(all == NULL);
    st = output_json(all);
    json_decref(all);
    return st;
}

/* ---- the command ---- */

static enum status collect(struct gc *g, const struct gc_cfg *c)
{
    enum status st, printed;
    struct failure failure;

    TRY(gc_list(g));
    TRY(gc_mark(g));
    st = gc_sweep(g, c->dry_run);      /* what went before a failure is told, too */
    failure_save(&failure, st);
    printed = c->json ? print_items_json(g, c->dry_run) : print_table(g, c->dry_run);
    tell_sum(g, c->dry_run);
    return st != ST_OK ? failure_restore(&failure) : printed;
}

/* Looking needs no lock. */
static enum status collect_locked(struct gc *g, const struct gc_cfg *c)
{
    struct file_lock lock;
    enum status st;

    if (c->dry_run)
        return collect(g, c);
    st = file_lock_take(&lock, g->work->lock);
    if (st == ST_HELD)
        return fail_within(st, "a run of '%s' is at work: ", g->plan->name);
    TRY(st);
    st = collect(g, c);
    file_lock_drop(&lock);
    return st;
}

static enum status change_pins(struct gc *g, const struct gc_cfg *c)
{
    const char *name;

    TRY(gc_list(g));
    if (c->pin != NULL) {
        TRY(gc_pin(g, c->pin, &name));
        log_info("pinned: %s", name);
    }
    if (c->unpin != NULL) {
        TRY(gc_unpin(g, c->unpin, &name));
        log_info("no longer pinned: %s", name);
    }
    return ST_OK;
}

static enum status run_gc(struct arena *a, void *cfg)
{
    const struct gc_cfg *c = cfg;
    struct plan_args args = { .name = c->file, .commands = command_all(), .sets = &c->sets };
    struct gc g = { .arena = a, .now = time(NULL), .keep_days = c->keep_days,
                    .keep_last = c->keep_last, .registries = &c->registries };
    struct workdir work;
    struct plan *plan;
    enum status st;

    TRY(plan_read_file(a, &args, &plan));
    work = workdir_at(a, c->work, plan->name);
    g.plan = plan;
    g.work = &work;
    if (!file_is_folder(work.path))
        return fail(ST_MISSING,
                    "there is no work folder '%s': nothing ran yet, or it was run with --work",
                    work.path);
    st = c->pin != NULL || c->unpin != NULL ? change_pins(&g, c) : collect_locked(&g, c);
    gc_release(&g);
    return st;
}

static const struct opt gc_opts[] = {
    OPT_INPUT(struct gc_cfg, file, "file", "the pipeline file",
              .flags = OPT_REQUIRED | OPT_POSITIONAL),
    OPT_LIST(struct gc_cfg, sets, "set", "name=value of a param of the file; may be repeated"),
    HISTORY_ROW_WORK(struct gc_cfg),
    OPT_BOOL(struct gc_cfg, dry_run, "dry-run", "false",
             "say of everything whether it stays, and why, and remove nothing", .letter = 'n'),
    OPT_INT(struct gc_cfg, keep_days, "keep-days", "30", 0, 36500,
            "keep what is younger than so many days"),
    OPT_INT(struct gc_cfg, keep_last, "keep-last", "3", 0, 1e6,
            "keep the newest so many artifacts and logs of each stage, and reports"),
    OPT_STR(struct gc_cfg, pin, "pin", NULL,
            "keep this artifact from now on (its name, or a stage's for its current one); removes "
            "nothing"),
    OPT_STR(struct gc_cfg, unpin, "unpin", NULL, "the opposite of --pin"),
    OPT_LIST(struct gc_cfg, registries, "registry",
             "a registry whose models' lineage stays, besides those that the file names; may be "
             "repeated",
             .value = "DIR"),
    HISTORY_ROW_JSON(struct gc_cfg),
    OPT_END
};

const struct command cmd_gc = {
    .name = "gc",
    .summary = "remove old artifacts, logs, records and reports from a pipeline's work folder",
    .details =
        "Kept, whatever their age: what the pipeline file as it is finds cached or would go on "
        "from, what the\n"
        "last run used, the newest of each stage, what is pinned, and everything that one of "
        "these, or a model\n"
        "in a registry, was made from; of run records also the newest 50. Registries are those of "
        "the file's\n"
        "`promote` stages and `versus` gates, and of --registry. What a program uses at this "
        "moment (a lock on\n"
        "its manifest.json) is passed over. Only files of which no other name is left count as "
        "freed.\n"
        "\n"
        "  tundish gc my.yaml --dry-run\n"
        "  tundish gc my.yaml --keep-days 7 --keep-last 1\n"
        "  tundish gc my.yaml --pin train",
    .opts = gc_opts,
    .cfg_size = sizeof(struct gc_cfg),
    .run = run_gc,
};
