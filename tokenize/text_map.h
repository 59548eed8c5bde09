/*
 * A map from byte strings to numbers: tokens to ids. Keys are borrowed and must outlive the map;
 * the first value of a key stays. Open addressing, at most half full.
 */
#ifndef TUNDISH_TOKENIZE_TEXT_MAP_H
#define TUNDISH_TOKENIZE_TEXT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct text_map_slot {
    const char *p;           /* NULL: free */
    uint32_t n, value;
    uint64_t hash;
};
struct text_map {
    struct text_map_slot *slots;
    size_t count, mask;      /* slots - 1 */
};
/* expected: how many keys it shall hold without growing. */
void text_map_init(struct text_map *m, size_t expected);
void text_map_release(struct text_map *m);
/* Returns the value that the key has from now on: `value`, or the older one
 * if the key was there. */
uint32_t text_map_add(struct text_map *m, struct span key, uint32_t value);
/* The same in steps, for many keys at once: what a key's lookup will touch is called up while others
 * are looked up. hash = text_map_hash(key). */
uint64_t text_map_hash(struct span key);
static inline void text_map_prefetch(const struct text_map *m, uint64_t hash)
{
    __builtin_prefetch(&m->slots[hash & m->mask]);
}
static inline void text_map_prefetch_key(const struct text_map *m, uint64_t hash)
{
    __builtin_prefetch(m->slots[hash & m->mask].p);
}
bool text_map_get_hashed(const struct text_map *m, struct span key, uint64_t hash,
                         uint32_t *value);
uint32_t text_map_add_hashed(struct text_map *m, struct span key, uint64_t hash, uint32_t value);
bool text_map_get(const struct text_map *m, struct span key, uint32_t *value);

#endif
