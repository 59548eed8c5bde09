/*
 * `command`: any program as a step. It gets a line of JSON for each document on its standard input, and answers each
 * with a line on its standard output before it gets the next.
 *
 *     - command: {run: [python3, toxic.py], files: [toxic.py], timeout: 30s, memory: 4G}
 *
 * What it gets, with what is there of it:
 *     {"id": "...", "text": "...", "source": "...", "created": "...", "language": "en", "metadata": {...}}
 * What it answers, every member being optional; {} keeps the document as it is:
 *     keep      false drops it (command_dropped)
 *     reason    why, in words, for the report
 *     score     a number, for the report and the scores of documents
 *     text      takes the place of the text; "" drops the document (empty)
 *     metadata  an object, takes the place of the metadata
 *     id        must be the document's, if it is there: a check that question and answer belong together
 *     source, created, language: not looked at, so that a program may print what it got
 * Anything else is a failure: another member, a line that is no such object, two lines, no line within `timeout`, an
 * end. What then happens, `on-failure` says: `fail` ends the run with what the program said on its standard error,
 * `drop` (command_failed) and `keep` go on, with the program started anew for the next document, and a warning if the
 * first twenty of a worker all failed.
 *
 * Each worker has a process of its own, started at its first document and kept until the last; it ends when its input
 * does, within two seconds, and never outlives us. No shell reads the words of `run`. A corpus is the same in each
 * run only if the program's answer depends on the one line alone: not on lines before, on the clock, or on chance.
 * The program is not part of what a pipeline's cache looks at; `files` are, so name its script and its model there.
 * `memory` bounds the address space of the process (RLIMIT_AS), of which some runtimes take more than they use.
 * The program must answer before it reads the next line, and flush behind each: python3 -u, jq --unbuffered, awk with
 * fflush() (mawk also wants -W interactive, or it waits for more than one line).
 */
#ifndef TUNDISH_CURATE_COMMAND_STEP_H
#define TUNDISH_CURATE_COMMAND_STEP_H

#include "curate/chain/step.h"

enum command_failure { COMMAND_FAIL, COMMAND_DROP, COMMAND_KEEP };
struct command_cfg {
    struct opt_list run, files;
    const char *timeout;
    uint64_t memory;
    int on_failure;
};
extern const struct opt command_opts[];
extern const struct drop_reason *const command_reasons[];
extern const char *const command_counters[];
MUST_USE enum status command_check(const void *cfg, const struct yaml *at);
MUST_USE enum status command_open(const void *cfg, void **state);
void command_close(void *state);
MUST_USE enum status command_each(const void *cfg, struct doc *d, struct step_work *w);

#endif
