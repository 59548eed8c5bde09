#include "tokenize/learn/pair_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define FIRST_SLOTS ((size_t)1 << 14)
#define PARTS_MOST 65536u
/* Pairs that are kept occur at least this part as often as the first: fewer are listed in vain with
 * a small number, and the text is walked more rarely with a large one. */
#define REACH 256
#define PAGE_OF_LIST 1024        /* places whose pages are written by one touch */

struct tally {
    uint64_t key;
    int64_t count;
    uint32_t n;                  /* places; 0: free */
};
struct tallies {
    struct tally *slots;
    size_t count, mask, most;    /* most: slots */
    uint32_t part, parts;        /* which hashes are counted */
};
struct kept {
    struct pair *v;
    size_t count, cap;
    int64_t top;                 /* the highest count of all */
    bool cut;                    /* more than `most` were there */
};

/* ---- counting ---- */

static inline uint64_t hash_of(uint64_t key)
{
    uint64_t h = key * 0x9E3779B97F4A7C15u;

    return h ^ h >> 32;
}

static struct tally *slot_of(const struct tallies *t, uint64_t key, uint64_t hash)
{
    size_t i = hash & t->mask;

    while (t->slots[i].n != 0 && t->slots[i].key != key)
        i = (i + 1) & t->mask;
    return &t->slots[i];
}

/* False: memory does not allow it. */
static bool grow(struct tallies *t)
{
    struct tallies wider = *t;

    wider.mask = t->mask * 2 + 1;
    if (t->mask + wider.mask + 2 > t->most && t->mask + 1 > FIRST_SLOTS)
        return false;
    wider.slots = mem_array(wider.mask + 1, sizeof *wider.slots);
    for (size_t i = 0; i <= t->mask; i++)
        if (t->slots[i].n != 0)
            *slot_of(&wider, t->slots[i].key, hash_of(t->slots[i].key)) = t->slots[i];
    free(t->slots);
    *t = wider;
    return true;
}

static bool tally(struct tallies *t, uint64_t key, int64_t weight)
{
    uint64_t hash = hash_of(key);
    struct tally *s;

    if (t->parts > 1 && (hash >> 40 & (t->parts - 1)) != t->part)
        return true;
    s = slot_of(t, key, hash);
    if (s->n == 0) {
        if (t->count * 2 > t->mask) {
            if (!grow(t))
                return false;
            s = slot_of(t, key, hash);
        }
        s->key = key;
        t->count++;
    }
    s->count += weight;
    s->n++;
    return true;
}

/* The next place from at on where a pair may stand: the key, or 0 steps to the end of the text.
 * Moves at to the second token of the pair. */
static inline bool next_pair(const struct pair_scan *s, size_t *at, size_t *where, uint64_t *key)
{
    const struct bpe_place *p = s->text->at;

    while (*at < s->text->size) {
        uint32_t left = p[*at].symbol, right;

        *where = *at;
        *at += left == BPE_BORDER ? 1 : s->length[left];
        if (left == BPE_BORDER)
            continue;
        right = p[*at].symbol;
        if (right == BPE_BORDER)
            continue;
        *key = pair_key(left, right);
        return true;
    }
    return false;
}

static bool count_part(const struct pair_scan *s, struct tallies *t)
{
    size_t at = 0, where, block = 0;
    uint64_t key;

    memset(t->slots, 0, (t->mask + 1) * sizeof *t->slots);
    t->count = 0;
    while (next_pair(s, &at, &where, &key)) {
        paged_walk(s->text->paged, at * sizeof *s->text->at, &block);
        if (!tally(t, key, bpe_text_weight(s->text, where)))
            return false;
    }
    return true;
}

/* ---- choosing ---- */

static int by_rank(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;

    return pair_before(x->rank, y->rank) ? -1 : 1;
}

static void trim(struct kept *k, size_t most)
{
    if (k->count <= most)
        return;
    qsort(k->v, k->count, sizeof *k->v, by_rank);
    k->count = most;
    k->cut = true;
}

static bool wanted(const struct pair_scan *s, const struct tally *t)
{
    uint32_t left = (uint32_t)(t->key >> 32), right = (uint32_t)t->key;

    if (t->n == 0 || t->count < (int64_t)s->min_count)
        return false;
    if (s->max_length && (uint64_t)s->length[left] + s->length[right] > s->max_length)
        return false;
    for (size_t i = 0; i < s->refused_count; i++)
        if (s->refused[i] == t->key)
            return false;
    return true;
}

static void keep_best(const struct pair_scan *s, const struct tallies *t, struct kept *k)
{
    for (size_t i = 0; i <= t->mask; i++) {
        const struct tally *c = &t->slots[i];

        if (c->count < k->top / REACH || !wanted(s, c))
            continue;
        if (c->count > k->top)
            k->top = c->count;
        if (k->count == k->cap) {
            k->cap = k->cap ? k->cap + k->cap / 2 : 1024;
            k->v = mem_grow(k->v, k->cap, sizeof *k->v);
        }
        k->v[k->count++] = (struct pair){ .rank = { c->count, c->key }, .n = c->n };
        if (k->count / 2 >= s->most)
            trim(k, s->most);
    }
}

static enum status choose(const struct pair_scan *s, struct kept *k)
{
    struct tallies t = { .parts = 1 };
    enum status st = ST_OK;

    t.most = s->memory / 2 / sizeof *t.slots < SIZE_MAX / 64
                 ? (size_t)(s->memory / 2 / sizeof *t.slots)
                 : SIZE_MAX / 64;
    t.mask = FIRST_SLOTS - 1;
    t.slots = mem_array(FIRST_SLOTS, sizeof *t.slots);
    while (st == ST_OK && t.part < t.parts) {
        if (count_part(s, &t)) {
            keep_best(s, &t, k);
            t.part++;
        } else if (t.parts < PARTS_MOST) {
            t.parts *= 2;
            t.part = 0;
            k->count = 0;
            k->cut = false;
        } else {
            st = fail(ST_LIMIT, "the pairs of the text do not fit in memory, in %u parts; raise it",
                      t.parts);
        }
    }
    free(t.slots);
    return st;
}

/* ---- the index ---- */

static struct pair_rank bound_of(const struct pair_scan *s, struct kept *k)
{
    int64_t least = k->top / REACH > (int64_t)s->min_count ? k->top / REACH : (int64_t)s->min_count;
    size_t n = 0;

    trim(k, s->most);
    for (size_t i = 0; i < k->count; i++)
        if (k->v[i].rank.count >= least)
            k->v[n++] = k->v[i];
    if (n == k->count && k->cut)
        return k->v[n - 1].rank;
    k->count = n;
    return (struct pair_rank){ least, UINT64_MAX };
}

static enum status list_places(const struct pair_scan *s, struct pair_index *x,
                               struct paged_array *places, size_t *listed)
{
    size_t at = 0, where, block = 0;
    uint32_t *list;
    uint64_t key;

    *listed = 0;
    for (size_t i = 0; i < x->count; i++) {
        x->v[i].first = *listed;
        *listed += x->v[i].n;
        x->v[i].n = 0;
    }
    TRY(paged_grow(s->text->paged, places, *listed, sizeof *list));
    list = places->p;
    while (next_pair(s, &at, &where, &key)) {
        struct pair *p = pair_index_find(x, key);

        paged_walk(s->text->paged, at * sizeof *s->text->at, &block);
        if (p == NULL)
            continue;
        if (p->n % PAGE_OF_LIST == 0)
            paged_touch(s->text->paged, 1);
        list[p->first + p->n++] = (uint32_t)where;
    }
    return ST_OK;
}

enum status pair_scan(const struct pair_scan *s, struct pair_index *x, struct paged_array *places,
                      size_t *listed)
{
    struct kept k = { 0 };
    enum status st;

    paged_reserve(s->text->paged, s->memory);
    st = choose(s, &k);
    paged_reserve(s->text->paged, 0);
    if (st == ST_OK) {
        pair_index_clear(x, bound_of(s, &k));
        for (size_t i = 0; i < k.count; i++)
            pair_index_add(x, &k.v[i]);
        st = list_places(s, x, places, listed);
    }
    free(k.v);
    return st;
}
