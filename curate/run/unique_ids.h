/*
 * One id for one document over all groups. A group has made its own ids unique (id_set.h) and left a list of their
 * hashes; here those that several groups have are found, and all but the first get "~2", "~3" ... behind them, whichever
 * is free.
 *
 * The lists are read in as many turns as memory wants, each with the hashes of one range, so memory is bounded whatever
 * the number of documents; only what has to be renamed is held. Names are known by their hash: two that collide only
 * cost the later one a needless number.
 */
#ifndef TUNDISH_CURATE_UNIQUE_IDS_H
#define TUNDISH_CURATE_UNIQUE_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

/* One list of hashes, and the shards with the ids themselves, in the same order. */
struct id_list {
    const char *hashes;              /* the file (group_sink.h) */
    const char *const *shards;
    size_t shard_count;
};
struct renamed_id {
    uint32_t list;
    uint64_t line;                   /* of the list's documents, from 0 */
    uint32_t number;                 /* what goes behind its id: "~3" */
    bool again;                      /* it was renamed in its group already */
};
struct renamed_ids {
    struct renamed_id *v;            /* by list and line; owned */
    size_t count, cap;
};
struct unique_ids_args {
    const struct id_list *lists;
    size_t count;
    uint64_t memory;
};
MUST_USE enum status unique_ids_find(const struct unique_ids_args *args, struct renamed_ids *out);
void renamed_ids_release(struct renamed_ids *r);
/* Those of a list: [*first, *first + count). */
size_t renamed_ids_of(const struct renamed_ids *r, size_t list, size_t *first);

#endif
