/*
 * Executors: how a stage's command line becomes a running process. The runner knows them by this
 * interface only.
 *
 *   start     makes the process and holds it in front of its first instruction
 *   release   lets it go; in between, the runner has written down who it is
 *   wait      passes its words on to the log and to stderr until it ends; sends it SIGINT when this
 *             program is asked to stop (base/stop.h), so that it can leave a resumable state
 *
 * A process never outlives the runner: if the runner dies in between, start's child ends by itself;
 * later the kernel ends it (PR_SET_PDEATHSIG).
 *
 * To add an executor (ssh, a cluster): one `const struct executor` with these functions, in a file
 * of its own.
 */
#ifndef TUNDISH_PIPELINES_EXECUTOR_H
#define TUNDISH_PIPELINES_EXECUTOR_H

#include "base/status.h"
#include "pipelines/process.h"

struct job {
    const char *const *words;    /* behind the program's name: "tokenizer" "train"
                                    "--vocab=4096"; NULL-terminated */
    long long ranks;             /* over 1: under mpirun */
    const char *log;             /* path; created */
    const char *mark;            /* process_new_mark(): in the environment of all its processes */
};

struct job_end {
    int code;                    /* exit code; 128 + signal if a signal ended it */
    int signal;                  /* 0: it ended by itself */
    bool asked_to_stop;          /* it was sent SIGINT by us */
    double seconds;
};

struct running;
struct executor {
    const char *name;
    enum status (*start)(const struct job *job, struct running **out);
    struct process_id (*who)(const struct running *r);
    enum status (*release)(struct running *r);
    /* Frees r in any case. */
    enum status (*wait)(struct running *r, struct job_end *end);
    /* Gives up a job that was not released; frees r. */
    void (*drop)(struct running *r);
};

/* This machine, by fork and exec of this very program; `mpirun` in front for several ranks. */
extern const struct executor executor_local;

#endif
