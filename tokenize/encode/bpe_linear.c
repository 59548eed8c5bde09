#include "tokenize/encode/bpe_linear.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/status.h"
#include "tokenize/encode/bpe_part.h"
#include "tokenize/encode/huge.h"

#define NONE UINT32_MAX
#define MEMO_BITS 10
#define MEMO_FREE UINT64_MAX

/* ---- the trie ---- */

/* A slot: state:24 byte:8 | unused:9 kids:1 symbol+1:22. The state is the slot of the text without its last
 * byte; for texts of three bytes it is PAIR_STATE and the array's place below the slots' numbers. */
#define SYMBOL_BITS 22
#define SYMBOL_MASK ((1u << SYMBOL_BITS) - 1)
#define KIDS (1u << SYMBOL_BITS)
#define PAIRS ((uint32_t)1 << 16)

struct bpe_linear {
    const struct bpe_tree *tree;
    uint64_t *slots;                 /* ~0: free */
    size_t mask;
    uint32_t *pair;                  /* [first << 8 | second]: a slot's low half */
    uint32_t one[256];               /* symbol of a single byte, or NONE */
    uint32_t *shorter;               /* [symbols]: the longest that it begins with, or NONE */
    uint32_t *length;                /* [symbols] */
};

/* The trie while it is built: nodes in order of making, so that parents come first. */
struct node {
    uint32_t parent, symbol, best;   /* best: symbol of it or its nearest ancestor that has one */
    uint8_t byte, kids;
};
struct growing {
    struct node *nodes;
    size_t count, cap;
    uint64_t *slots;                 /* parent << 8 | byte, << 32 | node */
    size_t mask;
};

static inline size_t spread(uint64_t key)
{
    uint64_t h = key * 0x9E3779B97F4A7C15u;

    return (size_t)(h >> 32 ^ h >> 20);
}

static uint64_t *growing_slot(const struct growing *g, uint64_t key)
{
    size_t i = spread(key) & g->mask;

    while (g->slots[i] != UINT64_MAX && g->slots[i] >> 32 != key)
        i = (i + 1) & g->mask;
    return &g->slots[i];
}

static void growing_rehash(struct growing *g, size_t size)
{
    free(g->slots);
    g->slots = mem_grow(NULL, size, sizeof *g->slots);
    memset(g->slots, 0xFF, size * sizeof *g->slots);
    g->mask = size - 1;
    for (size_t i = 1; i < g->count; i++) {
        uint64_t key = (uint64_t)g->nodes[i].parent << 8 | g->nodes[i].byte;

        *growing_slot(g, key) = key << 32 | i;
    }
}

static uint32_t growing_step(struct growing *g, uint32_t parent, uint8_t byte)
{
    uint64_t key = (uint64_t)parent << 8 | byte, *slot = growing_slot(g, key);

    if (*slot != UINT64_MAX)
        return (uint32_t)*slot;
    if (g->count == g->cap) {
        g->cap = g->cap * 2;
        g->nodes = mem_grow(g->nodes, g->cap, sizeof *g->nodes);
    }
    *slot = key << 32 | g->count;
    g->nodes[parent].kids = 1;
    g->nodes[g->count] = (struct node){ .parent = parent, .symbol = NONE, .byte = byte };
    if (++g->count * 2 > g->mask)
        growing_rehash(g, (g->mask + 1) * 2);
    return (uint32_t)g->count - 1;
}

static void growing_add(struct growing *g, struct span bytes, uint32_t symbol)
{
    uint32_t at = 0;

    for (size_t i = 0; i < bytes.n; i++)
        at = growing_step(g, at, (uint8_t)bytes.p[i]);
    g->nodes[at].symbol = symbol;
}

static void growing_fill(struct growing *g, const struct bpe_tree *t, const struct bpe_symbols *s)
{
    *g = (struct growing){ .count = 1, .cap = 1024 };
    g->nodes = mem_grow(NULL, g->cap, sizeof *g->nodes);
    g->nodes[0] = (struct node){ .symbol = NONE };
    growing_rehash(g, 4096);
    for (uint32_t i = 0; i < s->count; i++)
        if (bpe_tree_stands(t, i))
            growing_add(g, s->bytes[i], i);
    for (size_t i = 0; i < g->count; i++) {
        struct node *n = &g->nodes[i];

        n->best = n->symbol != NONE || i == 0 ? n->symbol : g->nodes[n->parent].best;
    }
}

static size_t free_slot(const struct bpe_linear *l, uint64_t key)
{
    size_t i = spread(key) & l->mask;

    while (l->slots[i] != UINT64_MAX)
        i = (i + 1) & l->mask;
    return i;
}

static uint32_t low_half(const struct node *n, bool best)
{
    uint32_t symbol = best ? n->best : n->symbol;

    return (symbol == NONE ? 0 : symbol + 1) | (n->kids ? KIDS : 0);
}

/* From nodes to slots. state[i]: of node i, where it has two bytes or more. */
static void settle(struct bpe_linear *l, const struct growing *g)
{
    uint32_t *state = mem_array(g->count, sizeof *state);
    uint8_t *depth = mem_array(g->count, sizeof *depth);
    size_t size = 1024;

    while (size < g->count * 2)
        size *= 2;
    BUG_IF(size + PAIRS > (size_t)1 << 24);
    l->mask = size - 1;
    l->slots = huge_array(size, sizeof *l->slots);
    memset(l->slots, 0xFF, size * sizeof *l->slots);
    l->pair = mem_array(PAIRS, sizeof *l->pair);
    for (int b = 0; b < 256; b++)
        l->one[b] = NONE;
    for (size_t i = 1; i < g->count; i++) {
        const struct node *n = &g->nodes[i];

        depth[i] = depth[n->parent] < 3 ? depth[n->parent] + 1 : 3;
        if (depth[i] == 1) {
            l->one[n->byte] = n->symbol;
            for (uint32_t b = 0; b < 256 && n->symbol != NONE; b++)
                l->pair[(uint32_t)n->byte << 8 | b] = n->symbol + 1;
        } else if (depth[i] == 2) {
            state[i] = (uint32_t)g->nodes[n->parent].byte << 8 | n->byte;
        } else {
            uint64_t key = (uint64_t)state[n->parent] << 8 | n->byte;
            size_t at = free_slot(l, key);

            l->slots[at] = key << 32 | low_half(n, false);
            state[i] = (uint32_t)at + PAIRS;
        }
    }
    for (size_t i = 1; i < g->count; i++)
        if (depth[i] == 2)
            l->pair[state[i]] = low_half(&g->nodes[i], true);
    free(state);
    free(depth);
}

struct bpe_linear *bpe_linear_new(const struct bpe_tree *t, const struct bpe_symbols *s)
{
    struct bpe_linear *l = mem_alloc(sizeof *l);
    struct growing g;

    l->tree = t;
    l->shorter = mem_grow(NULL, s->count, sizeof *l->shorter);
    l->length = mem_array(s->count, sizeof *l->length);
    for (uint32_t i = 0; i < s->count; i++)
        l->length[i] = (uint32_t)s->bytes[i].n;
    growing_fill(&g, t, s);
    for (size_t i = 1; i < g.count; i++)
        if (g.nodes[i].symbol != NONE)
            l->shorter[g.nodes[i].symbol] = g.nodes[g.nodes[i].parent].best;
    settle(l, &g);
    free(g.nodes);
    free(g.slots);
    return l;
}

void bpe_linear_free(struct bpe_linear *l)
{
    if (l == NULL)
        return;
    huge_free(l->slots, l->mask + 1, sizeof *l->slots);
    free(l->pair);
    free(l->shorter);
    free(l->length);
    free(l);
}

struct match {
    uint32_t symbol, n;              /* symbol NONE: none */
};

static inline uint64_t step_key(uint32_t state, unsigned char byte)
{
    return (uint64_t)state << 8 | byte;
}

/* The longest symbol that text begins with. n > 0. */
static inline struct match longest(const struct bpe_linear *l, const unsigned char *p, size_t n)
{
    uint32_t state, low;
    struct match m;

    if (n == 1)
        return (struct match){ l->one[p[0]], 1 };
    state = (uint32_t)p[0] << 8 | p[1];
    low = l->pair[state];
    m.symbol = low & SYMBOL_MASK;
    m.n = m.symbol == l->one[p[0]] + 1 ? 1 : 2;
    for (size_t k = 2; low & KIDS && k < n; k++) {
        uint64_t key = step_key(state, p[k]);
        size_t i = spread(key) & l->mask;

        while (l->slots[i] >> 32 != key) {
            if (l->slots[i] == UINT64_MAX)
                return (struct match){ m.symbol - 1, m.n };
            i = (i + 1) & l->mask;
        }
        low = (uint32_t)l->slots[i];
        if (low & SYMBOL_MASK)
            m = (struct match){ low & SYMBOL_MASK, (uint32_t)k + 1 };
        state = (uint32_t)i + PAIRS;
    }
    return (struct match){ m.symbol - 1, m.n };
}

/* What the search for the longest at p will read first. */
static inline void longest_soon(const struct bpe_linear *l, const unsigned char *p, size_t n)
{
    uint32_t state;

    if (n < 3)
        return;
    state = (uint32_t)p[0] << 8 | p[1];
    __builtin_prefetch(&l->pair[state]);
    __builtin_prefetch(&l->slots[spread(step_key(state, p[2])) & l->mask]);
}

/* ---- the search ---- */

void bpe_linear_scratch_release(struct bpe_linear_scratch *s)
{
    free(s->memo);
    free(s->dead);
    *s = (struct bpe_linear_scratch){ 0 };
}

static void scratch_for(struct bpe_linear_scratch *s, size_t n)
{
    size_t words = n / 64 + 1;

    if (s->memo == NULL) {
        s->memo = mem_grow(NULL, (size_t)1 << MEMO_BITS, sizeof *s->memo);
        memset(s->memo, 0xFF, sizeof *s->memo << MEMO_BITS);
    }
    if (words > s->cap) {
        s->cap = words * 2;
        s->dead = mem_grow(s->dead, s->cap, sizeof *s->dead);
    }
    memset(s->dead, 0, words * sizeof *s->dead);
}

static inline bool neighbours(const struct bpe_linear *l, uint64_t *memo, uint32_t left,
                              uint32_t right)
{
    uint64_t key = bpe_key(left, right);
    uint64_t *slot = &memo[(key * 0x9E3779B97F4A7C15u) >> (64 - MEMO_BITS)];

    if (*slot >> 1 != key)
        *slot = key << 1 | bpe_tree_neighbours(l->tree, left, right);
    return *slot & 1;
}

size_t bpe_linear_merge(const struct bpe_linear *l, struct bpe_linear_scratch *s, struct span piece,
                        uint32_t *ids)
{
    const unsigned char *text = (const unsigned char *)piece.p;
    size_t count = 0, at = 0;
    struct match m;

    scratch_for(s, piece.n);
    m = longest(l, text, piece.n);
    for (;;) {
        size_t end = 0;

        while (m.symbol != NONE) {
            end = at + m.n;
            longest_soon(l, text + end, piece.n - end);
            if (!(s->dead[end / 64] >> end % 64 & 1) &&
                (count == 0 || neighbours(l, s->memo, ids[count - 1], m.symbol)))
                break;
            m.symbol = l->shorter[m.symbol];
            m.n = m.symbol != NONE ? l->length[m.symbol] : 0;
        }
        if (m.symbol != NONE) {
            ids[count++] = m.symbol;
            at = end;
            if (at == piece.n)
                return count;
            m = longest(l, text + at, piece.n - at);
        } else {
            if (count == 0)
                return 0;
            s->dead[at / 64] |= (uint64_t)1 << at % 64;
            at -= l->length[ids[--count]];
            m.symbol = l->shorter[ids[count]];
            m.n = m.symbol != NONE ? l->length[m.symbol] : 0;
        }
    }
}
