/*
 * OUT.work, the folder of a run that is not finished (FORMATS.md, "A run that is not finished"). It stands beside
 * OUT while a long stage works; what ends the process leaves it, and the same command goes on with it. Two things
 * keep it whole: a lock, which the kernel drops with the process, and the record of what makes two runs the same,
 * so that the work of one is never mixed with another's.
 */
#ifndef TUNDISH_STORE_UNFINISHED_H
#define TUNDISH_STORE_UNFINISHED_H

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/status.h"

struct artifact;

struct unfinished {
    struct arena arena;
    const char *out, *path;          /* "OUT" without a '/' at its end, and "OUT.work"; NULL: not open */
    struct file_lock lock;
    bool claimed;                    /* it is this run's */
};
/* "OUT.work", whatever '/' stand behind OUT. */
const char *unfinished_path(struct arena *a, const char *out);
/* Makes OUT.work and locks it; ST_HELD while another process has it. On failure, too, unfinished_close()
 * takes down what was opened. */
MUST_USE enum status unfinished_open(struct unfinished *u, const char *out);
/* Writes `run` (artifact_run()) to OUT.work/run.json, or compares it with what stands there: ST_CONFIG names the
 * first difference and what to do. Another run's folder in which nothing is finished is in nobody's way: it is emptied,
 * and taken over. */
MUST_USE enum status unfinished_claim(struct unfinished *u, const json_t *run);
/* Is nothing finished in it? Only what every run begins with, and temporary names, count as nothing. This thread's failure
 * stays what it is. */
bool unfinished_is_empty(const struct unfinished *u);

/* Several ranks work in the folder, and outlive the first one where it alone is killed. Each has a share of the lock on
 * OUT.work/ranks, and nobody begins before the last of an earlier run is gone: two writers of one file would ruin it.
 * unfinished_begin(): how rank 0 opens and claims the folder; ST_HELD while a rank of an earlier run is at work. */
MUST_USE enum status unfinished_begin(struct unfinished *u, const char *out, const json_t *run);
/* A rank's share, taken when rank 0 has claimed the folder; `path`: OUT.work. */
MUST_USE enum status unfinished_share(const char *path, struct file_lock *share);
/* Removes the folder. */
MUST_USE enum status unfinished_remove(struct unfinished *u);
/* The same when OUT is complete, which a failure says. */
MUST_USE enum status unfinished_complete(struct unfinished *u);
void unfinished_close(struct unfinished *u);

/* How a stage ends, on each rank. */
struct unfinished_end {
    struct unfinished *work;         /* closed; not open on other ranks than 0 */
    struct artifact *out;            /* given up, if it is there still; or NULL */
    struct file_lock *share;         /* dropped */
    const char *kept;                /* OUT.work, where the next command can go on with it; NULL: nothing is kept */
    const char *done;                /* what is kept: "done", "encoded" */
    bool of_no_use;                  /* remove the folder, if this run has claimed it */
};
/* st: how the work ended, which is returned. Behind the failure it is said how to go on with what is kept, where one can: after an
 * interruption, an error of a disk or a limit that is to be raised; after ST_INTEGRITY, how to begin again. */
MUST_USE enum status unfinished_end(const struct unfinished_end *e, enum status st);

/* Is what stands in `path` of this run? `was` is such a record, or a manifest. but: an option that
 * the caller compares, with its inputs; NULL: none. */
MUST_USE enum status unfinished_same_run(const char *path, const json_t *run, const json_t *was,
                                         const char *but);
/* Away in one step, then removed: what is left of it after a kill has a temporary name of `owner`,
 * whose next writer removes it. */
MUST_USE enum status unfinished_take_away(struct arena *a, const char *path, const char *owner);

#endif
