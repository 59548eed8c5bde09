/*
 * The attempts of one stage, from the journal (journal.h): each with its log and what became of it.
 * The journal may grow while it is read: attempts_update() takes in what came since.
 *
 * Where the journal is missing, damaged or knows nothing of the stage, the names in logs/ serve:
 * <stage>-<n>.log.
 */
#ifndef TUNDISH_PIPELINES_ATTEMPTS_H
#define TUNDISH_PIPELINES_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/status.h"
#include "pipelines/plan/options.h"
#include "pipelines/run/workdir.h"

struct logged_attempt {
    long long number;
    const char *log;             /* its file name in logs/ */
    double begun;                /* 0: not known */
    const char *end;             /* "done", "failed", "interrupted"; NULL: none yet, or it was cut
                                    off */
    double seconds;              /* of an ended one; < 0: not known */
    int code, signal;
};

struct attempts {
    struct arena *arena;
    const struct workdir *work;
    const char *stage;
    struct logged_attempt *v;           /* oldest first */
    size_t count, cap;
    struct words stages;         /* every stage that the journal or logs/ knows, in `v`, NULL-terminated */
    off_t read;                  /* bytes of the journal that were taken in */
    ino_t inode;                 /* of that journal: a long one is written anew now and then */
    size_t newest;               /* the attempt + 1 of the last start that was read; 0: none */
};
/* All that is known now. Zeroed but for arena, work and stage by the caller. */
MUST_USE enum status attempts_read(struct attempts *t);
/* Takes in the journal's new lines. */
MUST_USE enum status attempts_update(struct attempts *t);
/* The path of an attempt's log, in the arena. */
char *attempts_log(const struct attempts *t, const struct logged_attempt *one);

#endif
