/*
 * A program that answers lines: started once, it gets a line and gives one back, again and again.
 *
 * One thread talks to it. All three pipes are watched at once, so that lines of any size pass in both directions
 * whatever the program reads and writes first; of what it says on its standard error the last part is kept for
 * messages. It runs without a shell, in a process group of its own, within its limits, and does not outlive us.
 */
#ifndef TUNDISH_CURATE_COMMAND_CHILD_H
#define TUNDISH_CURATE_COMMAND_CHILD_H

#include <stdint.h>

#include "base/opt.h"
#include "base/status.h"
#include "base/str.h"

struct command_child;
struct command_child_args {
    const struct opt_list *argv;     /* at least the program's name, looked up in PATH */
    uint64_t memory;                 /* of its address space, bytes; 0: no limit */
};
/* ST_MISSING: it cannot be run. */
MUST_USE enum status command_child_start(const struct command_child_args *args, struct command_child **out);

enum command_child_how {
    COMMAND_CHILD_ANSWERED,
    COMMAND_CHILD_LATE,              /* no whole line within the time */
    COMMAND_CHILD_ENDED,             /* it ended, or closed its output */
    COMMAND_CHILD_ENDLESS,           /* its line has more bytes than `most` */
    COMMAND_CHILD_UNASKED,           /* it had written more than its last answer */
    COMMAND_CHILD_STOPPED,           /* the user wants an end (base/stop.h) */
};
struct command_child_question {
    struct span line;                /* with its line feed */
    double seconds;
    size_t most;                     /* bytes of the answer */
};
/* On COMMAND_CHILD_ANSWERED, answer (cleared first) is the line without its line feed. On anything else the program
 * must be ended. */
enum command_child_how command_child_ask(struct command_child *c, const struct command_child_question *q,
                                         struct buf *answer);
/* Of a program that is asked nothing (its input is closed): the next bytes that it writes, before the time `until`
 * (bench_now()). COMMAND_CHILD_ANSWERED: there are some, valid until the next call; COMMAND_CHILD_ENDED: it has closed
 * its output. */
enum command_child_how command_child_read(struct command_child *c, double until, struct span *bytes);
/* Its last words, on one line, for messages: "" or what it said. Valid until the next call. */
const char *command_child_said(struct command_child *c);
/* Closes its input and waits a short while (patient) for it to end, then kills it and all of its group, and frees c.
 * Appends how it ended to how, which may be NULL: "exit code 3", "signal 9 (Killed)". True: it ended by itself, with 0. */
bool command_child_end(struct command_child *c, bool patient, struct buf *how);

#endif
