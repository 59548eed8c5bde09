#include "tokenize/encode/bpe_trie.h"

#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/encode/huge.h"

#define FEW 4096                         /* symbols that are sorted without counting */
#define PAIRS ((size_t)1 << 16)
#define BLOCK 256                        /* slots that one base can reach */
#define MOST_SLOTS ((size_t)1 << 24)

/* ---- symbols in the order of their bytes ---- */

struct sorted {
    uint64_t head;                       /* the first 8 bytes, zero-filled, the first one highest */
    uint32_t symbol, n;
    const char *p;
};

static uint64_t head_of(struct span bytes)
{
    unsigned char head[8] = { 0 };
    uint64_t h = 0;

    memcpy(head, bytes.p, bytes.n < 8 ? bytes.n : 8);
    for (int i = 0; i < 8; i++)
        h = h << 8 | head[i];
    return h;
}

static int by_bytes(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

    return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

/* One pass of a radix sort by 16 bits of the heads. */
static void sort_pass(const struct sorted *from, struct sorted *to, size_t count, int shift)
{
    uint32_t *at = mem_array(PAIRS + 1, sizeof *at);

    for (size_t i = 0; i < count; i++)
        at[(from[i].head >> shift & 0xFFFF) + 1]++;
    for (size_t d = 1; d < PAIRS; d++)
        at[d] += at[d - 1];
    for (size_t i = 0; i < count; i++)
        to[at[from[i].head >> shift & 0xFFFF]++] = from[i];
    free(at);
}

static void sort(struct sorted *v, size_t count)
{
    struct sorted *other;

    if (count < FEW) {
        qsort(v, count, sizeof *v, by_bytes);
        return;
    }
    other = mem_grow(NULL, count + 1, sizeof *other);
    for (int shift = 0; shift < 64; shift += 32) {
        sort_pass(v, other, count, shift);
        sort_pass(other, v, count, shift + 16);
    }
    free(other);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && v[end].head == v[i].head; end++)
            ;
        if (end - i > 1)
            qsort(v + i, end - i, sizeof *v, by_bytes);
    }
}

static struct sorted *sorted_symbols(const struct bpe_tree *t, const struct bpe_symbols *s,
                                     size_t *count)
{
    struct sorted *v = mem_grow(NULL, (size_t)s->count + 1, sizeof *v);
    size_t n = 0;

    for (uint32_t i = 0; i < s->count; i++)
        if (bpe_tree_stands(t, i))
            v[n++] = (struct sorted){ head_of(s->bytes[i]), i, (uint32_t)s->bytes[i].n,
                                      s->bytes[i].p };
    sort(v, n);
    *count = n;
    return v;
}

/* ---- places for children ---- */

/* Blocks are filled in order. Children go to the first fitting place of the last few blocks, or to a new
 * block; what is still free in older ones stays free. */
#define OPEN_BLOCKS 8
#define MOST_TRIES 48

struct places {
    uint64_t *slots, *free, *bases;      /* bits: slots that are free, bases that are owned */
    size_t size, cap;                    /* slots */
};

static bool add_block(struct places *p)
{
    if (p->size == MOST_SLOTS)
        return false;
    if (p->size == p->cap) {
        p->cap = p->cap * 2 + 4 * BLOCK;
        p->slots = mem_grow(p->slots, p->cap, sizeof *p->slots);
        p->free = mem_grow(p->free, p->cap / 64, sizeof *p->free);
        p->bases = mem_grow(p->bases, p->cap / 64, sizeof *p->bases);
    }
    memset(p->slots + p->size, 0, BLOCK * sizeof *p->slots);
    memset(p->free + p->size / 64, 0xFF, BLOCK / 8);
    memset(p->bases + p->size / 64, 0, BLOCK / 8);
    p->size += BLOCK;
    return true;
}

static bool fits(const struct places *p, size_t base, const unsigned char *labels, size_t n)
{
    if (p->bases[base / 64] >> base % 64 & 1)
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t at = base ^ labels[i];

        if (!(p->free[at / 64] >> at % 64 & 1))
            return false;
    }
    return true;
}

/* A base for children of these labels, or SIZE_MAX: there is no more room. */
static size_t find_base(struct places *p, const unsigned char *labels, size_t n)
{
    size_t word = p->size > OPEN_BLOCKS * BLOCK ? p->size / 64 - OPEN_BLOCKS * BLOCK / 64 : 0;
    int tries = 0;

    for (; word < p->size / 64 && tries < MOST_TRIES; word++)
        for (uint64_t bits = p->free[word]; bits != 0 && tries < MOST_TRIES; bits &= bits - 1, tries++) {
            size_t base = (word * 64 + (size_t)__builtin_ctzll(bits)) ^ labels[0];

            if (fits(p, base, labels, n))
                return base;
        }
    return add_block(p) ? p->size - BLOCK : SIZE_MAX;
}

/* ---- nodes ---- */

/* The sorted symbols from..to, which share their first `depth` bytes. */
struct range {
    size_t slot;                         /* of the node; SIZE_MAX: its slot is not in the array */
    uint32_t from, to, depth, best;      /* best: the longest symbol on the way, or TRIE_NONE */
};
struct making {
    struct bpe_trie *trie;
    struct bpe_tree *tree;
    struct sorted *v;
    struct places places;
    struct range *stack;
    size_t count, cap;
};

static inline unsigned char byte_at(const struct sorted *s, uint32_t k)
{
    return (unsigned char)(k < 8 ? s->head >> (56 - 8 * k) : (uint64_t)(unsigned char)s->p[k]);
}

static void push(struct making *m, struct range r)
{
    if (m->count == m->cap) {
        m->cap = m->cap * 2 + 512;
        m->stack = mem_grow(m->stack, m->cap, sizeof *m->stack);
    }
    m->stack[m->count++] = r;
}

/* The children of a node: their ranges are pushed, their labels listed. The node's own symbol comes
 * first in its range and is left out. */
static size_t split(struct making *m, struct range r, unsigned char *labels)
{
    uint32_t i = r.from + (m->v[r.from].n == r.depth);
    size_t n = 0;

    while (i < r.to) {
        struct range kid = { SIZE_MAX, i, 0, r.depth + 1, r.best };

        labels[n] = byte_at(&m->v[i], r.depth);
        while (i < r.to && byte_at(&m->v[i], r.depth) == labels[n])
            i++;
        kid.to = i;
        push(m, kid);
        n++;
    }
    return n;
}

/* The slot of a node without its children. If it has a symbol, that becomes the best. */
static uint64_t node_slot(struct making *m, struct range *kid, unsigned char label)
{
    const struct sorted *first = &m->v[kid->from];
    uint64_t slot = (uint64_t)label << (TRIE_LABEL + 1) | (uint64_t)1 << TRIE_LABEL;

    if (first->n != kid->depth)
        return slot;
    m->tree->node[first->symbol].shorter = kid->best;
    kid->best = first->symbol;
    return slot | (first->symbol + 1);
}

/* Places the children of a node and notes in *slot where. Their ranges are the stack's last. */
static bool place_kids(struct making *m, uint64_t *slot, const unsigned char *labels, size_t n)
{
    struct places *p = &m->places;
    size_t base = find_base(p, labels, n);

    if (base == SIZE_MAX)
        return false;
    p->bases[base / 64] |= (uint64_t)1 << base % 64;
    *slot |= (uint64_t)base << TRIE_BASE;
    for (size_t i = 0; i < n; i++) {
        struct range *kid = &m->stack[m->count - n + i];

        kid->slot = base ^ labels[i];
        *slot |= (uint64_t)1 << (TRIE_KIDS + (labels[i] & 7));
        p->free[kid->slot / 64] &= ~((uint64_t)1 << kid->slot % 64);
        p->slots[kid->slot] = node_slot(m, kid, labels[i]);
    }
    return true;
}

/* All nodes below those on the stack. */
static bool grow(struct making *m)
{
    unsigned char labels[256];

    while (m->count > 0) {
        struct range r = m->stack[--m->count];
        size_t n = split(m, r, labels);
        uint64_t slot = m->places.slots[r.slot];

        if (n > 0 && !place_kids(m, &slot, labels, n))
            return false;
        m->places.slots[r.slot] = slot;
    }
    return true;
}

/* The nodes of two bytes whose first is that of `one`, and all below them. */
static bool grow_row(struct making *m, struct range one, unsigned char first)
{
    unsigned char seconds[256], labels[256];
    struct range two[256];
    size_t n = split(m, one, seconds);
    uint64_t *row = m->trie->pair + ((size_t)first << 8);
    uint64_t alone = one.best == TRIE_NONE ? 0 : (one.best + 1) | (uint64_t)1 << TRIE_ONE;

    for (size_t i = 0; i < 256 && alone != 0; i++)
        row[i] = alone;
    m->count -= n;
    memcpy(two, m->stack + m->count, n * sizeof *two);
    for (size_t i = 0; i < n; i++) {
        uint64_t slot = node_slot(m, &two[i], seconds[i]);
        size_t kids = split(m, two[i], labels);

        if (!(slot & TRIE_SYMBOL))
            slot |= alone;
        if (kids > 0 && !place_kids(m, &slot, labels, kids))
            return false;
        row[seconds[i]] = slot;
        if (!grow(m))
            return false;
    }
    return true;
}

static bool grow_rows(struct making *m, uint32_t count)
{
    unsigned char firsts[256];
    struct range one[256];
    size_t n = split(m, (struct range){ SIZE_MAX, 0, count, 0, TRIE_NONE }, firsts);

    m->count = 0;
    memcpy(one, m->stack, n * sizeof *one);
    for (size_t i = 0; i < n; i++) {
        uint64_t slot = node_slot(m, &one[i], firsts[i]);

        m->trie->one[firsts[i]] = (uint32_t)(slot & TRIE_SYMBOL) - 1;
        if (!grow_row(m, one[i], firsts[i]))
            return false;
    }
    return true;
}

bool bpe_trie_make(struct bpe_trie *trie, struct bpe_tree *t, const struct bpe_symbols *s)
{
    struct making m = { .trie = trie, .tree = t };
    size_t count;
    bool grown;

    *trie = (struct bpe_trie){ .pair = mem_array(PAIRS, sizeof *trie->pair) };
    memset(trie->one, 0xFF, sizeof trie->one);
    m.v = sorted_symbols(t, s, &count);
    /* base 0 means no children */
    grown = add_block(&m.places);
    m.places.bases[0] = 1;
    grown = grown && (count == 0 || grow_rows(&m, (uint32_t)count));
    trie->size = m.places.size;
    trie->slots = huge_array(trie->size, sizeof *trie->slots);
    memcpy(trie->slots, m.places.slots, trie->size * sizeof *trie->slots);
    free(m.places.slots);
    free(m.places.free);
    free(m.places.bases);
    free(m.stack);
    free(m.v);
    if (!grown)
        bpe_trie_release(trie);
    return grown;
}

void bpe_trie_release(struct bpe_trie *trie)
{
    huge_free(trie->slots, trie->size, sizeof *trie->slots);
    free(trie->pair);
    *trie = (struct bpe_trie){ 0 };
}
