#include "tokenize/encode/piece_cache.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"

#define FIRST_SETS ((size_t)1 << 9)      /* of 64 bytes; they grow fourfold up to 8 MiB */
#define MOST_SETS ((size_t)1 << 17)
#define LONG_SLOTS ((size_t)1 << 14)
#define STORE_BYTES ((size_t)4 << 20)

/* The key is the bytes, zero-filled, and their number in the last byte, so that all pieces have
 * different keys; no piece is empty, so a zero key is a free entry. */
struct entry {
    uint64_t key[2];
    uint32_t ids[PIECE_SHORT_IDS];       /* count in the top byte of the first */
};
struct set {
    struct entry way[2];
};
struct long_slot {
    uint64_t hash;
    uint32_t at, n, count;               /* offset in the store; bytes; ids. count 0: free */
};
struct piece_cache {
    struct set *sets;
    size_t set_count, puts;              /* puts: short ones since the sets grew */
    struct long_slot *slots;
    char *store;                         /* ids, then the bytes; both padded to 4 */
    size_t stored;
    uint32_t out[PIECE_SHORT_IDS];
};

struct piece_cache *piece_cache_new(void)
{
    struct piece_cache *c = mem_alloc(sizeof *c);

    c->set_count = FIRST_SETS;
    c->sets = mem_alloc_aligned(c->set_count * sizeof *c->sets);
    return c;
}

void piece_cache_free(struct piece_cache *c)
{
    if (c == NULL)
        return;
    mem_free_aligned(c->sets);
    free(c->slots);
    free(c->store);
    free(c);
}

/* ---- short pieces ---- */

static inline uint64_t load(const char *p, size_t n)
{
    uint64_t x = 0;

    memcpy(&x, p, n);
    return x;
}

/* Loads overlap where the length is not a power of two; the bits they share are equal. */
static inline void key_of(struct span piece, uint64_t key[2])
{
    const char *p = piece.p;
    size_t n = piece.n;

    key[1] = (uint64_t)n << 56;
    if (n > 8) {
        key[0] = load(p, 8);
        key[1] |= load(p + n - 8, 8) >> (128 - 8 * n);
    } else if (n == 8) {
        key[0] = load(p, 8);
    } else if (n >= 4) {
        key[0] = load(p, 4) | load(p + n - 4, 4) << (8 * n - 32);
    } else {
        key[0] = load(p, 1) | load(p + n / 2, 1) << (n / 2 * 8) | load(p + n - 1, 1) << (n - 1) * 8;
    }
}

static inline struct set *set_of(const struct piece_cache *c, const uint64_t key[2])
{
    uint64_t h = (key[0] ^ key[1] * 0x9E3779B97F4A7C15u) * 0xD6E8FEB86659FD93u;

    return &c->sets[(h ^ h >> 29) & (c->set_count - 1)];
}

static const uint32_t *get_short(struct piece_cache *c, struct span piece, size_t *count)
{
    uint64_t key[2];
    struct set *set;
    int way;

    key_of(piece, key);
    set = set_of(c, key);
    way = set->way[0].key[0] != key[0] || set->way[0].key[1] != key[1];
    if (way && (set->way[1].key[0] != key[0] || set->way[1].key[1] != key[1]))
        return NULL;
    memcpy(c->out, set->way[way].ids, sizeof c->out);
    *count = c->out[0] >> 24;
    c->out[0] &= 0xFFFFFF;
    return c->out;
}

static void add_entry(struct piece_cache *c, const struct entry *e)
{
    struct set *set = set_of(c, e->key);

    set->way[1] = set->way[0];
    set->way[0] = *e;
}

/* The older entry of a set goes first, so that it stays the older one. */
static void grow_sets(struct piece_cache *c)
{
    struct set *old = c->sets;
    size_t count = c->set_count;

    c->set_count = count * 4;
    c->sets = mem_alloc_aligned(c->set_count * sizeof *c->sets);
    c->puts = 0;
    for (size_t i = 0; i < count; i++)
        for (int way = 1; way >= 0; way--)
            if (old[i].way[way].key[1] != 0)
                add_entry(c, &old[i].way[way]);
    mem_free_aligned(old);
}

static void put_short(struct piece_cache *c, struct span piece, const uint32_t *ids, size_t count)
{
    struct entry e = { .ids = { 0 } };

    if (++c->puts > c->set_count && c->set_count < MOST_SETS)
        grow_sets(c);
    key_of(piece, e.key);
    memcpy(e.ids, ids, count * sizeof *ids);
    e.ids[0] |= (uint32_t)count << 24;
    add_entry(c, &e);
}

/* ---- long pieces ---- */

static size_t padded(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

static const uint32_t *get_long(struct piece_cache *c, struct span piece, size_t *count)
{
    uint64_t hash = xxh3(piece.p, piece.n);
    const struct long_slot *s;
    const char *at;

    if (c->slots == NULL)
        return NULL;
    s = &c->slots[hash % LONG_SLOTS];
    at = c->store + s->at;
    if (s->count == 0 || s->hash != hash || s->n != piece.n ||
        memcmp(at + s->count * sizeof(uint32_t), piece.p, piece.n) != 0)
        return NULL;
    *count = s->count;
    return (const uint32_t *)(const void *)at;
}

static void put_long(struct piece_cache *c, struct span piece, const uint32_t *ids, size_t count)
{
    size_t id_bytes = count * sizeof *ids, wanted = id_bytes + padded(piece.n);
    uint64_t hash = xxh3(piece.p, piece.n);

    if (c->slots == NULL) {
        c->slots = mem_array(LONG_SLOTS, sizeof *c->slots);
        c->store = mem_alloc(STORE_BYTES);
    }
    if (c->stored + wanted > STORE_BYTES) {
        memset(c->slots, 0, LONG_SLOTS * sizeof *c->slots);
        c->stored = 0;
    }
    memcpy(c->store + c->stored, ids, id_bytes);
    memcpy(c->store + c->stored + id_bytes, piece.p, piece.n);
    c->slots[hash % LONG_SLOTS] = (struct long_slot){ hash, (uint32_t)c->stored, (uint32_t)piece.n,
                                                      (uint32_t)count };
    c->stored += wanted;
}

const uint32_t *piece_cache_get(struct piece_cache *c, struct span piece, size_t *count)
{
    const uint32_t *ids = piece.n <= PIECE_SHORT ? get_short(c, piece, count) : NULL;

    return ids || piece.n > PIECE_LONG ? ids : get_long(c, piece, count);
}

void piece_cache_put(struct piece_cache *c, struct span piece, const uint32_t *ids, size_t count)
{
    if (piece.n <= PIECE_SHORT && count <= PIECE_SHORT_IDS)
        put_short(c, piece, ids, count);
    else if (piece.n <= PIECE_LONG)
        put_long(c, piece, ids, count);
}
