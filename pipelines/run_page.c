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
#define TAIL_BYTES 4000

/* ---- the head ---- */

static const char *utc(char text[32], time_t when, const char *format)
{
    struct tm t;

    gmtime_r(&when, &t);
    strftime(text, 32, format, &t);
    return text;
}

/* "16.4 s", "3 min 20 s", "2 h 05 min" */
static const char *duration(char text[32], double seconds)
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

static void add_head(struct buf *out, const struct run_page *p)
{
    bool good = p->outcome == ST_OK;
    const char *word = good ? "succeeded" : p->outcome == ST_INTERRUPTED ? "interrupted" : "failed";
    char when[32], took[32];

    buf_printf(out, "<p><span class=\"%s\">%s</span> <span class=\"soft\">%s, %s, on ",
               good ? "good" : "bad", word, utc(when, p->begun, "%Y-%m-%d %H:%M:%S UTC"),
               duration(took, p->seconds));
    page_escape(out, host_name());
    buf_adds(out, ", tundish " TUNDISH_VERSION "</span></p>\n");
    if (good)
        return;
    buf_adds(out, "<pre class=\"lost\" role=\"alert\">");
    page_escape(out, p->message);
    buf_adds(out, "</pre>\n");
}

static void add_params(struct buf *out, const struct run_page *p)
{
    const struct params *params = p->args->plan->params;

    if (params == NULL || params->count == 0)
        return;
    buf_adds(out, "<h2>Params</h2>\n<div class=\"scroll\"><table class=\"narrow\">\n"
                  "<tr><th>name<th>value in this run</tr>\n");
    for (size_t i = 0; i < params->count; i++) {
        struct buf value = { 0 };

        buf_adds(out, "<tr><th scope=\"row\">");
        page_escape(out, params->names[i]);
        buf_adds(out, "</th>");
        flow_write(&value, params->values[i]);
        page_cell_code(out, params->values[i]->kind == YAML_SCALAR ? params->values[i]->text
                                                                   : value.p);
        buf_release(&value);
        buf_adds(out, "</tr>\n");
    }
    buf_adds(out, "</table></div>\n");
}

/* ---- timings ---- */

static double seconds_of(const struct run_page *p, size_t i)
{
    const struct run_result *r = p->report->results;

    return r != NULL && r[i].outcome != OUTCOME_NONE ? r[i].seconds : 0;
}

static void add_timings(struct buf *out, const struct run_page *p)
{
    const struct plan *plan = p->args->plan;
    double most = 0;

    for (size_t i = 0; i < plan->count; i++)
        most = seconds_of(p, i) > most ? seconds_of(p, i) : most;
    buf_adds(out, "<h2>Timings</h2>\n<div class=\"scroll\"><table><caption>Seconds in this run; a "
                  "cached stage takes none</caption>\n"
                  "<tr><th>stage<th>command<th>result<th class=\"n\">seconds<td></tr>\n");
    for (size_t k = 0; k < plan->count; k++) {
        size_t i = plan->order[k];
        buf_printf(out, "<tr><th scope=\"row\"><a href=\"#stage-%s\">%s</a></th>", plan->names[i],
                   plan->names[i]);
        page_cell_code(out, plan->stages[i].command->name);
        page_cell_text(out, result_word_of(p->report, p->args->selected, i));
        if (p->report->results == NULL || p->report->results[i].outcome == OUTCOME_NONE)
            buf_adds(out, "<td class=\"n\">&ndash;</td>");
        else
            buf_printf(out, "<td class=\"n\">%.2f</td>", seconds_of(p, i));
        page_cell_bar(out, seconds_of(p, i), most);
        buf_adds(out, "</tr>\n");
    }
    buf_adds(out, "</table></div>\n");
}

/* ---- a stage ---- */

static void add_log(struct buf *out, const struct run_page *p, size_t i)
{
    struct journal_view h = journal_of(p->report->journal, p->args->plan->names[i]);
    const char *name = json_string_value(json_object_get(h.end, "log")), *from;
    struct file_map map;

    if (name == NULL || path_base(name) != name
        || file_map_open(&map, path_join(p->args->arena, p->args->work->logs, name)) != ST_OK)
        return;
    from = map.n > TAIL_BYTES ? map.p + map.n - TAIL_BYTES : map.p;
    buf_adds(out, "<h3>The end of its log</h3>\n<p><code>");
    page_escape(out, name);
    buf_adds(out, "</code></p>\n<pre class=\"lost\">");
    page_text(out, from, (size_t)(map.p + map.n - from));
    buf_adds(out, "</pre>\n");
    file_map_close(&map);
}

static void add_files(struct buf *out, const json_t *files)
{
    const char *name;
    json_t *one;

    buf_adds(out, "<details><summary>Files</summary>\n<div class=\"scroll\"><table>\n"
                  "<tr><th>file<th class=\"n\">size<th>SHA-256</tr>\n");
    json_object_foreach((json_t *)files, name, one) {
        buf_adds(out, "<tr>");
        page_cell_code(out, name);
        page_cell_bytes(out, (uint64_t)json_integer_value(json_object_get(one, "bytes")));
        page_cell_code(out, json_string_value(json_object_get(one, "sha256")));
        buf_adds(out, "</tr>\n");
    }
    buf_adds(out, "</table></div></details>\n");
}

static void add_artifact(struct buf *out, const struct run_page *p, const struct stage_view *v)
{
    json_t *manifest = NULL;
    struct run_section s = { p->args->arena, out, v->artifact, NULL };

    if (artifact_open(v->artifact, NULL, &manifest) != ST_OK) {
        buf_adds(out, "<p class=\"bad\">Cannot be shown: ");
        page_escape(out, fail_message());
        buf_adds(out, "</p>\n");
        return;
    }
    s.manifest = manifest;
    run_section_of_kind(&s);
    buf_adds(out, "<p class=\"soft small\">key <code>");
    page_escape(out, v->key);
    buf_adds(out, "</code><br>digest <code>");
    page_escape(out, artifact_digest(manifest));
    buf_adds(out, "</code></p>\n");
    buf_adds(out, "<details><summary>Options</summary>\n");
    run_section_members(out, "All that can change its results",
                        json_object_get(json_object_get(manifest, "made_by"), "options"));
    buf_adds(out, "</details>\n");
    add_files(out, json_object_get(manifest, "files"));
    json_decref(manifest);
}

static bool has_artifact(const struct run_page *p, size_t i)
{
    const struct stage_view *v = &p->report->survey.views[i];

    return (v->state == STAGE_CACHED || v->state == STAGE_KEPT) && v->artifact != NULL;
}

static void add_stage(struct buf *out, const struct run_page *p, size_t i)
{
    const struct stage_view *v = &p->report->survey.views[i];
    const char *name = p->args->plan->names[i];
    const char *word = result_word_of(p->report, p->args->selected, i);
    bool failed = strcmp(word, "failed") == 0;

    buf_printf(out, "<section aria-labelledby=\"stage-%s\">\n<h2 id=\"stage-%s\">%s</h2>\n", name,
               name, name);
    buf_printf(out, "<p><code>%s</code> <span class=\"%s\">%s</span></p>\n",
               p->args->plan->stages[i].command->name, failed ? "bad" : "soft", word);
    if (failed || strcmp(word, "stopped") == 0)
        add_log(out, p, i);
    if (has_artifact(p, i))
        add_artifact(out, p, v);
    buf_adds(out, "</section>\n");
}

/* ---- lineage ---- */

static void add_inputs(struct buf *out, const json_t *manifest)
{
    const json_t *paths = json_object_get(json_object_get(manifest, "aside"), "paths");
    const char *option;
    json_t *digests, *digest;
    size_t i;

    json_object_foreach(json_object_get(manifest, "inputs"), option, digests)
        json_array_foreach(digests, i, digest) {
            page_escape(out, option);
            buf_printf(out, " <code>%.12s</code> ", json_string_value(digest));
            page_escape(out, json_string_value(json_array_get(json_object_get(paths, option), i)));
            buf_adds(out, "<br>");
        }
}

static void add_lineage(struct buf *out, const struct run_page *p)
{
    const struct plan *plan = p->args->plan;

    buf_adds(out, "<h2>Lineage</h2>\n<div class=\"scroll\"><table><caption>Each artifact, and what "
                  "it was made from, by content digest (SHA-256, the first 12 digits)</caption>\n"
                  "<tr><th>stage<th>digest<th>made from</tr>\n");
    for (size_t k = 0; k < plan->count; k++) {
        size_t i = plan->order[k];
        json_t *manifest = NULL;

        if (!has_artifact(p, i)
            || artifact_open(p->report->survey.views[i].artifact, NULL, &manifest) != ST_OK)
            continue;
        buf_printf(out, "<tr><th scope=\"row\">%s</th><td><code>%.12s</code></td><td>",
                   plan->names[i], artifact_digest(manifest));
        add_inputs(out, manifest);
        buf_adds(out, "</td></tr>\n");
        json_decref(manifest);
    }
    buf_adds(out, "</table></div>\n");
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
    page_begin(&out, plan->name);
    add_head(&out, p);
    run_page_graph(&out, p);
    add_timings(&out, p);
    add_params(&out, p);
    for (size_t k = 0; k < plan->count; k++)
        add_stage(&out, p, plan->order[k]);
    add_lineage(&out, p);
    page_end(&out);
    st = write_files(p, &out, *path);
    buf_release(&out);
    return st;
}
