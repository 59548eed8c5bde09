/*
 * Sets of code points as sorted tables of ranges, for classes that utf8proc's categories do not have.
 */
#ifndef TUNDISH_CURATE_CODE_RANGE_H
#define TUNDISH_CURATE_CODE_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code_range {
    uint32_t first, last;
};

/* Is cp in one of the n ranges? They ascend and do not touch each other. */
bool code_range_has(const struct code_range *ranges, size_t n, uint32_t cp);

/* The same for a table of the same file. */
#define CODE_RANGE_HAS(table, cp) code_range_has(table, sizeof(table) / sizeof(table)[0], cp)

#endif
