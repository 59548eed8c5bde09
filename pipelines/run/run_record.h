/*
 * The record of a run: runs/<id>.json in the work folder, whole or not at all. It is what `runs`,
 * `compare`, the report's history and the notified programs read, and it stays when artifacts are
 * removed. A run in which nothing had to be done leaves none.
 *
 *   {"tundish": 1, "run": "2026-01-31T08-00-00Z",     the id; "-2" behind it if that was taken
 *    "pipeline": "docs", "site": null, "program": "0.1.0",
 *    "begun": 1769846400.25, "seconds": 12.5,
 *    "outcome": "running" | "done" | "failed" | "gate" | "interrupted",
 *                      "running" of a run whose runner is gone: it was cut off
 *    "message": "",                                   of the failure
 *    "words": ["--set", "lr=3e-4"],                   behind the pipeline file
 *    "params": {"lr": 0.0003},
 *    "machine": {"host": "a", "jobs": 2, "threads": 2, "memory": 25000000000},
 *    "stages": [                                      in the order of the plan
 *      {"name": "train[lr=3e-4]", "uses": "train", "after": ["tokens"],
 *       "result": "ran" | "cached" | "kept" | "failed" | "stopped" | "gate" | "not run" | "left out",
 *       "why": ["option lr: 0.001 -> 0.0003"],
 *       "key": "<64 hex>" | null, "artifact": "train.lr=3e-4-0123456789ab" | null,
 *       "digest": "<64 hex>" | null,
 *       "options": {...} | null,                      of the key record (cache.h)
 *       "inputs": {...} | null,                       the same
 *       "asked": {"ranks": 1, "threads": 0, "memory": 0, "timeout": 0},
 *       "attempts": [{"begun": 0.5, "seconds": 4.1, "cpu_seconds": 7.9, "peak_memory": 123456,
 *                     "code": 0, "signal": 0, "cause": null | "timeout" ..., "log": "train-1.log"}],
 *                     begun: seconds after the run's begin; peak_memory: bytes, of its largest
 *                     process
 *       "saved_seconds": 3.9 | null,                  of a cached one: what it took when it ran
 *       "gates": [{"metric": "bits_per_byte", "outcome": "passed" | "failed" | "open",
 *                  "words": "1.61 <= 2.0", "value": 1.61}],
 *       "metrics": {...} | null}]}                    metrics.json of its artifact, numbers only
 */
#ifndef TUNDISH_PIPELINES_RUN_RECORD_H
#define TUNDISH_PIPELINES_RUN_RECORD_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "base/str.h"

/* ---- reading ---- */

/* The ids of all records of a work folder, oldest first: by the time in the id, then its number. */
struct run_list {
    const char **ids;            /* NULL-terminated */
    size_t count;
};
MUST_USE enum status run_record_list(struct arena *a, const char *work, struct run_list *out);
char *run_record_path(struct arena *a, const char *work, const char *id);

#define RUN_OUTSIDE ((size_t)-1)

/* Which run a word means: an id, the only one that begins so, `last`, `last~2` (two before it), or
 * the path of a record anywhere (it ends in ".json"). */
struct run_place {
    const char *path;
    size_t index;                /* in the list; RUN_OUTSIDE: a path of a record anywhere */
};
MUST_USE enum status run_record_find(struct arena *a, const char *work, const struct run_list *all,
                                     const char *word, struct run_place *out);
/* Reads one and checks its shape: every stage is an object with a name. Caller owns *out. Safe in
 * several threads at once. */
MUST_USE enum status run_record_load(const char *path, json_t **out);
/* The same without what is long and seldom wanted of a stage: options, inputs, why, asked, attempts
 * are null. Several times faster. */
MUST_USE enum status run_record_load_brief(const char *path, json_t **out);
/* The same with only the stages of those names (NULL-terminated), and by chance others. Faster
 * still. */
MUST_USE enum status run_record_load_few(const char *path, const char *const *names, json_t **out);
/* Checks text as run_record_load() does; what names it in messages. */
MUST_USE enum status run_record_parse(const char *text, size_t n, const char *what, json_t **out);
/* Appends the text with null for those members of its stages. Text that is no record comes through
 * in some form, for the parser to refuse. */
void run_record_brief(const char *text, size_t n, struct buf *out);
/* Appends the text without most of the stages that are not named; the same holds for other text. */
void run_record_few(const char *text, size_t n, const char *const *names, struct buf *out);
/* The stage of that name, or NULL. */
json_t *run_record_stage(const json_t *record, const char *name);

#endif
