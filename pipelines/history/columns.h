/*
 * A table of text for people: cells are collected row by row, then printed in columns as wide as
 * their widest cell. Control characters in a cell are shown as '?', since cells come from files.
 */
#ifndef TUNDISH_PIPELINES_COLUMNS_H
#define TUNDISH_PIPELINES_COLUMNS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

#define COLUMNS_MOST 32

struct columns {
    struct arena *arena;
    size_t count;                  /* columns a row, at most COLUMNS_MOST */
    unsigned right;                /* 1u << i: column i stands to the right (numbers) */
    const char **cells;            /* row after row */
    size_t used, cap;
};
/* The next cell; its text must live as long as the table. NULL is "-". */
void columns_add(struct columns *t, const char *cell);
/* The rest of the row is empty. */
void columns_end_row(struct columns *t);
/* Appends all rows, without spaces at their ends. */
void columns_print(const struct columns *t, struct buf *out);

#endif
