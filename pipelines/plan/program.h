/*
 * A foreign program as a stage: `run: [argv...]` with `in: {name: path or "@stage"}`.
 *
 * The one idea: to all that looks at stages (checks, keys, graph, explain) it is a command like any
 * other, with an option table of its own: argv, in, out. So the key of such a stage takes in the
 * words as the file has them, with placeholders in place of paths, and the content of what it
 * reads.
 *
 * Placeholders in words: {name} is the path of that input, {out} the folder that the program fills,
 * {threads} how many threads it may use; {{ and }} are braces. There is no shell.
 */
#ifndef TUNDISH_PIPELINES_PROGRAM_H
#define TUNDISH_PIPELINES_PROGRAM_H

#include "base/command.h"
#include "pipelines/plan/plan.h"

extern const struct command stage_program;

/* Checks the values of `run` and `in` (NULL: none), placeholders included. */
MUST_USE enum status program_check(struct arena *a, const struct yaml *run, const struct yaml *in);
/* The words of the command line, NULL-terminated, once the stage's inputs are bound to paths. */
const char **program_argv(struct arena *a, const struct plan_stage *s, const char *out,
                          long long threads);
/* `run:` of any kind is a list of words, the first of which is a program; `what` begins
 * messages. */
MUST_USE enum status program_check_words(struct arena *a, const struct yaml *run,
                                         const char *what);

#endif
