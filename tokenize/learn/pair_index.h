/*
 * The pairs of neighbours that may be merged next, the first of them at the top of a heap; and
 * where each stands.
 *
 * The order of merging: most frequent first, of equals the smallest (left id, right id).
 *
 * The one idea: a pair's count only falls once all its places are known, since it comes to be in
 * the round of its newer token and never again. So what stands behind some bound in that order can
 * be left out for as long as the first is not behind the bound: it will not be wanted before. The
 * index holds the pairs up to a bound; when they are used up it is built anew with a lower one.
 * That is exact, and saves most of the work and memory, as most pairs are rare.
 */
#ifndef TUNDISH_TOKENIZE_PAIR_INDEX_H
#define TUNDISH_TOKENIZE_PAIR_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a pair stands in the order. */
struct pair_rank {
    int64_t count;
    uint64_t key;            /* left << 32 | right */
};
static inline bool pair_before(struct pair_rank a, struct pair_rank b)
{
    return a.count > b.count || (a.count == b.count && a.key < b.key);
}
static inline uint64_t pair_key(uint32_t left, uint32_t right)
{
    return (uint64_t)left << 32 | right;
}

struct pair {
    struct pair_rank rank;
    size_t first;            /* of its places, in the list of all */
    uint32_t n;              /* how many they are; some may not hold any longer */
};
struct pair_heap_item {
    struct pair_rank rank;   /* may be better than the pair's is now */
    uint32_t pair;
};
struct pair_index {
    struct pair *v;
    size_t count, cap, mask;
    uint32_t *slots;         /* index + 1; 0: free */
    struct pair_heap_item *heap;
    size_t heaped, heap_cap;
    struct pair_rank bound;  /* the last that is held */
};
void pair_index_release(struct pair_index *x);
/* Empties it. */
void pair_index_clear(struct pair_index *x, struct pair_rank bound);
/* A pair that is not there and not behind the bound. */
void pair_index_add(struct pair_index *x, const struct pair *p);
/* Takes the first pair out of the heap; false: none is left before the bound. */
bool pair_index_pop(struct pair_index *x, struct pair *out);

static inline uint64_t pair_hash(uint64_t key)
{
    uint64_t h = key * 0x9E3779B97F4A7C15u;

    return h ^ h >> 32;
}
/* Asks the memory for where a pair of that hash is. */
static inline void pair_index_fetch(const struct pair_index *x, uint64_t hash)
{
    __builtin_prefetch(&x->slots[hash & x->mask]);
}
/* The same for the pair itself, or another one whose place in the table is the same. */
static inline void pair_index_fetch_pair(const struct pair_index *x, uint64_t hash)
{
    uint32_t slot = x->slots[hash & x->mask];

    __builtin_prefetch(&x->v[slot ? slot - 1 : 0], 1);
}
/* The pair of a key, whose hash is given; NULL: it is not held. */
static inline struct pair *pair_index_at(const struct pair_index *x, uint64_t key, uint64_t hash)
{
    for (size_t i = hash & x->mask;; i = (i + 1) & x->mask) {
        if (x->slots[i] == 0)
            return NULL;
        if (x->v[x->slots[i] - 1].rank.key == key)
            return &x->v[x->slots[i] - 1];
    }
}
static inline struct pair *pair_index_find(const struct pair_index *x, uint64_t key)
{
    return pair_index_at(x, key, pair_hash(key));
}

#endif
