/* `tundish runs`: the runs of a pipeline as a table. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/output.h"
#include "base/pool.h"
#include "pipelines/history/columns.h"
#include "pipelines/history/history.h"
#include "pipelines/history/history_cmd.h"
#include "pipelines/run/run_record.h"

#define MESSAGE_SHOWN 80      /* bytes of a message in the table */
#define GATE_METRICS 3        /* metrics in the table: at most so many of gates, */
#define OTHER_METRICS 2       /* or, if there are no gates, of the last stage that has any */
#define COLUMN_COUNT 9
#define SECONDS_COLUMN 3
#define LAST_NUMBER_COLUMN 6

struct runs_cfg {
    const char *file, *work;
    int64_t last;
    bool json;
};

/* One row; texts in the arena of the worker that read it. */
struct summary {
    const char *outcome, *message;
    double begun, seconds;
    bool has_seconds;
    size_t ran, cached, failed;
    json_t *metrics;              /* [{"stage", "metric", "value"}]; owned */
};

struct reading {
    const struct history *history;
    const struct run_list *all;
    size_t first;                 /* of the list that is shown */
    struct summary *rows;
    struct arena *arenas;         /* one a worker */
    int workers;
};

/* ---- one record ---- */

static void count_results(struct summary *row, const json_t *record)
{
    const json_t *stage;
    size_t i;

    json_array_foreach(json_object_get(record, "stages"), i, stage) {
        const char *result = json_text(stage, "result");
        row->ran += strcmp(result, "ran") == 0;
        row->cached += strcmp(result, "cached") == 0 || strcmp(result, "kept") == 0;
        row->failed += strcmp(result, "failed") == 0 || strcmp(result, "gate") == 0;
    }
}

static void add_metric(json_t *list, const json_t *stage, const char *metric, json_t *value)
{
    if (json_is_number(value))
        json_array_append_new(list, json_pack("{s:s, s:s, s:O}", "stage",
                                              json_text(stage, "name"), "metric", metric,
                                              "value", value));
}

/* What is worth a place in a table: what gates look at; else the first of the last stage. */
static json_t *headline(const json_t *record)
{
    const json_t *stages = json_object_get(record, "stages"), *stage, *gate;
    json_t *list = json_array(), *value;
    const char *metric;
    size_t i, k;

    json_array_foreach(stages, i, stage)
        json_array_foreach(json_object_get(stage, "gates"), k, gate)
            if (json_array_size(list) < GATE_METRICS)
                add_metric(list, stage, json_text(gate, "metric"),
                           json_object_get(gate, "value"));
    for (i = json_array_size(stages); i-- > 0 && json_array_size(list) == 0;) {
        stage = json_array_get(stages, i);
        json_object_foreach(json_object_get(stage, "metrics"), metric, value)
            if (json_array_size(list) < OTHER_METRICS)
                add_metric(list, stage, metric, value);
    }
    return list;
}

static void summarize(struct arena *a, const json_t *record, struct summary *row)
{
    const json_t *seconds = json_object_get(record, "seconds");

    row->outcome = arena_strdup(a, json_text(record, "outcome"));
    row->message = arena_strdup(a, json_text(record, "message"));
    row->begun = json_number_value(json_object_get(record, "begun"));
    row->seconds = json_number_value(seconds);
    row->has_seconds = json_is_number(seconds);
    count_results(row, record);
    row->metrics = headline(record);
}

/* A damaged record is a row that says so: it must not hide the others. */
static enum status read_one(void *ctx, size_t item, int worker)
{
    struct reading *r = ctx;
    struct arena *a = &r->arenas[worker];
    const char *path =
        run_record_path(a, r->history->work.path, r->all->ids[r->first + item]);
    json_t *record;

    if (run_record_load_brief(path, &record) == ST_OK) {
        summarize(a, record, &r->rows[item]);
        json_decref(record);
    } else {
        r->rows[item] = (struct summary){ .outcome = "unreadable", .metrics = json_array(),
                                          .message = arena_strdup(a, fail_message()) };
    }
    return ST_OK;
}

/* Only the newest run can still be going on, and only if someone has the work folder. */
static void tell_cut_off(struct reading *r, size_t count)
{
    bool held = count > 0 && file_lock_is_held(r->history->work.lock);

    for (size_t i = 0; i < count; i++)
        if (strcmp(r->rows[i].outcome, "running") == 0 && !(held && i + 1 == count))
            r->rows[i].outcome = "cut off";
}

/* ---- showing ---- */

static const char *metrics_words(struct arena *a, const json_t *metrics)
{
    struct buf text = { 0 };
    const json_t *m;
    const char *kept;
    size_t i;

    json_array_foreach(metrics, i, m)
        buf_printf(&text, "%s%s=%.5g", i ? " " : "", json_text(m, "metric"),
                   json_number_value(json_object_get(m, "value")));
    kept = arena_strdup(a, text.n ? text.p : "-");
    buf_release(&text);
    return kept;
}

/* The first line, cut. */
static const char *short_message(struct arena *a, const char *message)
{
    size_t n = strcspn(message, "\n"), cut = n;

    if (n > MESSAGE_SHOWN)
        for (cut = MESSAGE_SHOWN; cut > 0 && ((unsigned char)message[cut] & 0xC0) == 0x80;)
            cut--;
    return arena_printf(a, "%.*s%s", (int)cut, message, cut < strlen(message) ? " ..." : "");
}

static void add_row(struct columns *t, const char *id, const struct summary *row)
{
    struct arena *a = t->arena;

    columns_add(t, id);
    columns_add(t, history_time(a, row->begun));
    columns_add(t, *row->outcome ? row->outcome : "-");
    columns_add(t, row->has_seconds ? arena_printf(a, "%.2f", row->seconds) : "-");
    columns_add(t, arena_printf(a, "%zu", row->ran));
    columns_add(t, arena_printf(a, "%zu", row->cached));
    columns_add(t, arena_printf(a, "%zu", row->failed));
    columns_add(t, metrics_words(a, row->metrics));
    columns_add(t, short_message(a, row->message));
}

static enum status print_table(struct arena *a, const struct reading *r, size_t count)
{
    static const char *const head[COLUMN_COUNT] = { "run",    "begun",  "outcome", "seconds", "ran",
                                                    "cached", "failed", "metrics", "message" };
    struct columns t = { .arena = a, .count = COLUMN_COUNT };
    struct buf text = { 0 };
    enum status st;

    for (unsigned i = SECONDS_COLUMN; i <= LAST_NUMBER_COLUMN; i++)
        t.right |= 1u << i;
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        columns_add(&t, head[i]);
    for (size_t i = 0; i < count; i++)
        add_row(&t, r->all->ids[r->first + i], &r->rows[i]);
    columns_print(&t, &text);
    st = output_text(&text);
    buf_release(&text);
    return st;
}

static json_t *row_json(const char *id, const struct summary *row)
{
    json_t *o = json_pack("{s:s, s:s, s:f, s:I, s:I, s:I, s:O, s:s}", "run", id, "outcome",
                          row->outcome, "begun", row->begun, "ran", (json_int_t)row->ran, "cached",
                          (json_int_t)row->cached, "failed", (json_int_t)row->failed, "metrics",
                          row->metrics, "message", row->message);

    if (o != NULL)
        json_object_set_new(o, "seconds", row->has_seconds ? json_real(row->seconds) : json_null());
    return o;
}

static enum status print_rows_json(const struct reading *r, size_t count)
{
    json_t *rows = json_array(), *all;
    enum status st;

    for (size_t i = 0; i < count; i++)
        json_array_append_new(rows, row_json(r->all->ids[r->first + i], &r->rows[i]));
    all = json_pack("{s:s?, s:s, s:o}", "pipeline", r->history->pipeline, "work",
                    r->history->work.path, "runs", rows);
    BUG_IF(all == NULL);
    st = output_json(all);
    json_decref(all);
    return st;
}

/* ---- the command ---- */

static enum status read_rows(struct reading *r, size_t count)
{
    struct pool *pool = pool_new(count < 32 ? 1 : 0);
    enum status st;

    r->rows = mem_array(count + 1, sizeof *r->rows);
    r->workers = pool_threads(pool);
    r->arenas = mem_array((size_t)r->workers, sizeof *r->arenas);
    st = pool_for(pool, count, read_one, r);
    pool_free(pool);
    return st;
}

static void release_rows(struct reading *r, size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_decref(r->rows[i].metrics);
    for (int i = 0; i < r->workers; i++)
        arena_release(&r->arenas[i]);
    free(r->rows);
    free(r->arenas);
}

static enum status run_runs(struct arena *a, void *cfg)
{
    const struct runs_cfg *c = cfg;
    struct history history;
    struct run_list all;
    struct reading r = { .history = &history, .all = &all };
    size_t count;
    enum status st;

    TRY(history_open(a, c->file, c->work, &history));
    TRY(run_record_list(a, history.work.path, &all));
    count = c->last > 0 && (uint64_t)c->last < all.count ? (size_t)c->last : all.count;
    r.first = all.count - count;
    st = read_rows(&r, count);
    if (st == ST_OK) {
        tell_cut_off(&r, count);
        st = c->json ? print_rows_json(&r, count) : print_table(a, &r, count);
    }
    release_rows(&r, count);
    return st;
}

static const struct opt runs_opts[] = {
    OPT_INPUT(struct runs_cfg, file, "file", "the pipeline file, or its work folder",
              .flags = OPT_REQUIRED | OPT_POSITIONAL),
    OPT_INT(struct runs_cfg, last, "last", "0", 0, 1e9, "only the newest so many; 0: all"),
    HISTORY_ROW_WORK(struct runs_cfg),
    HISTORY_ROW_JSON(struct runs_cfg),
    OPT_END
};

const struct command cmd_runs = {
    .name = "runs",
    .summary = "list the runs of a pipeline, the newest last",
    .details =
        "Each run that had something to do has left a record. Columns ran, cached and failed count "
        "stages (a\n"
        "failed gate is a failure); metrics are those that gates look at, or, without gates, the "
        "first of the\n"
        "last stage that has any. A run whose runner was killed is shown as \"cut off\".\n"
        "\n"
        "  tundish runs my.yaml --last 10\n"
        "  tundish runs work/my --json",
    .opts = runs_opts,
    .cfg_size = sizeof(struct runs_cfg),
    .run = run_runs,
};
