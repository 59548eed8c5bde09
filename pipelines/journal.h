/*
 * The journal: journal.jsonl in the work folder, one JSON object a line, appended and fsynced event
 * by event, so that whatever kills the runner, the next one knows what was going on.
 *
 *   {"t": 1712345678.123, "event": "start", "stage": "corpus", "key": "<64 hex>",
 *    "artifact": "corpus-0123456789ab", "attempt": 3, "log": "corpus-3.log", "pid": 4711,
 *    "ticks": 123456, "boot": "<id>", "mark": "<process.h>"}
 *   {"t": ..., "event": "done", "stage": "corpus", "key", "artifact", "digest": "<content digest>",
 *    "log", "seconds": 1.25}
 *                     (without log and seconds: found finished, its runner was killed before it
 *                     could say so)
 *   {"t": ..., "event": "failed", "stage": "corpus", "key", "code": 2, "signal": 0, "seconds": 0.1,
 *    "log": "corpus-3.log"}
 *   {"t": ..., "event": "interrupted", "stage": "corpus", "key", "seconds": 3.5, "log": ...}
 *
 * The invariant: a "start" is on disk before its process runs, and no artifact is believed because
 * of the journal alone: the artifact's own manifest and key file decide (cache.h). The journal
 * tells history: what ran last, for how long, and which process may still be alive.
 *
 * A torn last line (power loss while appending) is ignored, and cut off by the next writer. Any
 * other line that is not an event is an error that names it. To add an event: write it with
 * journal_append(), keep its newest in journal_take().
 */
#ifndef TUNDISH_PIPELINES_JOURNAL_H
#define TUNDISH_PIPELINES_JOURNAL_H

#include <stdbool.h>

#include "base/json.h"
#include "base/status.h"
#include "pipelines/process.h"

/* What the journal says of one stage; borrowed from the journal, each may be NULL. */
struct journal_view {
    const json_t *start;       /* the newest start */
    const json_t *end;         /* what became of it (done, failed, interrupted); NULL: still
                                  running, or cut off */
    const json_t *done;        /* the newest done, of whatever start */
    long long attempts;        /* how many starts */
};

struct journal;
/* Reads the file; an absent one is an empty journal. */
MUST_USE enum status journal_open(const char *path, struct journal **out);
void journal_close(struct journal *j);
struct journal_view journal_of(const struct journal *j, const char *stage);
/* The process of a start event; all zero if it names none. */
struct process_id journal_process(const json_t *start);
/* Puts the time in front, appends, fsyncs; takes ownership of event. Only for the holder of the
 * work folder's lock. */
MUST_USE enum status journal_append(struct journal *j, json_t *event);

#endif
