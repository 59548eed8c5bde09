/*
 * Names to numbers: each name that is added gets the next number, from 0, and is found again in
 * constant time (an open-addressed hash table). The names are borrowed.
 */
#ifndef TUNDISH_PIPELINES_NAME_INDEX_H
#define TUNDISH_PIPELINES_NAME_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

#define NAME_NONE ((size_t)-1)

struct name_index {
    struct arena *arena;
    const char **names;        /* by number, NULL behind the last: candidates for str_nearest() */
    size_t count, cap;
    size_t *slots;             /* number + 1; 0: free */
    size_t size;               /* of slots, a power of two */
};

/* {.arena = a} is an empty index. */
/* The name's number; NAME_NONE if it is not there. */
size_t name_index_find(const struct name_index *x, const char *name);
/* Adds a name that is not there; returns its number. */
size_t name_index_add(struct name_index *x, const char *name);

#endif
