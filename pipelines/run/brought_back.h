/*
 * A stage that makes its token store anew, of a corpus that still has them, brings documents back
 * that somebody removed from the store that it made before (`store remove` changes one store, no
 * corpus). That is told, with their number, by what the histories in the work folder remember.
 */
#ifndef TUNDISH_PIPELINES_BROUGHT_BACK_H
#define TUNDISH_PIPELINES_BROUGHT_BACK_H

#include "pipelines/run/workdir.h"

struct brought_back {
    const struct workdir *work;
    const char *stage;    /* its slug: the beginning of its artifacts' names */
    const char *artifact; /* what it made now, of any kind */
};
/* Warns of documents of the new store whose ids were removed from another store of the stage. What
 * cannot be read is passed over: it is not this stage's fault. */
void brought_back_warn(const struct brought_back *q);

#endif
