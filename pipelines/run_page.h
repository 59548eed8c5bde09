/*
 * A run as one page: what ran and why it ended as it did, and of each stage what its artifact
 * holds (run_sections.h). work/<pipeline>/report.html, and reports/<UTC time>.html of each run.
 */
#ifndef TUNDISH_PIPELINES_RUN_PAGE_H
#define TUNDISH_PIPELINES_RUN_PAGE_H

#include <time.h>

#include "pipelines/runner.h"

struct run_page {
    const struct run_args *args;
    const struct run_report *report;   /* with a survey */
    enum status outcome;
    const char *message;               /* of the failure; "" if there is none */
    double seconds;                    /* of the whole run */
    time_t begun;
};
/* Writes both files whole, and removes all but the newest 50 of reports/. *path: of the first, in
 * the run's arena. */
MUST_USE enum status run_page_write(const struct run_page *p, const char **path);

/* ---- its parts ---- */
/* The graph of the stages as a drawing. (run_graph.c) */
void run_page_graph(struct buf *out, const struct run_page *p);
/* The section of one stage. (run_stage.c) */
void run_page_stage(struct buf *out, const struct run_page *p, size_t i);
bool run_page_has_artifact(const struct run_page *p, size_t i);
/* "16.4 s", "3 min 20 s", "2 h 05 min"; text has room for 32. */
const char *run_page_duration(char *text, double seconds);

#endif
