#include "tokenize/encode/piece_cache.h"

#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/encode/huge.h"

#define FIRST_SETS ((size_t)1 << 11)     /* of 64 bytes; they grow fourfold up to 32 MiB */
#define MOST_SETS ((size_t)1 << 19)
#define FIRST_SLOTS ((size_t)1 << 10)    /* of 8 bytes; likewise up to 4 MiB */
#define MOST_SLOTS ((size_t)1 << 19)
#define FIRST_WORDS ((size_t)1 << 15)    /* of 4 bytes; likewise up to 32 MiB */
#define STORE_WORDS ((size_t)8 << 20)

#define ROW(n) { (n) >= 8 ? ~0ull : (1ull << ((n) & 7) * 8) - 1, \
                 (n) <= 8 ? 0 : (1ull << ((n) & 7) * 8) - 1, (uint64_t)(n) << 56 }

const struct piece_key_mask piece_key_masks[17] = {
    ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7), ROW(8), ROW(9), ROW(10), ROW(11),
    ROW(12), ROW(13), ROW(14), ROW(15), { 0, 0, ~0ull },
};

/* ---- short pieces ---- */

void piece_cache_init(struct piece_cache *c)
{
    *c = (struct piece_cache){ .mask = FIRST_SETS - 1 };
    c->sets = huge_array(FIRST_SETS, sizeof *c->sets);
}

static void add_entry(struct piece_cache *c, const struct piece_entry *e)
{
    struct piece_set *set = &c->sets[piece_key_hash(e->key) & c->mask];

    set->way[1] = set->way[0];
    set->way[0] = *e;
}

/* The older entry of a set goes first, so that it stays the older one. */
static void grow_sets(struct piece_cache *c)
{
    struct piece_set *old = c->sets;
    size_t count = c->mask + 1;

    c->mask = count * 4 - 1;
    c->sets = huge_array(count * 4, sizeof *c->sets);
    c->puts = 0;
    for (size_t i = 0; i < count; i++)
        for (int way = 1; way >= 0; way--)
            if (old[i].way[way].key.high != 0)
                add_entry(c, &old[i].way[way]);
    huge_free(old, count, sizeof *old);
}

bool piece_cache_put(struct piece_cache *c, struct piece_key key, const uint32_t *ids, size_t count)
{
    struct piece_entry e = { .key = key };

    if (count > PIECE_IDS || count == 0)
        return false;
    if (++c->puts > c->mask && c->mask + 1 < MOST_SETS)
        grow_sets(c);
    for (size_t i = 0; i < count; i++)
        e.ids[i] = ids[i];
    e.ids[0] |= (uint32_t)count << 24;
    add_entry(c, &e);
    return true;
}

/* ---- long pieces ---- */

struct long_slot {
    uint32_t hash, at;           /* at: word of the store, 0: free */
};
/* The store: bytes, count, ids, bytes padded to words. The first word is not used. */
struct long_pieces {
    struct long_slot *slots;     /* open addressing, at most half full */
    size_t mask, count;
    uint32_t *store;
    size_t used, words;
};

static struct long_pieces *long_new(void)
{
    struct long_pieces *l = mem_alloc(sizeof *l);

    l->mask = FIRST_SLOTS - 1;
    l->slots = huge_array(FIRST_SLOTS, sizeof *l->slots);
    l->words = FIRST_WORDS;
    l->store = huge_array(FIRST_WORDS, sizeof *l->store);
    l->used = 1;
    return l;
}

void piece_cache_release(struct piece_cache *c)
{
    struct long_pieces *l = c->more;

    huge_free(c->sets, c->mask + 1, sizeof *c->sets);
    if (l != NULL) {
        huge_free(l->slots, l->mask + 1, sizeof *l->slots);
        huge_free(l->store, l->words, sizeof *l->store);
        free(l);
    }
    *c = (struct piece_cache){ 0 };
}

/* The slot of the piece, or the free one where it belongs. */
static struct long_slot *long_slot_of(const struct long_pieces *l, const struct long_piece *p)
{
    for (size_t i = p->hash & l->mask;; i = (i + 1) & l->mask) {
        struct long_slot *s = &l->slots[i];
        const uint32_t *at = l->store + s->at;

        if (s->at == 0 || (s->hash == p->hash && at[0] == p->bytes.n &&
                           memcmp(at + 2 + at[1], p->bytes.p, p->bytes.n) == 0))
            return s;
    }
}

static void grow_slots(struct long_pieces *l)
{
    struct long_slot *old = l->slots;
    size_t count = l->mask + 1;

    l->mask = count * 4 - 1;
    l->slots = huge_array(count * 4, sizeof *l->slots);
    for (size_t i = 0; i < count; i++) {
        size_t k = old[i].hash & l->mask;

        while (old[i].at != 0 && l->slots[k].at != 0)
            k = (k + 1) & l->mask;
        if (old[i].at != 0)
            l->slots[k] = old[i];
    }
    huge_free(old, count, sizeof *old);
}

void piece_cache_long_soon(const struct piece_cache *c, uint32_t hash)
{
    if (c->more != NULL)
        __builtin_prefetch(&c->more->slots[hash & c->more->mask]);
}

static void grow_store(struct long_pieces *l)
{
    uint32_t *old = l->store;
    size_t words = l->words;

    l->words = words * 4;
    l->store = huge_array(l->words, sizeof *l->store);
    memcpy(l->store, old, l->used * sizeof *l->store);
    huge_free(old, words, sizeof *old);
}

const uint32_t *piece_cache_get_long(const struct piece_cache *c, const struct long_piece *p, size_t *count)
{
    const struct long_slot *s;

    if (c->more == NULL)
        return NULL;
    s = long_slot_of(c->more, p);
    if (s->at == 0)
        return NULL;
    *count = c->more->store[s->at + 1];
    return c->more->store + s->at + 2;
}

void piece_cache_put_long(struct piece_cache *c, const struct long_piece *p, const uint32_t *ids,
                          size_t count)
{
    struct span piece = p->bytes;
    size_t words = 2 + count + (piece.n + 3) / 4;
    struct long_pieces *l;
    uint32_t *at;

    if (piece.n > PIECE_LONG)
        return;
    if (c->more == NULL)
        c->more = long_new();
    l = c->more;
    if (l->used + words > STORE_WORDS || (l->count * 2 > l->mask && l->mask + 1 == MOST_SLOTS)) {
        memset(l->slots, 0, (l->mask + 1) * sizeof *l->slots);
        l->used = 1;
        l->count = 0;
    }
    if (l->count * 2 > l->mask)
        grow_slots(l);
    if (l->used + words > l->words)
        grow_store(l);
    *long_slot_of(l, p) = (struct long_slot){ p->hash, (uint32_t)l->used };
    at = l->store + l->used;
    at[0] = (uint32_t)piece.n;
    at[1] = (uint32_t)count;
    memcpy(at + 2, ids, count * sizeof *ids);
    memcpy(at + 2 + count, piece.p, piece.n);
    l->used += words;
    l->count++;
}
