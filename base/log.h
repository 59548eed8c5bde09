/*
 * Words for people, on stderr. stdout is for data. One line a message; colours only on a terminal and without
 * NO_COLOR. --quiet silences info, never warnings.
 */
#ifndef TUNDISH_BASE_LOG_H
#define TUNDISH_BASE_LOG_H

#include <stdbool.h>

void log_set_quiet(bool quiet);
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
