/*
 * What the files behind base/file.h share: the words of the crash rule.
 */
#ifndef TUNDISH_BASE_FILE_PART_H
#define TUNDISH_BASE_FILE_PART_H

#include <stdbool.h>

#include "base/status.h"
#include "base/str.h"

/* ST_MISSING if errno says that the name does not exist, else ST_IO. */
enum status file_status_of_errno(void);
/* path less its final slashes, then ".tmp.<pid>"; text is cleared first. */
void file_temporary_name(struct buf *text, const char *path);
/* The folder that holds path ("." for a bare name); text is cleared first. */
void file_parent_name(struct buf *text, const char *path);
bool file_care_is_deferred(void);
/* fsync; true at once if that care is deferred. A folder on a file system that keeps folders in
 * order by itself is fine. Sets errno. */
bool file_fsync(int fd);
MUST_USE enum status file_sync_parent(const char *path);

#endif
