/*
 * The journal: journal.jsonl in the work folder, one JSON object a line, appended event by event,
 * so that whatever kills the runner, the next one knows what was going on.
 *
 *   {"t": 1712345678.123, "event": "start", "stage": "corpus", "run": "<id>", "key": "<64 hex>",
 *    "artifact": "corpus-0123456789ab", "attempt": 3, "log": "corpus-3.log", "boot": "<id>",
 *    "mark": "<process.h>"}
 *   {"t": ..., "event": "process", "stage": "corpus", "pid": 4711, "ticks": 123456}
 *                     (who it is; until then, and for what else belongs to it, the mark tells)
 *   {"t": ..., "event": "done", "stage": "corpus", "key", "artifact", "digest": "<content digest>",
 *    "log", "seconds": 1.25}
 *                     (without log and seconds: found finished, its runner was killed before it
 *                     could say so)
 *   {"t": ..., "event": "failed", "stage": "corpus", "key", "code": 2, "signal": 0, "seconds": 0.1,
 *    "log": "corpus-3.log", "cause": "exit", "again": false}      again: another attempt follows
 *   {"t": ..., "event": "interrupted", "stage": "corpus", "key", "seconds": 3.5, "log": ...}
 *   {"t": ..., "event": "gate", "stage": "score", "digest": "<of the artifact>", "gate": "<what it
 *    asks, as canonical JSON>", "against": "<version>", "outcome": "passed", "words": "1.61 <= 2.0", "value": 1.61,
 *    "other", "gain", "low", "high", "documents": of gate.h}
 *
 * Two invariants. A "start" is written before its process runs: it survives whatever ends the
 * runner, and what could take it (power) ends that process, too. A "done" is written when the
 * artifact is safe on the disk (runner.h), and no artifact is believed because of the journal
 * alone: its own manifest and key file decide (cache.h). An artifact without a "done" that is not
 * of this boot of the machine may have lost bytes with the power: it is hashed before it is
 * believed (survey.c).
 *
 * A torn last line (power loss while appending) is ignored, and cut off by the next writer. Any
 * other line that does not look like an event is an error that names it; values are parsed when
 * they are asked for. To add an event: write it with journal_append(), keep its newest in
 * journal_take().
 */
#ifndef TUNDISH_PIPELINES_JOURNAL_H
#define TUNDISH_PIPELINES_JOURNAL_H

#include <stdbool.h>

#include "base/json.h"
#include "base/status.h"
#include "pipelines/run/process.h"

/* What the journal says of one stage; borrowed from the journal, each may be NULL. */
struct journal_view {
    const json_t *start;       /* the newest start */
    const json_t *end;         /* what became of it (done, failed, interrupted); NULL: still
                                  running, or cut off */
    const json_t *done;        /* the newest done, of whatever start */
    long long attempts;        /* how many starts */
};

#define JOURNAL_COMPACT_BYTES (4u << 20)   /* a longer one is written anew when most of it is old */

struct journal;
/* Reads the file; an absent one is an empty journal. */
MUST_USE enum status journal_open(const char *path, struct journal **out);
void journal_close(struct journal *j);
struct journal_view journal_of(const struct journal *j, const char *stage);
/* Every stage that it knows, whatever the plan says now; NULL-terminated. */
const char *const *journal_stages(const struct journal *j);
/* The process of a start event (of journal_of()); all zero if it names none. */
struct process_id journal_process(const json_t *start);
/* Questions that cost no parsing: how many starts; the newest one has no end; the stage's last
 * event is a done of that key; there is a done of that key, however old. */
long long journal_attempts(const struct journal *j, const char *stage);
bool journal_is_open(const struct journal *j, const char *stage);
bool journal_ends_with(const struct journal *j, const char *stage, const char *key);
bool journal_has_done(const struct journal *j, const char *stage, const char *key);
/* The done event of the stage with that key, however old; NULL if there is none, or if the key was
 * begun again since. */
const json_t *journal_done(const struct journal *j, const char *stage, const char *key);
/* The gate's last verdict on the artifact with that digest, or NULL. */
const json_t *journal_verdict(const struct journal *j, const char *stage, const char *digest,
                              const char *gate);

/* ---- for the holder of the work folder's lock ---- */

/* Puts the time in front and appends; takes ownership of event. */
MUST_USE enum status journal_append(struct journal *j, json_t *event);
/* What was appended is on the disk when it returns. */
MUST_USE enum status journal_sync(struct journal *j);
/* Leaves out, in a new file, all that no question above asks for, if that is most of a long
 * journal. */
MUST_USE enum status journal_compact(struct journal *j);

#endif
