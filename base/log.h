/*
 * Words for people, on stderr. stdout is for data. One line a message; colours only on a terminal
 * and without NO_COLOR. --quiet silences info, never warnings. Control characters in a message are
 * shown escaped, so that a file name cannot steer the terminal. Any thread may speak.
 */
#ifndef TUNDISH_BASE_LOG_H
#define TUNDISH_BASE_LOG_H

#include <stdbool.h>

#include "base/str.h"

void log_set_quiet(bool quiet);
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Appends text as messages show it: controls as \n or \xNN, what is not UTF-8 as U+FFFD. For what
 * is written for people on stdout. */
void log_add_plain(struct buf *out, const char *text);

bool log_is_quiet(void);         /* safe in a signal handler */
bool log_is_terminal(void);      /* stderr is a terminal that can move its cursor */
bool log_has_colours(void);      /* and may be coloured */
/* Shows text (no newline) as the last line of the terminal, under the messages; "" takes it away,
 * as the end of the process does. Nothing happens elsewhere. For base/progress.c. */
void log_status_line(const char *text);
/* The same with several lines, which the caller has made to fit the terminal: fewer than its rows,
 * none wider than it; taken as they are, escape sequences too. No newline behind the last one. */
void log_status_block(const char *text);

#endif
