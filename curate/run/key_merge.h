/*
 * One range of keys of all spools, in the order of keys: each spool's file is in that order itself, so this is a merge.
 * It holds a place in each file and no document.
 */
#ifndef TUNDISH_CURATE_KEY_MERGE_H
#define TUNDISH_CURATE_KEY_MERGE_H

#include "curate/run/spool.h"

struct key_merge;
/* Range `range` of `ranges` equal ones; all together give each document once. */
struct key_merge *key_merge_new(const struct spool *spool, size_t range, size_t ranges);
void key_merge_free(struct key_merge *m);
/* The next document's number; false at the end. Documents of one key: in the order of the files, then in a file's. */
bool key_merge_next(struct key_merge *m, size_t *document);

#endif
