/*
 * What a checkpoint has read: the order of store/sampling/sampling.h, from the options and digests of its
 * manifest over the stores that the lineage found. Nothing is recorded while a run goes on; whoever
 * has the stores can tell.
 */
#ifndef TUNDISH_PIPELINES_LINEAGE_READING_H
#define TUNDISH_PIPELINES_LINEAGE_READING_H

#include "pipelines/lineage/lineage.h"
#include "store/sampling/blend.h"
#include "store/sampling/read_plan.h"

struct lineage_reading {
    struct arena arena;
    struct read_plan plan;
    struct blend *blends; /* [open] */
    size_t open;
    struct sampling *sampling;
    uint64_t steps; /* done */
};
/* The reason why it is not known is the message of the failure. Close it in any case. */
MUST_USE enum status lineage_reading_open(const struct lineage *l,
                                          const struct lineage_node *checkpoint,
                                          struct lineage_reading *r);
void lineage_reading_close(struct lineage_reading *r);
/* How many tokens of a document of the store with that digest, in its training part, were read. */
MUST_USE enum status lineage_reading_seen(struct lineage_reading *r, const char *digest,
                                          uint64_t document, uint64_t *tokens);

/* The token stores that a checkpoint's options name, be it through blends, each once, in that
 * order, found or not: indices of nodes. *count of them; the caller frees the list. */
size_t *lineage_stores_of(const struct lineage *l, const struct lineage_node *checkpoint,
                          size_t *count);

#endif
