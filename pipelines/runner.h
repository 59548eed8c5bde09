/*
 * The runner: does what the survey says must be done, one stage at a time, each as a process of its
 * own.
 *
 * Crash rules. The work folder is held by a kernel lock. Before a stage runs, its key record is on
 * disk beside the place of its artifact, and the journal says which process it is. The artifact
 * appears whole. So at any moment the runner can be killed and started again with the same words:
 * what is done is found done, a process that still lives is ended, and a stage that was cut off is
 * called again with the same words and goes on from its own state.
 */
#ifndef TUNDISH_PIPELINES_RUNNER_H
#define TUNDISH_PIPELINES_RUNNER_H

#include "pipelines/executor.h"
#include "pipelines/plan.h"
#include "pipelines/survey.h"
#include "pipelines/workdir.h"

enum run_outcome { OUTCOME_NONE, OUTCOME_RAN, OUTCOME_FAILED, OUTCOME_STOPPED };
struct run_result {
    enum run_outcome outcome;      /* NONE: it was cached, or its turn did not come */
    double seconds;
};

struct run_args {
    struct arena *arena;           /* of the run */
    struct plan *plan;
    const struct workdir *work;
    const struct executor *executor;
    const bool *selected, *forced; /* one a stage (plan_select) */
    bool dry;                      /* look only: no lock, nothing is written */
    /* Called when the survey is taken and something may follow; may be NULL. */
    void (*show_plan)(const struct survey *s);
};
/* What a run leaves to tell of. Zeroed by the caller. */
struct run_report {
    struct survey survey;          /* survey_release() it */
    struct run_result *results;    /* one a stage; NULL if it did not come that far */
    struct journal *journal;       /* journal_close() it, after the survey */
};
/* ST_OK: all that was selected is up to date. ST_FAILED: a stage failed, and what waits for it was
 * not run. ST_INTERRUPTED. ST_HELD: another runner has the folder. The report is filled as far as
 * it came. */
MUST_USE enum status run_plan(const struct run_args *args, struct run_report *report);
void run_report_release(struct run_report *report);

#endif
