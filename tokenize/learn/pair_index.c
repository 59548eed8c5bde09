#include "tokenize/learn/pair_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define FIRST_SLOTS ((size_t)1 << 12)

void pair_index_release(struct pair_index *x)
{
    free(x->v);
    free(x->slots);
    free(x->heap);
    *x = (struct pair_index){ 0 };
}

void pair_index_clear(struct pair_index *x, struct pair_rank bound)
{
    if (x->slots == NULL) {
        x->mask = FIRST_SLOTS - 1;
        x->slots = mem_array(FIRST_SLOTS, sizeof *x->slots);
    } else {
        memset(x->slots, 0, (x->mask + 1) * sizeof *x->slots);
    }
    x->count = x->heaped = 0;
    x->bound = bound;
}

/* ---- pairs ---- */

static void set_slot(struct pair_index *x, size_t pair)
{
    size_t i = pair_hash(x->v[pair].rank.key) & x->mask;

    while (x->slots[i] != 0)
        i = (i + 1) & x->mask;
    x->slots[i] = (uint32_t)pair + 1;
}

static void grow_slots(struct pair_index *x)
{
    free(x->slots);
    x->mask = x->mask * 2 + 1;
    x->slots = mem_array(x->mask + 1, sizeof *x->slots);
    for (size_t i = 0; i < x->count; i++)
        set_slot(x, i);
}

/* ---- the heap, of which each item has four below it ---- */

static void sift_down(struct pair_index *x, struct pair_heap_item item)
{
    struct pair_heap_item *h = x->heap;
    size_t i = 0;

    for (;;) {
        size_t best = 4 * i + 1, end = best + 4 < x->heaped ? best + 4 : x->heaped;

        if (best >= x->heaped)
            break;
        for (size_t c = best + 1; c < end; c++)
            if (pair_before(h[c].rank, h[best].rank))
                best = c;
        if (!pair_before(h[best].rank, item.rank))
            break;
        h[i] = h[best];
        i = best;
    }
    h[i] = item;
}

static void push(struct pair_index *x, struct pair_heap_item item)
{
    size_t i = x->heaped;

    if (x->heaped == x->heap_cap) {
        x->heap_cap = x->heap_cap ? x->heap_cap + x->heap_cap / 2 : 1024;
        x->heap = mem_grow(x->heap, x->heap_cap, sizeof *x->heap);
    }
    x->heaped++;
    for (; i > 0 && pair_before(item.rank, x->heap[(i - 1) / 4].rank); i = (i - 1) / 4)
        x->heap[i] = x->heap[(i - 1) / 4];
    x->heap[i] = item;
}

static void drop_top(struct pair_index *x)
{
    x->heaped--;
    if (x->heaped > 0)
        sift_down(x, x->heap[x->heaped]);
}

void pair_index_add(struct pair_index *x, const struct pair *p)
{
    if (x->count == x->cap) {
        x->cap = x->cap ? x->cap + x->cap / 2 : 1024;
        x->v = mem_grow(x->v, x->cap, sizeof *x->v);
    }
    if (x->count * 2 > x->mask)
        grow_slots(x);
    x->v[x->count] = *p;
    set_slot(x, x->count);
    push(x, (struct pair_heap_item){ p->rank, (uint32_t)x->count });
    x->count++;
}

bool pair_index_pop(struct pair_index *x, struct pair *out)
{
    while (x->heaped > 0) {
        struct pair_heap_item top = x->heap[0];
        const struct pair *now = &x->v[top.pair];

        if (now->rank.count == top.rank.count) {
            drop_top(x);
            *out = *now;
            return true;
        }
        top.rank = now->rank;
        if (pair_before(x->bound, top.rank))
            drop_top(x);
        else
            sift_down(x, top);
    }
    return false;
}
