/*
 * A log to stdout as it grows, in bounded memory. A carriage return (a progress bar that a program
 * drew over itself) becomes the end of a line, so that the text reads the same in a file, a pipe
 * and a terminal; one in front of a line feed goes.
 */
#ifndef TUNDISH_PIPELINES_LOG_COPY_H
#define TUNDISH_PIPELINES_LOG_COPY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/status.h"

struct log_copy {
    const char *path;
    off_t at;                    /* bytes that were copied */
    dev_t device;
    ino_t inode;
    bool returned;               /* the last byte was a carriage return */
    bool in_line;                /* the last byte that was written is not a line feed */
    bool reader_gone;            /* nobody reads stdout any more: the end */
};
/* Copies what is there behind `at`. A file that is missing copies nothing; one that became shorter,
 * or another file of that name, is copied from its begin, and that is said on stderr. */
MUST_USE enum status log_copy_more(struct log_copy *c);
/* Ends a last line that has no line feed. */
MUST_USE enum status log_copy_end(struct log_copy *c);

#endif
