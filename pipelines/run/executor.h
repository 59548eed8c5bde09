/*
 * Executors: how a stage's work becomes running processes. The runner knows them by this interface
 * only; none of its calls waits.
 *
 *   start     makes the job run. The runner has written down its mark before, so that whatever
 *             becomes of the runner, the job's processes can be found
 *   end_fd    readable once the job has ended; -1: it must be asked now and then (a cluster)
 *   ended     asks; true once, when it has ended: then the job is freed
 *   signal    passes a signal to all of it
 *
 * A job's own process never outlives the runner: the kernel ends it (PR_SET_PDEATHSIG); what that
 * has started may, and is found by the mark. Its words go straight into its log.
 *
 * To add an executor (ssh, a cluster): one `const struct executor` with these functions, in a file
 * of its own, and a row in executor_of().
 */
#ifndef TUNDISH_PIPELINES_EXECUTOR_H
#define TUNDISH_PIPELINES_EXECUTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "pipelines/run/process.h"

struct job {
    const char *const *words;    /* behind the program's name: "tokenizer" "train" "--vocab=4096";
                                    NULL-terminated */
    bool foreign;                /* words[0] is a program of others, looked up in PATH */
    int (*body)(void *ctx);      /* in place of words: what the child does, in a copy of this process;
                                    its exit code */
    void *ctx;
    long long ranks;
    const char *log;             /* path; appended to */
    const char *progress;        /* path of the file in which it tells how far it is (base/progress.h) */
    const char *mark;            /* process_new_mark(): in the environment of all its processes */
};

struct job_end {
    int code;                    /* exit code; 128 + signal if a signal ended it */
    int signal;                  /* 0: it ended by itself */
    double seconds, cpu_seconds; /* cpu: of all its processes that were waited for */
    uint64_t peak_memory;        /* bytes, of its largest process */
};

struct running;
struct executor {
    const char *name;
    enum status (*start)(const struct job *job, struct running **out);
    struct process_id (*who)(const struct running *r);
    int (*end_fd)(const struct running *r);
    bool (*ended)(struct running *r, struct job_end *end);
    void (*signal)(struct running *r, int number);
};

/* This machine, by fork and exec of this very program. */
extern const struct executor executor_local;
/* The same under Open MPI's mpirun, for several ranks. */
extern const struct executor executor_mpi;
/* The one for a job of so many ranks. */
const struct executor *executor_of(long long ranks);

/* What executors of this machine share: starts argv (file is looked up in PATH) or the job's body
 * as a child. launched: it is a launcher, which must be able to end its ranks when the runner
 * dies. The other functions of such an executor are those of executor_local. */
struct child_args {
    const char *file;
    const char *const *argv;     /* for the log's first line, too, if there is no body */
    bool launched;
};
MUST_USE enum status executor_start_child(const struct job *job, const struct child_args *args,
                                          struct running **out);

#endif
