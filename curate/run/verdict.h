/*
 * What steps over all documents decided: which documents live and, where the user wants to see them, why the others do
 * not. A file in the run's work folder, written when the steps are done, so that they are done once.
 */
#ifndef TUNDISH_CURATE_VERDICT_H
#define TUNDISH_CURATE_VERDICT_H

#include "base/str.h"
#include "curate/run/spool.h"

struct verdict_drop {
    uint64_t document;               /* in all spools as one */
    uint32_t step, reason;           /* phases_reason() */
    double value, threshold;
};
struct verdict {
    struct verdict_drop *drops;      /* ascending; owned */
    size_t count, cap;
};
void verdict_add(struct verdict *v, const struct verdict_drop *d);
/* NULL: that document is not among them. They must be ascending (verdict_sort()). */
const struct verdict_drop *verdict_find(const struct verdict *v, size_t document);
void verdict_sort(struct verdict *v);
void verdict_release(struct verdict *v);

MUST_USE enum status verdict_write(const char *path, const struct spool *spool, const struct verdict *v);
/* Kills the same documents of an equal spool. ST_FORMAT: the file is another spool's. */
MUST_USE enum status verdict_read(const char *path, struct spool *spool, struct verdict *out);

#endif
