/*
 * Documents go through a search for copies in waves: of a fixed size, so that results do not depend on threads, and small
 * enough for their n-grams to lie in memory.
 */
#ifndef TUNDISH_CURATE_DEDUP_WAVES_H
#define TUNDISH_CURATE_DEDUP_WAVES_H

#include "curate/run/corpus.h"

/* Takes what the list of all documents and the n-grams of one wave need; given back with the rest of c->taken. */
MUST_USE enum status dedup_waves_memory(struct corpus *c);
/* Documents of the largest wave. */
size_t dedup_waves_most(const struct corpus *c);
/* How many of the n documents of the list, from the first on, are the next wave; 0 only if n is. */
size_t dedup_waves_next(const struct corpus *c, const uint32_t *list, size_t n);

#endif
