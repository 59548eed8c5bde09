#include "pipelines/plan/name_index.h"

#include <string.h>

#include "base/hash.h"

/* The name's slot, or the free one where it would go. */
static size_t *slot_of(const struct name_index *x, const char *name)
{
    size_t i = (size_t)xxh3(name, strlen(name)) & (x->size - 1);

    while (x->slots[i] != 0 && strcmp(x->names[x->slots[i] - 1], name) != 0)
        i = (i + 1) & (x->size - 1);
    return &x->slots[i];
}

size_t name_index_find(const struct name_index *x, const char *name)
{
    size_t *slot = x->size == 0 ? NULL : slot_of(x, name);

    return slot == NULL || *slot == 0 ? NAME_NONE : *slot - 1;
}

/* At most half of the slots are taken. */
static void grow(struct name_index *x)
{
    const char **old = x->names;

    x->cap = x->cap ? 2 * x->cap : 16;
    x->size = 2 * x->cap;
    x->names = arena_array(x->arena, x->cap + 1, sizeof *x->names);
    x->slots = arena_array(x->arena, x->size, sizeof *x->slots);
    for (size_t i = 0; i < x->count; i++) {
        x->names[i] = old[i];
        *slot_of(x, old[i]) = i + 1;
    }
}

size_t name_index_add(struct name_index *x, const char *name)
{
    if (x->count == x->cap)
        grow(x);
    x->names[x->count] = name;
    *slot_of(x, name) = x->count + 1;
    return x->count++;
}
