/*
 * A rank's share of independent items (groups of files), several at a time: each lane is a thread that takes the next
 * item when it is done with one, and has a share of the threads for the work inside of it. One reader feeds only so many
 * workers, so many threads want several lanes.
 *
 * Items are those of this rank: rank, rank + ranks, rank + 2 ranks, ... A lane that fails ends the others at their next
 * look at `over`; the failure of the lowest item is the one that is told.
 */
#ifndef TUNDISH_BASE_LANES_H
#define TUNDISH_BASE_LANES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct lane;
struct lanes {
    size_t items;                 /* of all ranks */
    int rank, ranks;
    int threads;                  /* of all lanes together; 0: as many as this process may use */
    int lane_threads;             /* about as many as one item keeps busy */
    _Atomic bool *over;           /* the caller's, false: set by the first failure */
    /* A lane's whole work: takes items by lane_next() until there is none. */
    enum status (*run)(void *ctx, struct lane *l);
    void *ctx;
};
/* How many lanes so many threads make of so many items of one rank. */
int lanes_count(int threads, int lane_threads, size_t items);
/* Runs all lanes to their ends; the calling thread is one of them. */
MUST_USE enum status lanes_run(const struct lanes *l);

/* The lane's next item; false: there is none, or another lane has failed. */
bool lane_next(struct lane *l, size_t *item);
/* How many threads are the lane's. */
int lane_threads(const struct lane *l);

#endif
