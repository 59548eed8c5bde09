/*
 * What the files of the runner share: runner.c (the loop), attempt.c (one process of a stage, from
 * its preparation to what its end means), durable.c (when a result is safe on the disk), gating.c
 * (verdicts).
 */
#ifndef TUNDISH_PIPELINES_RUN_PART_H
#define TUNDISH_PIPELINES_RUN_PART_H

#include "pipelines/run/run_view.h"
#include "pipelines/run/runner.h"

/* Why the runner sent a signal to a stage. */
enum end_wish { WISH_NONE, WISH_STOP, WISH_TIMEOUT, WISH_MEMORY };

/* How far the runner is with ending what a stage left alive. */
enum rest { REST_UNSEEN, REST_SEEN, REST_ASKED, REST_KILLED };

/* The process that a stage has now. */
struct live {
    const struct executor *executor;
    struct running *process;       /* NULL: it has ended, and what it left alive is being ended */
    struct process_id id;
    char mark[PROCESS_MARK_ROOM];
    struct capacity claim;
    int log;                       /* read by us as the stage writes */
    double deadline;               /* seconds after the run's begin; INFINITY: none */
    double kill_at;                /* the same: SIGKILL if it still lives */
    double memory_look;            /* when to look at it next */
    enum end_wish wish;
    enum rest rest;
    unsigned long long kills_before;    /* of the kernel, for want of memory */
    struct artifact *artifact;     /* of a program of others: what it fills; NULL when it is whole */
    bool committing;               /* its files are being hashed, in a child */
};

struct durable {
    size_t *waiting, waiting_count;     /* stages whose artifact is there and not yet safe */
    size_t *syncing, syncing_count;     /* those that the sync in hand serves */
    struct running *sync;               /* a child; NULL: none */
    double last_sync;                   /* when it began; bench_now() */
};

struct run {
    const struct run_args *args;
    struct run_report *report;
    struct arena *arena;
    const struct plan *plan;
    const struct workdir *work;
    struct survey *survey;
    struct journal *journal;
    struct run_now *now;
    struct turn *turns;            /* = now->turns */
    struct live *live;             /* one a stage */
    struct capacity left;
    size_t running, paused;
    size_t *ready, ready_count;    /* no order */
    size_t *arrived, arrived_count;     /* nothing in front of them is left; not looked at yet */
    struct plan_arrows arrows;     /* between selected stages */
    size_t *place;                 /* of a stage in the plan's order */
    struct durable durable;
    struct failure first;          /* failure */
    size_t failures, shut;
    bool stopping;
};

/* ---- stray.c ---- */
/* Ends what an earlier run has left alive, of stages that the file does not name any more, too. */
MUST_USE enum status strays_end(struct run *r);

/* ---- attempt.c ---- */
/* Starts the stage's next process; its view says RUN. If no process comes of it, for want of room
 * on the disk or of a program's folder, its state is FAILED. A status that is not ST_OK ends the
 * run. */
MUST_USE enum status attempt_start(struct run *r, size_t i);
/* Ends it, for a reason. */
void attempt_end(struct run *r, size_t i, enum end_wish why);
/* Looks whether it has ended, whether it takes too long or too much, and hands its new words to
 * the view. *ended: it has; then turns[i].state says how it went on (DONE, FAILED, PAUSED or
 * STOPPED). A status that is not ST_OK ends the run. */
MUST_USE enum status attempt_look(struct run *r, size_t i, bool *ended);
/* Readable when its process has ended; -1: it has, or must be asked. */
int attempt_fd(const struct run *r, size_t i);
/* Notes a failure of the run, told last; the first one is. */
void run_failed(struct run *r, enum status st);

/* ---- durable.c ---- */
/* The artifact of the stage is there, by whatever way: it is to be written down as done. */
void durable_add(struct run *r, size_t i);
/* Goes on with what there is to do, without waiting. */
MUST_USE enum status durable_step(struct run *r);
/* Readable when there is something to go on with; -1. */
int durable_fd(const struct run *r);
/* Waits until all is safe. */
MUST_USE enum status durable_finish(struct run *r);

/* ---- gating.c ---- */
/* Looks at the stage's gates; its artifact is there. *open: all are. */
MUST_USE enum status gates_look(struct run *r, size_t i, bool *open);
/* What the first shut one of the stage's gates said when it was last asked about the artifact with
 * that digest; NULL: none was. In the arena. */
const char *gates_were_shut(struct arena *a, const struct journal *j, const struct plan_stage *s,
                            const char *digest);

/* ---- program_run.c ---- */
/* Makes the folder that a program of others fills. */
MUST_USE enum status program_begin(struct run *r, size_t i);
/* The program has ended, or the child that hashes what it left: makes the artifact of it. *ended
 * false: such a child is at work now. */
MUST_USE enum status program_end(struct run *r, size_t i, struct job_end *end, bool *ended);

#endif
