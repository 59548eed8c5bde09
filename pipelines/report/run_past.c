/*
 * The last runs, from their records (run_record.h): how each ended, how long it took, and how the
 * headline metrics went from run to run.
 *
 * Headline metrics are those that a gate of this plan asks for, then those that gates know
 * (gate_report.h); where there are none, the first numbers of the stages' metrics.json.
 *
 * Bounded: the newest records, as many as RUNS and BYTES allow.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "pipelines/plan/name_index.h"
#include "pipelines/registry/gate_report.h"
#include "pipelines/report/run_page.h"
#include "pipelines/run/run_record.h"

enum {
    RUNS = 20, SERIES = 6, COLUMNS = 3,
    ANY = 2,                     /* numbers, where none is a headline */
    LOOKS = 3                    /* records in which metrics are looked for */
};
#define NAME_ROOM 256
#define BYTES ((uint64_t)64 << 20)

/* One metric of one stage, over the runs. */
struct series {
    const char *stage, *metric;
    double x[RUNS], y[RUNS];     /* y: NAN where the run has none */
    size_t known;
};
struct past_run {
    const char *id, *outcome;    /* outcome NULL: its record is damaged */
    double begun, seconds;
};
struct past {
    struct past_run runs[RUNS];  /* oldest first */
    size_t count;
    size_t all;                  /* records that there are */
    struct series series[SERIES];
    size_t series_count;
    bool more_series;
    struct name_index gated;
};

/* ---- reading ---- */

static const char *path_of(const struct run_page *p, const char *id)
{
    return run_record_path(p->args->arena, p->args->work->path, id);
}

/* The newest runs, as many as the limits allow. */
static void find_runs(struct past *h, const struct run_page *p)
{
    struct run_list list;
    uint64_t bytes = 0, size;
    size_t n = 0;

    if (run_record_list(p->args->arena, p->args->work->path, &list) != ST_OK)
        return;
    h->all = list.count;
    while (n < RUNS && n < list.count
           && file_size(path_of(p, list.ids[list.count - 1 - n]), &size) == ST_OK
           && (bytes += size) <= BYTES)
        n++;
    for (h->count = 0; h->count < n; h->count++)
        h->runs[h->count].id = list.ids[list.count - n + h->count];
}

/* ---- which metrics ---- */

/* Why a metric is a headline, the best reason first. */
enum reason { IS_GATED, IS_KNOWN, IS_THERE, REASONS };

/* The metrics that gates of the plan ask for. */
static void find_gated(struct past *h, const struct run_page *p)
{
    const struct plan *plan = p->args->plan;

    h->gated = (struct name_index){ .arena = p->args->arena };
    for (size_t i = 0; i < plan->count; i++)
        for (size_t k = 0; k < plan->stages[i].gate_count; k++)
            if (name_index_find(&h->gated, plan->stages[i].gates[k].metric) == NAME_NONE)
                name_index_add(&h->gated, plan->stages[i].gates[k].metric);
}

static bool has_reason(const struct past *h, const char *metric, enum reason why)
{
    bool gated = name_index_find(&h->gated, metric) != NAME_NONE;

    if (why == IS_KNOWN)
        return !gated && gate_metric_find(metric) != NULL;
    return why == IS_THERE || gated;
}

static void add_series(struct past *h, struct arena *a, const char *stage, const char *metric)
{
    if (h->series_count == SERIES)
        h->more_series = true;
    else
        h->series[h->series_count++] = (struct series){ .stage = arena_strdup(a, stage),
                                                        .metric = arena_strdup(a, metric) };
}

/* A stage's metrics of which numbers are taken for one reason. */
struct look {
    const char *stage;
    enum reason why;
    int *left;                   /* so many more */
};

/* Dots between levels. */
static void look_at_metrics(struct past *h, const struct run_page *p, const struct look *look,
                            const char *before, const json_t *metrics)
{
    const char *key;
    json_t *one;

    json_object_foreach((json_t *)metrics, key, one) {
        const char *name = *before ? arena_printf(p->args->arena, "%s.%s", before, key) : key;
        if (json_is_object(one) && strlen(name) < NAME_ROOM)
            look_at_metrics(h, p, look, name, one);
        else if (json_is_number(one) && *look->left > 0
                 && has_reason(h, name, look->why)) {
            add_series(h, p->args->arena, look->stage, name);
            --*look->left;
        }
    }
}

static void look_at_record(struct past *h, const struct run_page *p, const json_t *record)
{
    json_t *stage;
    size_t i;

    for (enum reason why = 0; why < REASONS && (why < IS_THERE || h->series_count == 0); why++) {
        int left = why == IS_THERE ? ANY : SERIES + 1;
        json_array_foreach(json_object_get(record, "stages"), i, stage) {
            struct look look = { json_text(stage, "name"), why, &left };
            look_at_metrics(h, p, &look, "", json_object_get(stage, "metrics"));
        }
    }
}

/* Of the newest run that has any: this one mostly. */
static void find_series(struct past *h, const struct run_page *p)
{
    for (size_t k = h->count; k > 0 && h->count - k < LOOKS && h->series_count == 0; k--) {
        json_t *record = NULL;

        if (run_record_load_brief(path_of(p, h->runs[k - 1].id), &record) == ST_OK)
            look_at_record(h, p, record);
        json_decref(record);
    }
}

static double number_at(const json_t *metrics, const char *name)
{
    const char *dot = strchr(name, '.');
    char level[NAME_ROOM];
    const json_t *whole = json_object_get(metrics, name);

    if (json_is_number(whole))
        return json_number_value(whole);
    if (dot == NULL || (size_t)(dot - name) >= sizeof level)
        return NAN;
    memcpy(level, name, (size_t)(dot - name));
    level[dot - name] = 0;
    return number_at(json_object_get(metrics, level), dot + 1);
}

static void take_record(struct past *h, struct arena *a, size_t k, const json_t *record)
{
    struct past_run *run = &h->runs[k];

    run->outcome = arena_strdup(a, json_text(record, "outcome"));
    run->begun = json_number_value(json_object_get(record, "begun"));
    run->seconds = json_number_value(json_object_get(record, "seconds"));
    for (size_t s = 0; s < h->series_count; s++) {
        struct series *one = &h->series[s];
        const json_t *stage = run_record_stage(record, one->stage);

        one->y[k] = number_at(json_object_get(stage, "metrics"), one->metric);
        one->known += isfinite(one->y[k]) != 0;
    }
}

static void read_runs(struct past *h, const struct run_page *p)
{
    const char *stages[SERIES + 1] = { NULL };

    for (size_t s = 0; s < h->series_count; s++)
        stages[s] = h->series[s].stage;
    for (size_t k = 0; k < h->count; k++) {
        json_t *record = NULL;

        for (size_t s = 0; s < h->series_count; s++) {
            h->series[s].x[k] = (double)k + 1;
            h->series[s].y[k] = NAN;
        }
        if (run_record_load_few(path_of(p, h->runs[k].id), stages, &record) == ST_OK)
            take_record(h, p->args->arena, k, record);
        json_decref(record);
    }
}

/* ---- what is shown ---- */

static const char *series_name(const struct run_page *p, const struct series *s)
{
    return arena_printf(p->args->arena, "%s of %s", s->metric, s->stage);
}

static void add_charts(struct buf *out, const struct run_page *p, const struct past *h)
{
    size_t drawn = 0;

    for (size_t k = 0; k < h->series_count; k++) {
        const struct series *s = &h->series[k];
        struct page_line lines[2] = { { s->x, s->y, h->count, "smooth", NULL },
                                      { s->x, s->y, h->count, "dots", NULL } };

        if (s->known < 2)
            continue;
        if (drawn++ == 0)
            buf_adds(out, "<div class=\"pair two\">\n");
        page_chart(out, &(struct page_chart){ series_name(p, s),
                                              "runs, numbered as in the table",
                                              lines, 2, 468, 200 });
    }
    if (drawn > 0)
        buf_adds(out, "</div>\n");
}

/* When it began, leading to its page if that is there; this one has no link to itself. */
static void add_name(struct buf *out, const struct run_page *p, const char *id, double begun)
{
    const char *page = arena_printf(p->args->arena, "reports/%s.html", id);
    bool this = strcmp(id, p->report->now.id) == 0;
    bool there = !this && file_exists(path_join(p->args->arena, p->args->work->path, page));
    char when[32];

    buf_adds(out, "<th scope=\"row\">");
    if (there) {
        buf_adds(out, "<a href=\"" RUN_PAGE_UP);
        page_escape(out, page);
        buf_adds(out, "\">");
    }
    buf_printf(out, "%s%s%s</th>", run_page_time(when, begun), there ? "</a>" : "",
               this ? ", this run" : "");
}

static void add_outcome(struct buf *out, const struct run_page *p, const struct past_run *run)
{
    bool running = strcmp(run->outcome, "running") == 0;

    buf_printf(out, "<td class=\"%s\">",
               strcmp(run->outcome, "done") == 0 ? "good" : running ? "soft" : "bad");
    page_escape(out, running && strcmp(run->id, p->report->now.id) != 0 ? "cut off" : run->outcome);
    buf_adds(out, "</td>");
}

static void add_run(struct buf *out, const struct run_page *p, const struct past *h, size_t k)
{
    const struct past_run *run = &h->runs[k];

    buf_printf(out, "<tr><td class=\"n\">%zu</td>", k + 1);
    if (run->outcome == NULL) {
        page_cell_text(out, run->id);
        buf_printf(out, "<td class=\"bad\" colspan=\"%zu\">its record is damaged</td></tr>\n",
                   2 + (h->series_count < COLUMNS ? h->series_count : COLUMNS));
        return;
    }
    add_name(out, p, run->id, run->begun);
    add_outcome(out, p, run);
    buf_printf(out, "<td class=\"n\">%.2f</td>", run->seconds);
    for (size_t s = 0; s < h->series_count && s < COLUMNS; s++)
        if (isfinite(h->series[s].y[k]))
            buf_printf(out, "<td class=\"n\">%.6g</td>", h->series[s].y[k]);
        else
            buf_adds(out, "<td class=\"n\">&ndash;</td>");
    buf_adds(out, "</tr>\n");
}

static void add_table(struct buf *out, const struct run_page *p, const struct past *h)
{
    struct buf heads = { 0 };

    buf_adds(&heads, "#run|begun|outcome|#seconds");
    for (size_t s = 0; s < h->series_count && s < COLUMNS; s++) {
        buf_adds(&heads, "|#");
        for (const char *c = series_name(p, &h->series[s]); *c; c++)
            buf_addc(&heads, *c == '|' ? '/' : *c);      /* it stands between heads */
    }
    page_table_begin(out, "broad",
                     "The last runs, newest first; a link leads to a report that is still there",
                     heads.p);
    for (size_t k = h->count; k > 0; k--)
        add_run(out, p, h, k - 1);
    page_table_end(out);
    buf_release(&heads);
}

void run_page_past(struct buf *out, const struct run_page *p)
{
    struct past h = { 0 };

    find_runs(&h, p);
    find_gated(&h, p);
    find_series(&h, p);
    read_runs(&h, p);
    buf_adds(out, "<section aria-labelledby=\"runs\">\n<h2 id=\"runs\">Runs</h2>\n");
    if (h.count == 0)
        buf_adds(out, "<p class=\"soft\">No record of a run can be read.</p>\n");
    else if (h.count < h.all)
        buf_printf(out, "<p>The last %zu of %zu runs.</p>\n", h.count, h.all);
    if (h.more_series)
        buf_printf(out, "<p class=\"soft small\">The first %d metrics are here; <code>tundish "
                        "compare</code> shows all of two runs.</p>\n", SERIES);
    add_charts(out, p, &h);
    if (h.count > 0)
        add_table(out, p, &h);
    buf_adds(out, "</section>\n");
}
