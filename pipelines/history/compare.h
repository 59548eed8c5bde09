/*
 * Run records side by side.
 *
 * Every record is taken apart into facts, each under (section, group, path): a section is the run
 * itself or a stage; groups are in FACT_GROUPS; the path is the option's dotted name, the metric's,
 * and so on. The same fact of all runs stands in one list, null where a run lacks it. What is equal
 * in all runs can be left out afterwards, whatever it is.
 *
 * To add a kind of fact: a row in FACT_GROUPS, and a function in compare.c that adds it.
 */
#ifndef TUNDISH_PIPELINES_COMPARE_H
#define TUNDISH_PIPELINES_COMPARE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"

#define COMPARE_MOST 16       /* runs */

/*    name     in JSON    in the table  what it holds */
#define FACT_GROUPS(X)                                                                             \
    X(RUN,     "run",     "",           "of the run as a whole: outcome, seconds, program ...")    \
    X(PARAM,   "params",  "param ",     "params of the pipeline file")                             \
    X(STAGE,   "stage",   "",           "of a stage: its result and kind")                         \
    X(OPTION,  "options", "option ",    "resolved options, defaults filled in")                    \
    X(INPUT,   "inputs",  "input ",     "content digests of what it read")                         \
    X(ASKED,   "asked",   "asked ",     "resources of the file")                                   \
    X(USED,    "used",    "used ",      "over all attempts: seconds, CPU seconds, largest memory") \
    X(GATE,    "gates",   "gate ",      "what the gates said")                                     \
    X(METRIC,  "metrics", "metric ",    "numbers of metrics.json")
enum fact_group {
#define X(name, json, table, text) FACT_##name,
    FACT_GROUPS(X)
#undef X
    FACT_GROUP_COUNT
};

/* {"runs": [ids], "run": {group: {path: [values]}},
 *  "stages": {name: {"in": [booleans], group: ...}}};
 * equal facts are left out unless `all`. Metrics of two runs are
 * {"values": [a, b], "difference", "percent"} (null where they make no sense). Caller owns it. */
json_t *compare_records(json_t *const *records, size_t count, bool all);
/* The same as a table, from what compare_records() made. */
void compare_show(struct arena *a, const json_t *comparison, struct buf *out);

#endif
