#include "tokenize/encode/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define SHORT_PIECE 64
#define NO_RANK UINT32_MAX

struct bpe {
    struct bpe_merge *slots;     /* open addressing; rank NO_RANK: free */
    size_t mask, count;
};

static uint64_t hash_pair(uint32_t left, uint32_t right)
{
    uint64_t h = ((uint64_t)left << 32 | right) * 0x9E3779B97F4A7C15u;

    return h ^ h >> 32;
}

static void take_slots(struct bpe *b, size_t size)
{
    b->slots = mem_array(size, sizeof *b->slots);
    b->mask = size - 1;
    for (size_t i = 0; i < size; i++)
        b->slots[i].rank = NO_RANK;
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
    free(b->slots);
    free(b);
}

/* The slot of the pair, or the free one where it belongs. */
static struct bpe_merge *slot_of(const struct bpe *b, uint32_t left, uint32_t right)
{
    size_t i = hash_pair(left, right) & b->mask;

    for (;; i = (i + 1) & b->mask) {
        struct bpe_merge *m = &b->slots[i];

        if ((m->left == left && m->right == right) || m->rank == NO_RANK)
            return m;
    }
}

static void grow(struct bpe *b)
{
    struct bpe_merge *old = b->slots;
    size_t size = b->mask + 1;

    take_slots(b, size * 2);
    for (size_t i = 0; i < size; i++)
        if (old[i].rank != NO_RANK)
            *slot_of(b, old[i].left, old[i].right) = old[i];
    free(old);
}

void bpe_add(struct bpe *b, const struct bpe_merge *m)
{
    struct bpe_merge *slot;

    if (b->count * 2 > b->mask)
        grow(b);
    slot = slot_of(b, m->left, m->right);
    b->count += slot->rank == NO_RANK;
    *slot = *m;
}

const struct bpe_merge *bpe_find(const struct bpe *b, uint32_t left, uint32_t right)
{
    const struct bpe_merge *m = slot_of(b, left, right);

    return m->rank == NO_RANK ? NULL : m;
}

/* ---- short pieces ---- */

struct pair_row {
    uint32_t rank[SHORT_PIECE], id[SHORT_PIECE];     /* of the pair (i, i + 1) */
};

static inline void look_up(const struct bpe *b, const uint32_t *ids, struct pair_row *row, size_t i)
{
    const struct bpe_merge *m = slot_of(b, ids[i], ids[i + 1]);

    row->rank[i] = m->rank;
    row->id[i] = m->id;
}

static size_t merge_short(const struct bpe *b, uint32_t *ids, size_t n)
{
    struct pair_row row;

    for (size_t i = 0; i + 1 < n; i++)
        look_up(b, ids, &row, i);
    while (n > 1) {
        size_t best = 0;

        for (size_t i = 1; i + 1 < n; i++)
            if (row.rank[i] < row.rank[best])
                best = i;
        if (row.rank[best] == NO_RANK)
            break;
        ids[best] = row.id[best];
        n--;
        for (size_t i = best + 1; i < n; i++) {
            ids[i] = ids[i + 1];
            row.rank[i] = row.rank[i + 1];
            row.id[i] = row.id[i + 1];
        }
        if (best > 0)
            look_up(b, ids, &row, best - 1);
        if (best + 1 < n)
            look_up(b, ids, &row, best);
    }
    return n;
}

/* ---- long pieces ---- */

struct heap {
    uint64_t *v;     /* rank << 32 | position */
    size_t n;
};

static void heap_push(struct heap *h, uint64_t x)
{
    size_t i = h->n++;

    for (; i > 0 && h->v[(i - 1) / 4] > x; i = (i - 1) / 4)
        h->v[i] = h->v[(i - 1) / 4];
    h->v[i] = x;
}

static uint64_t heap_pop(struct heap *h)
{
    uint64_t top = h->v[0], x = h->v[--h->n];
    size_t i = 0;

    for (;;) {
        size_t least = 4 * i + 1, end = least + 4 < h->n ? least + 4 : h->n;

        if (least >= h->n)
            break;
        for (size_t c = least + 1; c < end; c++)
            if (h->v[c] < h->v[least])
                least = c;
        if (h->v[least] >= x)
            break;
        h->v[i] = h->v[least];
        i = least;
    }
    h->v[i] = x;
    return top;
}

void bpe_scratch_release(struct bpe_scratch *s)
{
    free(s->prev);
    free(s->next);
    free(s->heap);
    *s = (struct bpe_scratch){ 0 };
}

/* The heap never holds more than the n-1 first pairs and two for each of n-1 merges. */
static void reserve(struct bpe_scratch *s, size_t n)
{
    if (n <= s->cap)
        return;
    s->cap = n;
    s->prev = mem_grow(s->prev, n, sizeof *s->prev);
    s->next = mem_grow(s->next, n, sizeof *s->next);
    s->heap = mem_grow(s->heap, 3 * n, sizeof *s->heap);
}

static void push_pair(const struct bpe *b, struct heap *h, const uint32_t *ids, size_t left,
                      size_t right)
{
    const struct bpe_merge *m = bpe_find(b, ids[left], ids[right]);

    if (m != NULL)
        heap_push(h, (uint64_t)m->rank << 32 | left);
}

/* Position n is the end; a symbol that was merged away has next == 0. */
static size_t merge_long(const struct bpe *b, struct bpe_scratch *s, uint32_t *ids, size_t n)
{
    struct heap h = { 0 };
    size_t left_over = 0;

    reserve(s, n);
    h.v = s->heap;
    for (size_t i = 0; i < n; i++) {
        s->prev[i] = (uint32_t)i - 1;
        s->next[i] = (uint32_t)i + 1;
    }
    for (size_t i = 0; i + 1 < n; i++)
        push_pair(b, &h, ids, i, i + 1);
    while (h.n > 0) {
        uint64_t top = heap_pop(&h);
        size_t at = (uint32_t)top, right = s->next[at];
        const struct bpe_merge *m =
            right > 0 && right < n ? bpe_find(b, ids[at], ids[right]) : NULL;

        if (m == NULL || m->rank != top >> 32)
            continue;
        ids[at] = m->id;
        s->next[at] = s->next[right];
        s->next[right] = 0;
        if (s->next[at] < n) {
            s->prev[s->next[at]] = (uint32_t)at;
            push_pair(b, &h, ids, at, s->next[at]);
        }
        if (at > 0)
            push_pair(b, &h, ids, s->prev[at], at);
    }
    for (size_t i = 0; i < n; i = s->next[i])
        ids[left_over++] = ids[i];
    return left_over;
}

size_t bpe_merge_piece(const struct bpe *b, struct bpe_scratch *s, uint32_t *ids, size_t n)
{
    return n <= SHORT_PIECE ? merge_short(b, ids, n) : merge_long(b, s, ids, n);
}
