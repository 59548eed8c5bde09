/*
 * The runner: does what the survey says must be done. Each stage is a process of its own; those
 * that do not wait for each other run side by side, as far as jobs, threads and memory of the
 * machine go (capacity.h).
 *
 * Crash rules. The work folder is held by a kernel lock. Before a stage runs, its key record is
 * beside the place of its artifact, and the journal says which process it is. The artifact appears
 * whole, and what waits for it may start at once. It is written down as done when all of the work
 * folder's file system has been synced since: one sync serves all stages that ended before it, so
 * that many small stages do not wait for the disk. So at any moment the runner can be killed and
 * started again with the same words: what is done is found done, a process that still lives is
 * ended, and a stage that was cut off is called again with the same words and goes on from its own
 * state.
 *
 * A stage has ended when nothing of it is alive: what its process leaves behind in its group (or
 * anywhere, if it did not end well) has a second to end by itself, and is ended then. The second
 * Ctrl-C takes these along at once; behind kill -9 the next run ends them, by their mark.
 *
 * One thread and an event loop (runner.c): reap what ended, settle it (attempt.c), start what
 * there is room for, tell the view (run_view.h), sleep until something happens.
 *
 * Cost: O(stages + arrows) for the loop itself, and per stage that runs a few system calls beside
 * the process; memory O(stages), whatever they read or make.
 */
#ifndef TUNDISH_PIPELINES_RUNNER_H
#define TUNDISH_PIPELINES_RUNNER_H

#include "pipelines/plan/plan.h"
#include "pipelines/registry/gate.h"
#include "pipelines/run/capacity.h"
#include "pipelines/run/executor.h"
#include "pipelines/run/survey.h"
#include "pipelines/run/workdir.h"

/*    name       word in tables  what it means */
#define TURN_STATES(X)                                                                             \
    X(WAITING,  "waiting",  "stages in front have not come through yet")                           \
    X(READY,    "ready",    "it can start as soon as there is room")                               \
    X(PAUSED,   "paused",   "its last attempt failed; the next one begins after a while")          \
    X(RUNNING,  "running",  "a process is at work")                                                \
    X(DONE,     "done",     "its artifact is there")                                               \
    X(FAILED,   "failed",   "its last attempt failed, and it gets no other")                       \
    X(STOPPED,  "stopped",  "it was interrupted and can go on")                                    \
    X(GATED,    "gate",     "its artifact is there, and a gate is shut in front of what waits")    \
    X(LOST,     "not run",  "something in front of it did not come through")                       \
    X(LEFT_OUT, "left out", "this run is not about it")
enum turn_state {
#define X(name, word, text) TURN_##name,
    TURN_STATES(X)
#undef X
};

/* One process of a stage. */
struct attempt {
    double begun;                  /* seconds after the run's begin */
    long long number;              /* over all runs, as in its log's name */
    const char *log;
    struct job_end end;            /* when it is over */
    int cause;                     /* enum fail_cause, or -1 */
};

/* A stage in this run. */
struct turn {
    enum turn_state state;
    size_t waits;                  /* stages in front that have not come through */
    struct attempt *attempts;      /* of this run; the last one runs if state is RUNNING */
    size_t attempt_count;
    double next_attempt;           /* PAUSED: seconds after the run's begin */
    const char *progress;          /* RUNNING: file of base/progress.h */
    struct gate_result *gates;     /* one a gate of the stage, when they have been looked at; or NULL */
};

/* A run as it stands, for those who show it or write it down. */
struct run_now {
    const struct plan *plan;
    const struct workdir *work;
    const struct survey *survey;
    struct journal *journal;
    const bool *selected;
    struct turn *turns;            /* one a stage; NULL until the survey is taken */
    struct capacity machine;
    const char *id;                /* "2026-01-31T08-00-00Z" */
    double began;                  /* bench_now() */
    double began_clock;            /* seconds since 1970 */
    bool something_ran;
    bool recorded;                 /* it has a record: something ran, or it did not end well */
};

struct run_view;
struct run_args {
    struct arena *arena;           /* of the run */
    struct plan *plan;
    const struct workdir *work;
    const bool *selected, *forced; /* one a stage (plan_select) */
    bool dry;                      /* look only: no lock, nothing is written */
    bool keep_going;               /* a failure stops only what waits for it */
    struct capacity machine;
    const struct opt_list *words;  /* of the command line, for the record; may be NULL */
    struct run_view *view;         /* may be NULL */
};
/* What a run leaves to tell of. Zeroed by the caller. */
struct run_report {
    struct survey survey;          /* survey_release() it */
    struct run_now now;
    struct journal *journal;       /* journal_close() it, after the survey */
};
/* ST_OK: all that was selected is up to date. ST_FAILED: a stage failed, and what waits for it was
 * not run. ST_GATE: a gate is shut. ST_INTERRUPTED. ST_HELD: another runner has the folder. The
 * report is filled as far as it came. */
MUST_USE enum status run_plan(const struct run_args *args, struct run_report *report);
void run_report_release(struct run_report *report);

const char *turn_state_word(enum turn_state s);
double run_seconds(const struct run_now *now);      /* since its begin */

#endif
