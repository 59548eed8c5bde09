#include "pipelines/run_page.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/page.h"
#include "base/platform.h"
#include "pipelines/options.h"
#include "pipelines/param.h"
#include "pipelines/run_sections.h"
#include "pipelines/show.h"
#include "store/artifact.h"

#define REPORTS_KEPT 50

/* ---- the head ---- */

static const char *utc(char text[32], time_t when, const char *format)
{
    struct tm t;

    gmtime_r(&when, &t);
    strftime(text, 32, format, &t);
    return text;
}

const char *run_page_duration(char *text, double seconds)
{
    long whole = (long)(seconds + 0.5);

    if (seconds < 59.95)
        snprintf(text, 32, "%.1f s", seconds);
    else if (whole < 3600)
        snprintf(text, 32, "%ld min %02ld s", whole / 60, whole % 60);
    else
        snprintf(text, 32, "%ld h %02ld min", whole / 3600, whole / 60 % 60);
    return text;
}

static void add_outcome(struct buf *out, const struct run_page *p)
{
    bool good = p->outcome == ST_OK;
    const char *word = good ? "succeeded" : p->outcome == ST_INTERRUPTED ? "interrupted" : "failed";
    char when[32], took[32];

    buf_printf(out, "<p><span class=\"%s\">%s</span> <span class=\"soft\">%s, %s, on ",
               good ? "good" : "bad", word, utc(when, p->begun, "%Y-%m-%d %H:%M:%S UTC"),
               run_page_duration(took, p->seconds));
    page_escape(out, host_name());
    buf_adds(out, ", tundish " TUNDISH_VERSION "</span></p>\n");
    if (good)
        return;
    buf_adds(out, "<pre class=\"lost\" role=\"alert\">\n");
    page_escape(out, p->message);
    buf_adds(out, "</pre>\n");
}

static void add_figures(struct buf *out, const struct run_page *p)
{
    struct buf figures = { 0 };

    for (size_t k = 0; k < p->args->plan->count; k++) {
        size_t i = p->args->plan->order[k];
        struct run_section s = { p->args->arena, &figures, p->report->survey.views[i].artifact,
                                 NULL };
        json_t *manifest = NULL;

        if (run_page_has_artifact(p, i) && artifact_open(s.folder, NULL, &manifest) == ST_OK) {
            s.manifest = manifest;
            run_section_figures(&s);
        }
        json_decref(manifest);
    }
    if (figures.n > 0)
        buf_printf(out, "<dl class=\"figures\">\n%s</dl>\n", figures.p);
    buf_release(&figures);
}

static void add_contents(struct buf *out, const struct run_page *p)
{
    buf_adds(out, "<nav class=\"toc\" aria-label=\"Contents\">\n"
                  "<a href=\"#timings\">Timings</a>\n");
    for (size_t k = 0; k < p->args->plan->count; k++) {
        const char *name = p->args->plan->names[p->args->plan->order[k]];
        buf_printf(out, "<a href=\"#stage-%s\">%s</a>\n", name, name);
    }
    buf_adds(out, "<a href=\"#lineage\">Lineage</a>\n</nav>\n");
}

static void add_params(struct buf *out, const struct run_page *p)
{
    const struct params *params = p->args->plan->params;

    if (params == NULL || params->count == 0)
        return;
    page_table_begin(out, "narrow", "Params of this run", "name|value");
    for (size_t i = 0; i < params->count; i++) {
        struct buf value = { 0 };

        flow_write(&value, params->values[i]);
        page_row(out, params->names[i]);
        page_cell_code(out, params->values[i]->kind == YAML_SCALAR ? params->values[i]->text
                                                                   : value.p);
        buf_adds(out, "</tr>\n");
        buf_release(&value);
    }
    page_table_end(out);
}

/* ---- timings ---- */

static double seconds_of(const struct run_page *p, size_t i)
{
    return result_seconds_of(&p->report->now, i);
}

static void add_stage_link(struct buf *out, const struct run_page *p, size_t i)
{
    const char *name = p->args->plan->names[i];

    buf_printf(out, "<a href=\"#stage-%s\">%s</a>", name, name);
}

static void add_timings(struct buf *out, const struct run_page *p)
{
    const struct plan *plan = p->args->plan;
    double most = 0;

    for (size_t i = 0; i < plan->count; i++)
        most = seconds_of(p, i) > most ? seconds_of(p, i) : most;
    buf_adds(out, "<section aria-labelledby=\"timings\">\n<h2 id=\"timings\">Timings</h2>\n");
    page_table_begin(out, NULL, "Seconds in this run",
                     "stage|command|result|#seconds|");
    for (size_t k = 0; k < plan->count; k++) {
        size_t i = plan->order[k];
        buf_adds(out, "<tr><th scope=\"row\">");
        add_stage_link(out, p, i);
        buf_adds(out, "</th>");
        page_cell_code(out, plan->stages[i].command->name);
        page_cell_text(out, result_word_of(&p->report->now, i));
        if (seconds_of(p, i) <= 0)
            buf_adds(out, "<td class=\"n\">&ndash;</td>");
        else
            buf_printf(out, "<td class=\"n\">%.2f</td>", seconds_of(p, i));
        page_cell_bar(out, seconds_of(p, i), 0, most);
        buf_adds(out, "</tr>\n");
    }
    page_table_end(out);
    add_params(out, p);
    buf_adds(out, "</section>\n");
}

/* ---- lineage ---- */

/* The stage whose artifact it is, or PLAN_OUTSIDE. */
static size_t stage_of_digest(const struct run_page *p, const char *digest)
{
    for (size_t i = 0; i < p->args->plan->count; i++)
        if (run_page_has_artifact(p, i) && strcmp(p->report->survey.views[i].digest, digest) == 0)
            return i;
    return PLAN_OUTSIDE;
}

static void add_inputs(struct buf *out, const struct run_page *p, const json_t *manifest)
{
    const json_t *paths = json_object_get(json_object_get(manifest, "aside"), "paths");
    const char *option;
    json_t *digests, *one;
    size_t i;

    json_object_foreach(json_object_get(manifest, "inputs"), option, digests)
        json_array_foreach(digests, i, one) {
            const char *digest = json_is_string(one) ? json_string_value(one) : "";
            size_t from = stage_of_digest(p, digest);

            page_escape(out, option);
            buf_adds(out, " <code>");
            page_text(out, digest, strnlen(digest, 12));
            buf_adds(out, "</code> ");
            if (from != PLAN_OUTSIDE)
                add_stage_link(out, p, from);
            else
                page_escape(out,
                            json_string_value(json_array_get(json_object_get(paths, option), i)));
            buf_adds(out, "<br>");
        }
}

static void add_lineage(struct buf *out, const struct run_page *p)
{
    const struct plan *plan = p->args->plan;
    size_t artifacts = 0;

    for (size_t i = 0; i < plan->count; i++)
        artifacts += run_page_has_artifact(p, i);
    buf_adds(out, "<section aria-labelledby=\"lineage\">\n<h2 id=\"lineage\">Lineage</h2>\n");
    if (artifacts == 0) {
        buf_adds(out, "<p class=\"soft\">There are no artifacts.</p>\n</section>\n");
        return;
    }
    page_table_begin(out, NULL, "Each artifact, and what it was made from, by content digest "
                                "(SHA-256, the first 12 digits)",
                     "stage|digest|made from");
    for (size_t k = 0; k < plan->count; k++) {
        size_t i = plan->order[k];
        json_t *manifest = NULL;

        if (!run_page_has_artifact(p, i)
            || artifact_open(p->report->survey.views[i].artifact, NULL, &manifest) != ST_OK)
            continue;
        buf_adds(out, "<tr><th scope=\"row\">");
        add_stage_link(out, p, i);
        buf_printf(out, "</th><td><code>%.12s</code></td><td>", artifact_digest(manifest));
        add_inputs(out, p, manifest);
        buf_adds(out, "</td></tr>\n");
        json_decref(manifest);
    }
    page_table_end(out);
    buf_adds(out, "</section>\n");
}

/* ---- the files ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names are times, so the first in order are the oldest. */
static void remove_old(struct arena *a, const char *folder)
{
    DIR *d = opendir(folder);
    const char **names = NULL;
    size_t n = 0;

    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        if (str_ends_with(e->d_name, ".html")) {
            names = mem_grow(names, n + 1, sizeof *names);
            names[n++] = path_join(a, folder, e->d_name);
        }
    if (d != NULL)
        closedir(d);
    if (n > 0)
        qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i + REPORTS_KEPT < n; i++)
        (void)unlink(names[i]);
    free(names);
}

/* A free name: two runs may begin in one second. */
static const char *free_name(struct arena *a, const char *folder, time_t begun)
{
    char when[32];
    const char *path;

    utc(when, begun, "%Y-%m-%dT%H-%M-%SZ");
    path = arena_printf(a, "%s/%s.html", folder, when);
    for (int n = 2; file_exists(path); n++)
        path = arena_printf(a, "%s/%s-%d.html", folder, when, n);
    return path;
}

static enum status write_files(const struct run_page *p, const struct buf *page, const char *path)
{
    struct arena *a = p->args->arena;
    const char *folder = path_join(a, p->args->work->path, "reports");

    TRY(file_make_folders(folder));
    TRY(file_write_atomic(free_name(a, folder, p->begun), page->p, page->n));
    TRY(file_write_atomic(path, page->p, page->n));
    remove_old(a, folder);
    return ST_OK;
}

enum status run_page_write(const struct run_page *p, const char **path)
{
    const struct plan *plan = p->args->plan;
    struct buf out = { 0 };
    enum status st;

    *path = path_join(p->args->arena, p->args->work->path, "report.html");
    page_begin(&out, "Report of a run", plan->name);
    add_outcome(&out, p);
    buf_adds(&out, "</header>\n");
    add_contents(&out, p);
    add_figures(&out, p);
    run_page_graph(&out, p);
    add_timings(&out, p);
    for (size_t k = 0; k < plan->count; k++)
        run_page_stage(&out, p, plan->order[k]);
    add_lineage(&out, p);
    page_end(&out);
    st = write_files(p, &out, *path);
    buf_release(&out);
    return st;
}
