/*
 * Arrays that may be larger than memory may be.
 *
 * Where memory suffices an array is a block of memory. Else it lies in a nameless temporary file
 * that is mapped, and the pages of all such arrays are taken out of this process's memory whenever
 * it comes near its limit: the kernel writes them out when it has to and brings them back when
 * they are touched. Whoever walks such an array says so with paged_touch().
 */
#ifndef TUNDISH_TOKENIZE_PAGED_ARRAY_H
#define TUNDISH_TOKENIZE_PAGED_ARRAY_H

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
    uint64_t reserved;       /* of them, kept free */
    int64_t room;            /* touches until the next look */
    struct paged_array *arrays[PAGED_ARRAYS];
    size_t count;
    int statm;               /* the kernel's word on memory, open; 0: not yet */
};
void paged_close(struct paged *g);
/* Room for so many elements of that size; grows by at least an eighth. The array may move. */
MUST_USE enum status paged_grow(struct paged *g, struct paged_array *a, size_t want, size_t size);
void paged_release(struct paged *g, struct paged_array *a);
void paged_look(struct paged *g);
/* So many bytes of other memory are taken next; until a call with another number (0: none) arrays
 * leave room for them. */
void paged_reserve(struct paged *g, uint64_t bytes);
/* n blocks of PAGED_BLOCK bytes are touched next, anywhere in the arrays. */
#define PAGED_BLOCK ((size_t)64 << 10)       /* what the kernel maps around a touched page, at most */
static inline void paged_touch(struct paged *g, int64_t n)
{
    if (g->on && (g->room -= n) < 0)
        paged_look(g);
}
/* Byte `at` of an array is touched next; block is that of the last one. For walks in rising order. */
static inline void paged_walk(struct paged *g, size_t at, size_t *block)
{
    if (g->on && at / PAGED_BLOCK != *block) {
        paged_touch(g, at / PAGED_BLOCK == *block + 1 ? 1 : 2);
        *block = at / PAGED_BLOCK;
    }
}

#endif
