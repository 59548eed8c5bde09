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

#include "base/str.h"

/* total 0: unknown. unit: "docs", "bytes" (shown as MB), "tokens". */
void progress_start(const char *what, const char *unit, uint64_t total);
void progress_add(uint64_t n);
/* Free words behind the bar ("loss 3.21"); replaces the last ones. */
void progress_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void progress_end(void);
/* Between a start and its end? For work that may be done inside other work. */
bool progress_running(void);

/* ---- from one process to another ---- */

/* A program that starts others names a file in this environment variable. They then tell there how
 * far they are, several times a second, in one record that is overwritten in place. */
#define PROGRESS_FILE "TUNDISH_PROGRESS"

struct progress_now {
    char what[64], unit[16], note[160];
    uint64_t done, total;         /* total 0: unknown */
    double rate;                  /* units a second */
};
/* False if the file holds no whole record. what is "" where nothing is going on. */
bool progress_read(const char *path, struct progress_now *out);
/* "tokenize: 45 %, 12,345 of 27,000 docs, 1,234 docs/s, 12s left, loss 3.21"; with a bar behind the
 * name, if wanted. */
void progress_text(struct buf *out, const struct progress_now *p, bool bar);
/* "[=====>    ] 45 %, 12s left, 1,234 docs/s, loss 3.21": what matters most in front, for a narrow
 * place. */
void progress_brief(struct buf *out, const struct progress_now *p);

#endif
