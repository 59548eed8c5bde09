/*
 * A run as one page: what ran and when, what it took, what gates said, the runs before it, and of
 * each stage what its artifact holds (run_sections.h). work/<pipeline>/report.html, and
 * reports/<id of the run>.html of each run.
 *
 * The one idea of its size: a table has a row for every stage, folded when there are many; a
 * drawing and the stages' own sections have a limit, and the page says what it leaves out. Stages
 * with trouble come first. So a run of a thousand stages is still a page that opens at once.
 *
 * Anchors are made of slugs, which need no escaping; names are always escaped. Of stage i there is
 * one element with the id "stage-<slug>": its section, or else its row in the table of timings.
 *
 * RUN_PAGE_UP in the text stands for the way to the work folder, "" in report.html and "../" in
 * reports/: page_text() lets no such byte through, so no text from outside holds one.
 */
#ifndef TUNDISH_PIPELINES_RUN_PAGE_H
#define TUNDISH_PIPELINES_RUN_PAGE_H

#include <time.h>

#include "base/page.h"
#include "pipelines/run/runner.h"

#define RUN_PAGE_UP "\x01"
#define RUN_PAGE_FOLD 40               /* rows above which a table is folded */

struct run_page {
    const struct run_args *args;
    const struct run_report *report;   /* with a survey */
    enum status outcome;
    const char *message;               /* of the failure; "" if there is none */
    double seconds;                    /* of the whole run */
    time_t begun;
    const bool *in_full;               /* one a stage: it has a section; set by run_page_write() */
};
/* Writes both files whole, and removes all but the newest 50 of reports/. *path: of the first, in
 * the run's arena. */
MUST_USE enum status run_page_write(const struct run_page *p, const char **path);

/* ---- its parts ---- */
/* The graph of the stages as a drawing. (run_graph.c) */
void run_page_graph(struct buf *out, const struct run_page *p);
/* When each attempt ran, as a drawing. (run_timeline.c) */
void run_page_timeline(struct buf *out, const struct run_page *p);
/* What each stage and each attempt took of what it asked for; the machine. (run_resources.c) */
void run_page_resources(struct buf *out, const struct run_page *p);
/* What was not run because its result was there; nothing if all ran. (run_savings.c) */
bool run_page_has_savings(const struct run_page *p);
void run_page_savings(struct buf *out, const struct run_page *p);
/* What gates asked and found; nothing without gates. (run_gates.c) */
bool run_page_has_gates(const struct run_page *p);
void run_page_gates(struct buf *out, const struct run_page *p);
/* The last runs, this one among them, by their records. (run_past.c) */
void run_page_past(struct buf *out, const struct run_page *p);
/* The section of one stage. (run_stage.c) */
void run_page_stage(struct buf *out, const struct run_page *p, size_t i);
/* Which artifact came from which. (run_digests.c) */
void run_page_lineage(struct buf *out, const struct run_page *p);

/* ---- pieces for them ---- */
bool run_page_has_artifact(const struct run_page *p, size_t i);
/* The words of result_word_of() that mean trouble: failed, stopped, gate. */
bool run_page_is_bad(const struct run_page *p, size_t i);
/* The stage's name, leading to its anchor. */
void run_page_link(struct buf *out, const struct run_page *p, size_t i);
/* Begins a row of a table by the same. */
void run_page_row(struct buf *out, const struct run_page *p, size_t i);
/* The first letters of a name, and an ellipsis if there are more; never within a character. */
void run_page_cut(struct buf *out, const char *name, size_t most);
/* "16.4 s", "3 min 20 s", "2 h 05 min"; text has room for 32. */
const char *run_page_duration(char *text, double seconds);
/* "2026-01-31 09:00:00 UTC"; the same room. */
const char *run_page_time(char *text, double when);

#endif
