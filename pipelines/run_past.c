/*
 * The last runs, from their records (run_record.h): how each ended, how long it took, and how the
 * headline metrics went from run to run.
 *
 * Headline metrics are those that gates know (gate_report.h) or that a gate of this plan asks for;
 * where there are none, the first numbers of the stages' metrics.json.
 *
 * Bounded: the newest records, as many as RUNS and BYTES allow.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "pipelines/gate_report.h"
#include "pipelines/run_page.h"
#include "pipelines/run_record.h"

enum { RUNS = 20, SERIES = 6, COLUMNS = 3, ANY = 2 };      /* ANY: numbers, where none is a headline */
#define BYTES ((uint64_t)24 << 20)

/* One metric of one stage, over the runs. */
struct series {
    const char *stage, *metric;
    double x[RUNS], y[RUNS];     /* y: NAN where the run has none */
    size_t known;
};
struct past {
    const char *ids[RUNS];
    json_t *records[RUNS];       /* oldest first */
    size_t count;
    size_t all;                  /* records that there are */
    struct series series[SERIES];
    size_t series_count;
    bool more_series;
};

/* ---- reading ---- */

static void read_records(struct past *h, const struct run_page *p)
{
    struct arena *a = p->args->arena;
    const char *work = p->args->work->path;
    struct run_list list;
    uint64_t bytes = 0, size;
    size_t n = RUNS;

    if (run_record_list(a, work, &list) != ST_OK)
        return;
    h->all = list.count;
    for (size_t k = list.count; k > 0 && n > 0; k--) {
        const char *path = run_record_path(a, work, list.ids[k - 1]);
        if (file_size(path, &size) != ST_OK || (bytes += size) > BYTES)
            break;
        if (run_record_load_brief(path, &h->records[n - 1]) == ST_OK)
            h->ids[--n] = list.ids[k - 1];
    }
    h->count = RUNS - n;
    memmove(h->ids, h->ids + n, h->count * sizeof *h->ids);
    memmove(h->records, h->records + n, h->count * sizeof *h->records);
}

static void release(struct past *h)
{
    for (size_t k = 0; k < h->count; k++)
        json_decref(h->records[k]);
}

/* ---- which metrics ---- */

static bool is_headline(const struct plan *plan, const char *metric)
{
    if (gate_metric_find(metric) != NULL)
        return true;
    for (size_t i = 0; i < plan->count; i++)
        for (size_t k = 0; k < plan->stages[i].gate_count; k++)
            if (strcmp(plan->stages[i].gates[k].metric, metric) == 0)
                return true;
    return false;
}

static bool add_series(struct past *h, const char *stage, const char *metric)
{
    if (h->series_count == SERIES) {
        h->more_series = true;
        return false;
    }
    h->series[h->series_count++] = (struct series){ .stage = stage, .metric = metric };
    return true;
}

/* The headlines among the members, dots between levels; *any: so many others may come, too. */
static void look_at_metrics(struct past *h, const struct run_page *p, const char *stage,
                            const char *before, const json_t *metrics, int *any)
{
    const char *key;
    json_t *one;

    json_object_foreach((json_t *)metrics, key, one) {
        const char *name = *before ? arena_printf(p->args->arena, "%s.%s", before, key) : key;
        if (json_is_object(one) && strlen(name) < 256)
            look_at_metrics(h, p, stage, name, one, any);
        else if (!json_is_number(one))
            continue;
        else if (any == NULL ? is_headline(p->args->plan, name) : *any > 0 && (*any)-- > 0)
            add_series(h, stage, name);
    }
}

/* Of the newest run that has any: this one mostly. */
static void find_series(struct past *h, const struct run_page *p)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = h->count; k > 0 && h->series_count == 0; k--) {
            json_t *stage;
            size_t i;
            int any = ANY;

            json_array_foreach(json_object_get(h->records[k - 1], "stages"), i, stage)
                look_at_metrics(h, p, run_record_text(stage, "name"), "",
                                json_object_get(stage, "metrics"), pass == 0 ? NULL : &any);
        }
}

static double number_at(const json_t *metrics, const char *name)
{
    const char *dot = strchr(name, '.');
    char level[256];
    const json_t *whole = json_object_get(metrics, name);

    if (json_is_number(whole))
        return json_number_value(whole);
    if (dot == NULL || (size_t)(dot - name) >= sizeof level)
        return NAN;
    memcpy(level, name, (size_t)(dot - name));
    level[dot - name] = 0;
    return number_at(json_object_get(metrics, level), dot + 1);
}

static void fill_series(struct past *h)
{
    for (size_t k = 0; k < h->count; k++)
        for (size_t s = 0; s < h->series_count; s++) {
            struct series *one = &h->series[s];
            const json_t *stage = run_record_stage(h->records[k], one->stage);

            one->x[k] = (double)k + 1;
            one->y[k] = number_at(json_object_get(stage, "metrics"), one->metric);
            one->known += isfinite(one->y[k]) != 0;
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
            buf_adds(out, "<div class=\"pair\">\n");
        page_chart(out, &(struct page_chart){ series_name(p, s),
                                              "runs as in the table, the last one to the right",
                                              lines, 2, 468, 200 });
    }
    if (drawn > 0)
        buf_adds(out, "</div>\n");
}

/* Where the page of a run is, if it is there; this one has no link to itself. */
static void add_link(struct buf *out, const struct run_page *p, const char *id)
{
    const char *name = arena_printf(p->args->arena, "reports/%s.html", id);

    if (strcmp(id, p->report->now.id) == 0)
        buf_adds(out, "<td>this run</td>");
    else if (file_exists(path_join(p->args->arena, p->args->work->path, name))) {
        buf_adds(out, "<td><a href=\"" RUN_PAGE_UP);
        page_escape(out, name);
        buf_adds(out, "\">its report</a></td>");
    } else
        buf_adds(out, "<td>&ndash;</td>");
}

static void add_outcome(struct buf *out, const struct run_page *p, const struct past *h, size_t k)
{
    const char *word = run_record_text(h->records[k], "outcome");
    bool cut = strcmp(word, "running") == 0 && strcmp(h->ids[k], p->report->now.id) != 0;

    buf_printf(out, "<td class=\"%s\">",
               strcmp(word, "done") == 0 ? "good" : strcmp(word, "running") == 0 ? "soft" : "bad");
    page_escape(out, cut ? "cut off" : word);
    buf_adds(out, "</td>");
}

static void add_run(struct buf *out, const struct run_page *p, const struct past *h, size_t k)
{
    const json_t *record = h->records[k];
    const json_t *begun = json_object_get(record, "begun");
    char when[32];

    buf_printf(out, "<tr><td class=\"n\">%zu</td><th scope=\"row\">%s</th>", k + 1,
               run_page_time(when, json_number_value(begun)));
    add_outcome(out, p, h, k);
    buf_printf(out, "<td class=\"n\">%.2f</td>",
               json_number_value(json_object_get(record, "seconds")));
    for (size_t s = 0; s < h->series_count && s < COLUMNS; s++)
        if (isfinite(h->series[s].y[k]))
            buf_printf(out, "<td class=\"n\">%.6g</td>", h->series[s].y[k]);
        else
            buf_adds(out, "<td class=\"n\">&ndash;</td>");
    add_link(out, p, h->ids[k]);
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
    buf_adds(&heads, "|report");
    page_table_begin(out, "broad", "The last runs, newest first", heads.p);
    for (size_t k = h->count; k > 0; k--)
        add_run(out, p, h, k - 1);
    page_table_end(out);
    buf_release(&heads);
}

void run_page_past(struct buf *out, const struct run_page *p)
{
    struct past h = { 0 };

    read_records(&h, p);
    find_series(&h, p);
    fill_series(&h);
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
    release(&h);
}
