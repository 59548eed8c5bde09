/*
 * From a step of a training run to the documents that stood in its rows: what `store find
 * --checkpoint` prints. The checkpoint's manifest says how it read (read_plan.h), and which stores
 * by their digests; they are looked for at the paths of once, then beside the checkpoint, then in
 * the folders of `search` and in those directly below them.
 */
#ifndef TUNDISH_STORE_FIND_STEP_H
#define TUNDISH_STORE_FIND_STEP_H

#include "base/opt.h"

struct find_step {
    const char *checkpoint;
    struct opt_list search;
    int64_t step; /* counted as in metrics.jsonl: the first update is 1 */
    int64_t row;  /* of the step, from 0; -1: all of them */
    bool json;
};
/* Writes to stdout a line for each piece of a document: row, store, document, id, source, language,
 * offset and count in tokens, epoch; columns with tabs between them, or JSON objects. ST_LIMIT: a
 * step that the checkpoint has not made, or a row that the step does not have. */
MUST_USE enum status find_step(const struct find_step *what);

#endif
