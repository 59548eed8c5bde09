/*
 * Arrays that may be larger than memory may be.
 *
 * Where memory suffices an array is a block of memory. Else it lies in a nameless temporary file
 * that is mapped, and the pages of all such arrays are taken out of this process's memory whenever
 * it comes near its limit: the kernel writes them out when it has to and brings them back when
 * they are touched. Whoever walks such an array says so with paged_touch().
 */
#ifndef TUNDISH_TOKENIZE_PAGED_H
#define TUNDISH_TOKENIZE_PAGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define PAGED_ARRAYS 8

struct paged_array {
    void *p;
    size_t cap;              /* elements there is room for; new ones are not cleared */
    size_t bytes;            /* mapped */
    int fd;
};
struct paged {
    bool on;                 /* arrays lie in files */
    const char *folder;      /* of the files */
    uint64_t limit;          /* bytes that may be in memory */
    int64_t room;            /* touches until the next look */
    struct paged_array *arrays[PAGED_ARRAYS];
    size_t count;
};
/* Room for so many elements of that size; grows by at least an eighth. The array may move. */
MUST_USE enum status paged_grow(struct paged *g, struct paged_array *a, size_t want, size_t size);
void paged_release(struct paged *g, struct paged_array *a);
void paged_look(struct paged *g);
/* n places of the arrays were touched, or will be, that lie anywhere. */
static inline void paged_touch(struct paged *g, int64_t n)
{
    if (g->on && (g->room -= n) < 0)
        paged_look(g);
}

#endif
