/*
 * A program that answers lines: started once, it gets a line and gives one back, again and again.
 *
 * One thread talks to it. All three pipes are watched at once, so that lines of any size pass in both directions
 * whatever the program reads and writes first; of what it says on its standard error the last part is kept for
 * messages. It runs without a shell, in a process group of its own, within its limits, and does not outlive us.
 */
#ifndef TUNDISH_BASE_CHILD_PROGRAM_H
#define TUNDISH_BASE_CHILD_PROGRAM_H

#include <stdint.h>

#include "base/opt.h"
#include "base/status.h"
#include "base/str.h"

struct child_program;
struct child_program_args {
    const struct opt_list *argv;     /* at least the program's name, looked up in PATH */
    uint64_t memory;                 /* of its address space, bytes; 0: no limit */
};
/* ST_MISSING: it cannot be run. */
MUST_USE enum status child_program_start(const struct child_program_args *args, struct child_program **out);

enum child_program_how {
    CHILD_PROGRAM_ANSWERED,
    CHILD_PROGRAM_LATE,              /* no whole line within the time */
    CHILD_PROGRAM_ENDED,             /* it ended, or closed its output */
    CHILD_PROGRAM_ENDLESS,           /* its line has more bytes than `most` */
    CHILD_PROGRAM_UNASKED,           /* it had written more than its last answer */
    CHILD_PROGRAM_STOPPED,           /* the user wants an end (base/stop.h) */
};
struct child_program_question {
    struct span line;                /* with its line feed */
    double seconds;
    size_t most;                     /* bytes of the answer */
};
/* On CHILD_PROGRAM_ANSWERED, answer (cleared first) is the line without its line feed. On anything else the program
 * must be ended. */
enum child_program_how child_program_ask(struct child_program *c, const struct child_program_question *q,
                                         struct buf *answer);
/* Of a program that is asked nothing (its input is closed): the next bytes that it writes, before the time `until`
 * (bench_now()). CHILD_PROGRAM_ANSWERED: there are some, valid until the next call; CHILD_PROGRAM_ENDED: it has closed
 * its output. */
enum child_program_how child_program_read(struct child_program *c, double until, struct span *bytes);
/* Its last words, on one line, for messages: "" or what it said. Valid until the next call. */
const char *child_program_said(struct child_program *c);
/* Closes its input and waits a short while (patient) for it to end, then kills it and all of its group, and frees c.
 * Appends how it ended to how, which may be NULL: "exit code 3", "signal 9 (Killed)". True: it ended by itself, with 0. */
bool child_program_end(struct child_program *c, bool patient, struct buf *how);

#endif
