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

/* Pairs are seen in groups, so that memory is waited for once for all of a group's slots. */
#define SIGHTS 16
struct sight {
    uint64_t key, hash;
    size_t where;
    int64_t weight;
};
struct walk {
    size_t at, block;            /* in the text; of it that was touched last */
};

/* ---- counting ---- */

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
            *slot_of(&wider, t->slots[i].key, pair_hash(t->slots[i].key)) = t->slots[i];
    free(t->slots);
    *t = wider;
    return true;
}

static bool tally(struct tallies *t, const struct sight *seen)
{
    struct tally *s;

    if (t->parts > 1 && (seen->hash >> 40 & (t->parts - 1)) != t->part)
        return true;
    s = slot_of(t, seen->key, seen->hash);
    if (s->n == 0) {
        if (t->count * 2 > t->mask) {
            if (!grow(t))
                return false;
            s = slot_of(t, seen->key, seen->hash);
        }
        s->key = seen->key;
        t->count++;
    }
    s->count += seen->weight;
    s->n++;
    return true;
}

/* The pairs from walk->at on, at most SIGHTS of them; 0: the text is at its end. */
static size_t next_pairs(const struct pair_scan *s, struct walk *walk, struct sight *out)
{
    const struct bpe_place *p = s->text->at;
    size_t at = walk->at, n = 0;

    while (at < s->text->size && n < SIGHTS) {
        uint32_t left = p[at].symbol;
        size_t where = at;

        at += left == BPE_BORDER ? 1 : s->length[left];
        if (left == BPE_BORDER || p[at].symbol == BPE_BORDER)
            continue;
        out[n].key = pair_key(left, p[at].symbol);
        out[n].hash = pair_hash(out[n].key);
        out[n].where = where;
        out[n++].weight = bpe_text_weight(s->text, where);
        paged_walk(s->text->paged, at * sizeof *p, &walk->block);
    }
    walk->at = at;
    return n;
}

static bool count_part(const struct pair_scan *s, struct tallies *t)
{
    struct walk walk = { 0 };
    struct sight seen[SIGHTS];
    size_t n;

    memset(t->slots, 0, (t->mask + 1) * sizeof *t->slots);
    t->count = 0;
    while ((n = next_pairs(s, &walk, seen)) > 0) {
        for (size_t i = 0; i < n; i++)
            __builtin_prefetch(&t->slots[seen[i].hash & t->mask], 1);
        for (size_t i = 0; i < n; i++)
            if (!tally(t, &seen[i]))
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
    struct walk walk = { 0 };
    struct sight seen[SIGHTS];
    uint32_t *list;
    size_t n;

    *listed = 0;
    for (size_t i = 0; i < x->count; i++) {
        x->v[i].first = *listed;
        *listed += x->v[i].n;
        x->v[i].n = 0;
    }
    TRY(paged_grow(s->text->paged, places, *listed, sizeof *list));
    list = places->p;
    while ((n = next_pairs(s, &walk, seen)) > 0) {
        for (size_t i = 0; i < n; i++)
            pair_index_fetch(x, seen[i].hash);
        for (size_t i = 0; i < n; i++)
            pair_index_fetch_pair(x, seen[i].hash);
        for (size_t i = 0; i < n; i++) {
            struct pair *p = pair_index_at(x, seen[i].key, seen[i].hash);

            if (p == NULL)
                continue;
            if (p->n % PAGE_OF_LIST == 0)
                paged_touch(s->text->paged, 1);
            list[p->first + p->n++] = (uint32_t)seen[i].where;
        }
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
