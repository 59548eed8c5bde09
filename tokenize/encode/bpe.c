#include "tokenize/encode/bpe.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/status.h"
#include "tokenize/encode/bpe_part.h"
#include "tokenize/encode/huge.h"

static void take_slots(struct bpe *b, size_t size)
{
    b->slots = huge_array(size, sizeof *b->slots);
    b->tags = huge_array(size, 1);
    b->homes = huge_array(size / 64, sizeof *b->homes);
    b->mask = size - 1;
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
    huge_free(b->tags, b->mask + 1, 1);
    huge_free(b->homes, (b->mask + 1) / 64, sizeof *b->homes);
    free(b->joined);
    free(b);
}

static void fill_slot(struct bpe *b, size_t at, uint64_t slot)
{
    uint64_t hash = bpe_hash(slot >> BPE_RANK_BITS), home = hash & b->mask;

    b->slots[at] = slot;
    b->tags[at] = bpe_tag(hash);
    b->homes[home / 64] |= (uint64_t)1 << home % 64;
}

static void grow(struct bpe *b)
{
    struct bpe old = *b;

    take_slots(b, (old.mask + 1) * 2);
    for (size_t i = 0; i <= old.mask; i++)
        if (old.tags[i] != 0)
            fill_slot(b, bpe_slot(b, old.slots[i] >> BPE_RANK_BITS), old.slots[i]);
    huge_free(old.slots, old.mask + 1, sizeof *old.slots);
    huge_free(old.tags, old.mask + 1, 1);
    huge_free(old.homes, (old.mask + 1) / 64, sizeof *old.homes);
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
    b->count += b->tags[at] == 0;
    fill_slot(b, at, key << BPE_RANK_BITS | (m->rank + 1));
    note_joined(b, m->rank, m->id);
}

void bpe_prefetch(const struct bpe *b, uint32_t left, uint32_t right)
{
    size_t at = bpe_hash(bpe_key(left, right)) & b->mask;

    __builtin_prefetch(&b->tags[at]);
    __builtin_prefetch(&b->slots[at]);
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
        if (b->tags[i] != 0)
            from[b->slots[i] & BPE_NO_RANK]++;
    for (size_t r = 1; r <= b->ranks; r++)
        from[r] += from[r - 1];
    for (size_t i = 0; i <= b->mask; i++) {
        uint64_t slot = b->slots[i];
        uint32_t rank = (slot & BPE_NO_RANK) - 1;

        if (b->tags[i] != 0)
            list[from[rank]++] = (struct bpe_merge){ (uint32_t)(slot >> 43),
                                                     (uint32_t)(slot >> 22) & ((1u << 21) - 1),
                                                     rank, b->joined[rank] };
    }
    free(from);
    *count = b->count;
    return list;
}

/* ---- ranks that are ids ---- */

/* Entries by their bytes' polynomial modulo 2^61 - 1, of which the hash of every part of an entry follows
 * in one step from those of the entry's prefixes. A slot is the hash's upper 43 bits and the id + 1. */
#define PRIME (((uint64_t)1 << 61) - 1)
#define BASE 0x123456789ABCDEFull
#define ID_BITS 21

struct parts {
    const struct span *bytes;
    uint64_t *slots;
    size_t mask;
    uint64_t *prefix, *suffix;       /* of the entry in hand: of k bytes, from byte k on */
    uint64_t *power;                 /* BASE^k: [longest + 1] */
};

static inline uint64_t times(uint64_t a, uint64_t b)
{
    unsigned __int128 x = (unsigned __int128)a * b;
    uint64_t y = (uint64_t)(x & PRIME) + (uint64_t)(x >> 61);

    return y >= PRIME ? y - PRIME : y;
}

static inline uint64_t add_byte(uint64_t hash, char c)
{
    uint64_t y = times(hash, BASE) + (unsigned char)c + 1;

    return y >= PRIME ? y - PRIME : y;
}

/* Of the entry's bytes from k on. */
static inline uint64_t suffix_hash(const struct parts *p, size_t k, size_t n)
{
    uint64_t y = p->prefix[n] + PRIME - times(p->prefix[k], p->power[n - k]);

    return y >= PRIME ? y - PRIME : y;
}

static size_t first_place(const struct parts *p, uint64_t hash)
{
    return (hash * 0x9E3779B97F4A7C15u >> 32) & p->mask;
}

static void add_part(struct parts *p, uint64_t hash, uint32_t id)
{
    size_t i = first_place(p, hash);

    while (p->slots[i] != 0)
        i = (i + 1) & p->mask;
    p->slots[i] = hash >> 18 << ID_BITS | (id + 1);
}

/* Whether an entry has the hash, as far as the slots tell: most parts of an entry end here. */
static bool may_find(const struct parts *p, uint64_t hash)
{
    for (size_t i = first_place(p, hash); p->slots[i] != 0; i = (i + 1) & p->mask)
        if (p->slots[i] >> ID_BITS == hash >> 18)
            return true;
    return false;
}

static bool find_part(const struct parts *p, uint64_t hash, struct span text, uint32_t *id)
{
    for (size_t i = first_place(p, hash); p->slots[i] != 0; i = (i + 1) & p->mask) {
        uint32_t found = (p->slots[i] & ((1u << ID_BITS) - 1)) - 1;

        if (p->slots[i] >> ID_BITS == hash >> 18 && p->bytes[found].n == text.n &&
            memcmp(p->bytes[found].p, text.p, text.n) == 0) {
            *id = found;
            return true;
        }
    }
    return false;
}

static void hash_prefixes(struct parts *p, struct span entry)
{
    p->prefix[0] = 0;
    for (size_t k = 0; k < entry.n; k++)
        p->prefix[k + 1] = add_byte(p->prefix[k], entry.p[k]);
}

static void add_splits(struct bpe *b, struct parts *p, uint32_t id)
{
    struct bpe_merge m = { .rank = id, .id = id };
    struct span entry = p->bytes[id];

    hash_prefixes(p, entry);
    for (size_t k = 1; k < entry.n; k++) {
        p->suffix[k] = suffix_hash(p, k, entry.n);
        __builtin_prefetch(&p->slots[first_place(p, p->prefix[k])]);
        __builtin_prefetch(&p->slots[first_place(p, p->suffix[k])]);
    }
    for (size_t k = 1; k < entry.n; k++)
        if (may_find(p, p->prefix[k]) && may_find(p, p->suffix[k]) &&
            find_part(p, p->prefix[k], (struct span){ entry.p, k }, &m.left) &&
            find_part(p, p->suffix[k], (struct span){ entry.p + k, entry.n - k }, &m.right))
            bpe_add(b, &m);
}

static void parts_of(struct parts *p, const struct span *bytes, size_t count)
{
    size_t longest = 0, size = 64;

    while (size < count * 2)
        size *= 2;
    for (size_t i = 0; i < count; i++)
        longest = bytes[i].p && bytes[i].n > longest ? bytes[i].n : longest;
    *p = (struct parts){ .bytes = bytes, .mask = size - 1 };
    p->slots = huge_array(size, sizeof *p->slots);
    p->prefix = mem_array(longest + 1, sizeof *p->prefix);
    p->suffix = mem_array(longest + 1, sizeof *p->suffix);
    p->power = mem_array(longest + 1, sizeof *p->power);
    p->power[0] = 1;
    for (size_t k = 1; k <= longest; k++)
        p->power[k] = times(p->power[k - 1], BASE);
    for (size_t i = 0; i < count; i++)
        if (bytes[i].p != NULL && bytes[i].n > 0) {
            hash_prefixes(p, bytes[i]);
            add_part(p, p->prefix[bytes[i].n], (uint32_t)i);
        }
}

struct bpe *bpe_from_ranks(const struct span *bytes, size_t count)
{
    struct bpe *b = bpe_new(count * 2);
    struct parts p;

    BUG_IF(count >= BPE_ID_LIMIT);
    parts_of(&p, bytes, count);
    for (size_t i = 0; i < count; i++)
        if (bytes[i].p != NULL && bytes[i].n > 1)
            add_splits(b, &p, (uint32_t)i);
    huge_free(p.slots, p.mask + 1, sizeof *p.slots);
    free(p.prefix);
    free(p.suffix);
    free(p.power);
    return b;
}
