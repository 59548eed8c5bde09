/*
 * Artifacts by content digest: the manifests below folders, each read once, in parallel. Links are
 * not followed, nothing inside an artifact is looked at, and unfinished folders (`.tmp.`) are
 * passed over; so is a manifest that cannot be read, with a warning.
 */
#ifndef TUNDISH_PIPELINES_LINEAGE_INDEX_H
#define TUNDISH_PIPELINES_LINEAGE_INDEX_H

#include "base/hash.h"
#include "base/pool.h"

#define LINEAGE_SEARCH_DEPTH 12
#define LINEAGE_ENTRIES_MOST 1000000u

struct lineage_index;
struct lineage_index *lineage_index_new(struct pool *pool);
void lineage_index_free(struct lineage_index *x);
/* Adds the artifacts that lie in a folder, so many levels down (1: right in it). A folder that was
 * added is not read again. */
MUST_USE enum status lineage_index_add(struct lineage_index *x, const char *folder, int levels);
/* The paths of the artifacts of this digest, in the order of their bytes: the number of them, and
 * the first one's place for lineage_index_path(). */
size_t lineage_index_find(struct lineage_index *x, const char *digest, size_t *first);
const char *lineage_index_path(const struct lineage_index *x, size_t place);
/* The same for the artifacts that have this digest among their inputs: lineage_index_user() gives
 * the place of the first + i. */
size_t lineage_index_users(struct lineage_index *x, const char *digest, size_t *first);
size_t lineage_index_user(const struct lineage_index *x, size_t i);
const char *lineage_index_digest(const struct lineage_index *x, size_t place);

#endif
