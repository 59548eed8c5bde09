#include "pipelines/report/run_page.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/page.h"
#include "base/platform.h"
#include "pipelines/plan/options.h"
#include "pipelines/plan/param.h"
#include "pipelines/report/run_sections.h"
#include "pipelines/run/show.h"
#include "store/artifact/artifact.h"

#define REPORTS_KEPT 50

#define SECTIONS_MOST 50
#define SECTIONS_BYTES ((size_t)1 << 20)
#define FIGURES_MOST 8

/* ---- pieces ---- */

bool run_page_is_bad(const struct run_page *p, size_t i)
{
    const struct turn *turns = p->report->now.turns;

    return turns != NULL && (turns[i].state == TURN_FAILED || turns[i].state == TURN_STOPPED
                             || turns[i].state == TURN_GATED);
}

void run_page_link(struct buf *out, const struct run_page *p, size_t i)
{
    buf_printf(out, "<a href=\"#stage-%s\">", p->args->plan->stages[i].slug);
    page_escape(out, p->args->plan->names[i]);
    buf_adds(out, "</a>");
}

void run_page_row(struct buf *out, const struct run_page *p, size_t i)
{
    buf_adds(out, "<tr><th scope=\"row\">");
    run_page_link(out, p, i);
    buf_adds(out, "</th>");
}

void run_page_cut(struct buf *out, const char *name, size_t most)
{
    const char *end = name + strlen(name), *cut = name;
    uint32_t cp;

    for (size_t n = 0, length; cut < end && n < most; n++, cut += length)
        if ((length = utf8_decode(cut, end, &cp)) == 0)
            length = 1;
    if (utf8_length(cut, (size_t)(end - cut)) <= 1)      /* the ellipsis is no shorter */
        cut = end;
    page_text(out, name, (size_t)(cut - name));
    buf_adds(out, cut < end ? "&#8230;" : "");
}

/* ---- the head ---- */

const char *run_page_time(char *text, double when)
{
    time_t seconds = when > 0 && when < 1e11 ? (time_t)when : 0;
    struct tm t;

    gmtime_r(&seconds, &t);
    strftime(text, 32, "%Y-%m-%d %H:%M:%S UTC", &t);
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
    const char *word = good                            ? "succeeded"
                       : p->outcome == ST_INTERRUPTED ? "interrupted"
                       : p->outcome == ST_GATE        ? "stopped by a gate"
                                                      : "failed";
    char when[32], took[32];

    buf_printf(out, "<p><span class=\"%s\">%s</span> <span class=\"soft\">%s, %s, on ",
               good ? "good" : "bad", word, run_page_time(when, (double)p->begun),
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
    size_t looked = 0;

    for (size_t k = 0; k < p->args->plan->count && looked < FIGURES_MOST; k++) {
        size_t i = p->args->plan->order[k];
        struct run_section s = { p->args->arena, &figures, p->report->survey.views[i].artifact,
                                 NULL };
        json_t *manifest = NULL;

        if (p->in_full[i] && run_page_has_artifact(p, i)
            && artifact_open(s.folder, NULL, &manifest) == ST_OK) {
            size_t before = figures.n;
            s.manifest = manifest;
            run_section_figures(&s);
            looked += figures.n > before;
        }
        json_decref(manifest);
    }
    if (figures.n > 0)
        buf_printf(out, "<dl class=\"figures\">\n%s</dl>\n", figures.p);
    buf_release(&figures);
}

static void add_contents(struct buf *out, const struct run_page *p)
{
    const struct plan *plan = p->args->plan;
    size_t sections = 0;

    buf_adds(out, "<nav class=\"toc\" aria-label=\"Contents\">\n"
                  "<a href=\"#timings\">Timings</a>\n");
    if (run_page_has_savings(p))
        buf_adds(out, "<a href=\"#savings\">Saved by the cache</a>\n");
    if (run_page_has_gates(p))
        buf_adds(out, "<a href=\"#gates\">Gates</a>\n");
    buf_adds(out, "<a href=\"#runs\">Runs</a>\n");
    for (size_t k = 0; k < plan->count; k++)
        if (p->in_full[plan->order[k]]) {
            run_page_link(out, p, plan->order[k]);
            buf_addc(out, '\n');
            sections++;
        }
    if (sections < plan->count)
        buf_printf(out, "<a href=\"#timings\">and %zu more stages</a>\n", plan->count - sections);
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

static void add_timings(struct buf *out, const struct run_page *p)
{
    buf_adds(out, "<section aria-labelledby=\"timings\">\n<h2 id=\"timings\">Timings</h2>\n");
    run_page_timeline(out, p);
    run_page_resources(out, p);
    add_params(out, p);
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

/* The page for a place in the work folder: up is the way from there to the folder. */
static enum status write_file(const struct buf *page, const char *path, const char *up)
{
    struct buf text = { 0 };
    enum status st;

    for (const char *p = page->p, *next; *p; p = *next ? next + 1 : next) {
        next = p + strcspn(p, RUN_PAGE_UP);
        buf_add(&text, p, (size_t)(next - p));
        if (*next)
            buf_adds(&text, up);
    }
    st = file_write_atomic(path, text.p, text.n);
    buf_release(&text);
    return st;
}

static enum status write_files(const struct run_page *p, const struct buf *page, const char *path)
{
    struct arena *a = p->args->arena;
    const char *folder = path_join(a, p->args->work->path, "reports");

    TRY(file_make_folders(folder));
    TRY(write_file(page, arena_printf(a, "%s/%s.html", folder, p->report->now.id), "../"));
    TRY(write_file(page, path, ""));
    remove_old(a, folder);
    return ST_OK;
}

/* ---- the stages' own sections ---- */

/* Those with trouble first, then those that ran, then the rest. */
static int weight_of(const struct run_page *p, size_t i)
{
    const struct turn *turns = p->report->now.turns;

    return run_page_is_bad(p, i) ? 0 : turns != NULL && turns[i].attempt_count > 0 ? 1 : 2;
}

/* As many as the page has room for; in_full tells which. One buf a stage. */
static struct buf *make_sections(const struct run_page *p, bool *in_full)
{
    const struct plan *plan = p->args->plan;
    struct buf *sections = mem_array(plan->count + 1, sizeof *sections);
    size_t count = 0, bytes = 0;

    for (int weight = 0; weight < 3; weight++)
        for (size_t k = 0; k < plan->count; k++) {
            size_t i = plan->order[k];
            if (weight_of(p, i) != weight || count >= SECTIONS_MOST || bytes >= SECTIONS_BYTES)
                continue;
            run_page_stage(&sections[i], p, i);
            in_full[i] = true;
            count++;
            bytes += sections[i].n;
        }
    return sections;
}

static void add_sections(struct buf *out, const struct run_page *p, struct buf *sections)
{
    const struct plan *plan = p->args->plan;
    size_t left_out = 0;

    for (size_t k = 0; k < plan->count; k++) {
        struct buf *section = &sections[plan->order[k]];
        if (section->n > 0)
            buf_add(out, section->p, section->n);
        left_out += section->n == 0;
        buf_release(section);
    }
    free(sections);
    if (left_out > 0)
        buf_printf(out, "<section>\n<p class=\"soft\">%zu more stages have no section here, but a "
                        "row in each table; <code>runs/%s.json</code> has their options and "
                        "metrics.</p>\n</section>\n", left_out, p->report->now.id);
}

static void add_page(struct buf *out, const struct run_page *p, struct buf *sections)
{
    page_begin(out, "Report of a run", p->args->plan->name);
    add_outcome(out, p);
    buf_adds(out, "</header>\n");
    add_contents(out, p);
    add_figures(out, p);
    run_page_graph(out, p);
    add_timings(out, p);
    run_page_savings(out, p);
    run_page_gates(out, p);
    run_page_past(out, p);
    add_sections(out, p, sections);
    run_page_lineage(out, p);
    page_end(out);
}

enum status run_page_write(const struct run_page *args, const char **path)
{
    struct run_page p = *args;
    bool *in_full = arena_array(p.args->arena, p.args->plan->count + 1, sizeof *in_full);
    struct buf out = { 0 };
    enum status st;

    *path = path_join(p.args->arena, p.args->work->path, "report.html");
    p.in_full = in_full;
    add_page(&out, &p, make_sections(&p, in_full));
    st = write_files(&p, &out, *path);
    buf_release(&out);
    return st;
}
