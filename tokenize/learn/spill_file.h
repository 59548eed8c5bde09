/*
 * A file for what does not fit in memory. It has no name (O_TMPFILE, or it is unlinked as soon as it
 * is open), so nothing is left of it when the process ends, however it ends.
 */
#ifndef TUNDISH_TOKENIZE_SPILL_FILE_H
#define TUNDISH_TOKENIZE_SPILL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* folder: where it lies; it must exist. The descriptor is the caller's to close(). */
MUST_USE enum status spill_file_open(const char *folder, int *fd);
MUST_USE enum status spill_file_write(int fd, uint64_t at, const void *p, size_t n);
MUST_USE enum status spill_file_read(int fd, uint64_t at, void *p, size_t n);

/* Bytes of this process that are in memory now. */
uint64_t resident_bytes(void);

#endif
