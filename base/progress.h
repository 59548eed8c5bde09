/*
 * Progress of long work on stderr: a bar with rate and time left on a terminal, a plain line every
 * ten seconds elsewhere, nothing with --quiet; work that was shown ends in one line that stays. One
 * at a time: a start ends what was before. Without a start the others do nothing. progress_add()
 * may be called from any thread; one call costs about a clock reading.
 */
#ifndef TUNDISH_BASE_PROGRESS_H
#define TUNDISH_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* total 0: unknown. unit: "docs", "bytes" (shown as MB), "tokens". */
void progress_start(const char *what, const char *unit, uint64_t total);
void progress_add(uint64_t n);
/* Free words behind the bar ("loss 3.21"); replaces the last ones. */
void progress_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void progress_end(void);
/* Between a start and its end? For work that may be done inside other work. */
bool progress_running(void);

#endif
