/*
 * A shard anew, with other ids for some of its documents; all else stays as it is, byte for byte.
 */
#ifndef TUNDISH_CURATE_SHARD_REWRITE_H
#define TUNDISH_CURATE_SHARD_REWRITE_H

#include "curate/run/unique_ids.h"

struct shard_rewrite {
    const char *shard;               /* a file */
    uint64_t first_line;             /* of its list, from 0 */
    const struct renamed_id *renamed;    /* of its list */
    size_t count;
    const char *folder;              /* the new shard is the one file in it, SHARD_REWRITTEN; made if there is one */
};
#define SHARD_REWRITTEN "part-00000.jsonl.zst"
/* *lines: of the shard. Where none of them has to be renamed nothing is written. */
MUST_USE enum status shard_rewrite(const struct shard_rewrite *how, uint64_t *lines);

#endif
