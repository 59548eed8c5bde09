/*
 * A file that is exported: written under a temporary name beside its place, a few bytes at a time,
 * and seen under its own name when it is whole and synced. Memory: a megabyte.
 */
#ifndef TUNDISH_STORE_EXPORT_FILE_H
#define TUNDISH_STORE_EXPORT_FILE_H

#include <stddef.h>

#include "base/status.h"

struct export_file;
/* Makes the folder that the path will lie in, and removes temporary files of processes that are
 * gone from it; before the first file is opened. */
MUST_USE enum status export_file_prepare(const char *path);
/* A path that ends in ".zst" is compressed (one zstd frame with a checksum, level 3). */
MUST_USE enum status export_file_open(const char *path, struct export_file **out);
MUST_USE enum status export_file_add(struct export_file *f, const void *p, size_t n);
/* Completes and syncs the file; it still has its temporary name. */
MUST_USE enum status export_file_finish(struct export_file *f);
/* Gives it its own name, in place of what has it. After finish; frees f in any case. */
MUST_USE enum status export_file_commit(struct export_file *f);
/* Removes what was written. Frees f; NULL is fine. */
void export_file_abort(struct export_file *f);

#endif
