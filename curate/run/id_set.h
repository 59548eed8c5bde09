/*
 * Names that are taken: makes every document's id unique in its corpus.
 *
 * The first document with an id has it as it is; a later one gets "~2", "~3" ... behind it,
 * whichever is free. Names are known by their 64-bit hash: two that collide only cost the later one
 * a needless number.
 */
#ifndef TUNDISH_CURATE_ID_SET_H
#define TUNDISH_CURATE_ID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_set {
    uint64_t *hashes;      /* 0: free */
    uint32_t *next;        /* the number to try for the next document of that id */
    size_t slots, used;
};
#define ID_SET_SLOT_BYTES 12

/* Replaces *id (owned, made by mem_*) if it is taken; true if it was. */
bool id_set_claim(struct id_set *s, char **id);
/* Bytes that the set will need to take one more. */
uint64_t id_set_memory(const struct id_set *s);
void id_set_release(struct id_set *s);

#endif
