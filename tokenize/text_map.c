#include "tokenize/text_map.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"

void text_map_init(struct text_map *m, size_t expected)
{
    size_t size = 16;

    while (size / 2 < expected)
        size *= 2;
    *m = (struct text_map){ .slots = mem_array(size, sizeof *m->slots), .mask = size - 1 };
}

void text_map_release(struct text_map *m)
{
    free(m->slots);
    *m = (struct text_map){ 0 };
}

/* The key's slot, or the free one where it belongs. */
static struct text_map_slot *find(const struct text_map *m, struct span key, uint64_t hash)
{
    size_t i = hash & m->mask;

    for (;; i = (i + 1) & m->mask) {
        struct text_map_slot *s = &m->slots[i];

        if (s->p == NULL || (s->hash == hash && s->n == key.n && memcmp(s->p, key.p, key.n) == 0))
            return s;
    }
}

static void grow(struct text_map *m)
{
    struct text_map wider;

    text_map_init(&wider, m->count * 2);
    for (size_t i = 0; i <= m->mask; i++) {
        struct text_map_slot *s = &m->slots[i];

        if (s->p != NULL)
            *find(&wider, (struct span){ s->p, s->n }, s->hash) = *s;
    }
    wider.count = m->count;
    free(m->slots);
    *m = wider;
}

uint64_t text_map_hash(struct span key)
{
    return xxh3(key.p, key.n);
}

uint32_t text_map_add_hashed(struct text_map *m, struct span key, uint64_t hash, uint32_t value)
{
    struct text_map_slot *s;

    if (m->count > m->mask / 2)
        grow(m);
    s = find(m, key, hash);
    if (s->p == NULL) {
        *s = (struct text_map_slot){ key.p, (uint32_t)key.n, value, hash };
        m->count++;
    }
    return s->value;
}

uint32_t text_map_add(struct text_map *m, struct span key, uint32_t value)
{
    return text_map_add_hashed(m, key, text_map_hash(key), value);
}

bool text_map_get_hashed(const struct text_map *m, struct span key, uint64_t hash, uint32_t *value)
{
    const struct text_map_slot *s = find(m, key, hash);

    if (s->p == NULL)
        return false;
    *value = s->value;
    return true;
}

bool text_map_get(const struct text_map *m, struct span key, uint32_t *value)
{
    return text_map_get_hashed(m, key, text_map_hash(key), value);
}
