#include "tokenize/encode/bpe.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/status.h"
#include "tokenize/encode/bpe_part.h"
#include "tokenize/encode/huge.h"
#include "tokenize/text_map.h"

static void take_slots(struct bpe *b, size_t size)
{
    b->slots = huge_array(size, sizeof *b->slots);
    b->mask = size - 1;
    memset(b->slots, 0xFF, size * sizeof *b->slots);
}

struct bpe *bpe_new(size_t merges)
{
    struct bpe *b = mem_alloc(sizeof *b);
    size_t size = 64;

    while (size < merges * 2)
        size *= 2;
    take_slots(b, size);
    return b;
}

void bpe_free(struct bpe *b)
{
    if (b == NULL)
        return;
    huge_free(b->slots, b->mask + 1, sizeof *b->slots);
    free(b->joined);
    free(b);
}

static void grow(struct bpe *b)
{
    uint64_t *old = b->slots;
    size_t size = b->mask + 1;

    take_slots(b, size * 2);
    for (size_t i = 0; i < size; i++)
        if (old[i] != BPE_FREE)
            b->slots[bpe_slot(b, old[i] >> BPE_RANK_BITS)] = old[i];
    huge_free(old, size, sizeof *old);
}

static void note_joined(struct bpe *b, uint32_t rank, uint32_t id)
{
    if (rank >= b->joined_cap) {
        size_t cap = b->joined_cap * 2 > rank ? b->joined_cap * 2 : (size_t)rank + 64;

        b->joined = mem_grow(b->joined, cap, sizeof *b->joined);
        memset(b->joined + b->joined_cap, 0xFF, (cap - b->joined_cap) * sizeof *b->joined);
        b->joined_cap = cap;
    }
    BUG_IF(b->joined[rank] != UINT32_MAX && b->joined[rank] != id);
    b->joined[rank] = id;
    b->ranks = b->ranks > rank ? b->ranks : (size_t)rank + 1;
}

void bpe_add(struct bpe *b, const struct bpe_merge *m)
{
    uint64_t key = bpe_key(m->left, m->right);
    size_t at;

    BUG_IF(m->left >= BPE_ID_LIMIT || m->right >= BPE_ID_LIMIT || m->id >= BPE_ID_LIMIT);
    BUG_IF(m->rank >= BPE_NO_RANK);
    if (b->count * 2 > b->mask)
        grow(b);
    at = bpe_slot(b, key);
    b->count += b->slots[at] == BPE_FREE;
    b->slots[at] = key << BPE_RANK_BITS | m->rank;
    note_joined(b, m->rank, m->id);
}

uint32_t bpe_rank(const struct bpe *b, uint32_t left, uint32_t right)
{
    return bpe_rank_of(b, left, right);
}

uint32_t bpe_joined(const struct bpe *b, uint32_t rank)
{
    return b->joined[rank];
}

/* Counting sort by rank. */
struct bpe_merge *bpe_list(const struct bpe *b, size_t *count)
{
    uint32_t *from = mem_array(b->ranks + 1, sizeof *from);
    struct bpe_merge *list = mem_grow(NULL, b->count + 1, sizeof *list);

    for (size_t i = 0; i <= b->mask; i++)
        if (b->slots[i] != BPE_FREE)
            from[(b->slots[i] & BPE_NO_RANK) + 1]++;
    for (size_t r = 1; r <= b->ranks; r++)
        from[r] += from[r - 1];
    for (size_t i = 0; i <= b->mask; i++) {
        uint64_t slot = b->slots[i];
        uint32_t rank = slot & BPE_NO_RANK;

        if (slot != BPE_FREE)
            list[from[rank]++] = (struct bpe_merge){ (uint32_t)(slot >> 43),
                                                     (uint32_t)(slot >> 22) & ((1u << 21) - 1),
                                                     rank, b->joined[rank] };
    }
    free(from);
    *count = b->count;
    return list;
}

static void add_splits(struct bpe *b, const struct text_map *ids, struct span entry, uint32_t id)
{
    struct bpe_merge m = { .rank = id, .id = id };

    for (size_t k = 1; k < entry.n; k++)
        if (text_map_get(ids, (struct span){ entry.p, k }, &m.left) &&
            text_map_get(ids, (struct span){ entry.p + k, entry.n - k }, &m.right))
            bpe_add(b, &m);
}

struct bpe *bpe_from_ranks(const struct span *bytes, size_t count)
{
    struct bpe *b = bpe_new(count * 2);
    struct text_map ids;

    text_map_init(&ids, count);
    for (size_t i = 0; i < count; i++)
        if (bytes[i].p != NULL)
            text_map_add(&ids, bytes[i], (uint32_t)i);
    for (size_t i = 0; i < count; i++)
        if (bytes[i].p != NULL)
            add_splits(b, &ids, bytes[i], (uint32_t)i);
    text_map_release(&ids);
    return b;
}
