/*
 * The program's face: finds the command in argv, prints help, reports the one failure.
 *
 *   tundish                      the list of commands (also: help, --help)
 *   tundish help COMMAND         what `tundish COMMAND --help` prints
 *   tundish tokenizer            the second words of `tokenizer`
 *   tundish COMMAND [options]    runs it
 *
 * stdout has data and the help that was asked for. A failure is one message on stderr, "tundish
 * COMMAND: error: message", and the exit code of its status (base/status.h).
 */
#ifndef TUNDISH_BASE_CLI_H
#define TUNDISH_BASE_CLI_H

#include "base/command.h"

struct cli_group {
    const char *title;           /* in the list of commands */
    command_list commands;       /* NULL-terminated */
};

/* All of main(). groups ends with a NULL title. Returns the exit code. */
int cli_main(const struct cli_group *groups, int argc, char **argv);

/* The list of commands, grouped. */
void cli_help_all(FILE *out, const struct cli_group *groups);
/* Summary, usage, details and options of one command. */
void cli_help_command(FILE *out, const struct command *c);
/* The commands that begin with this first word; false if there are none with a second word. */
bool cli_help_family(FILE *out, command_list all, const char *first);
/* The options of every command that this one has, too; ends with OPT_END. */
#define CLI_COMMON 5
void cli_common(const struct command *c, struct opt out[CLI_COMMON]);

#endif
