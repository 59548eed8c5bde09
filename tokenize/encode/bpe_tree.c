#include "tokenize/encode/bpe_tree.h"

#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/encode/bpe_part.h"
#include "tokenize/encode/huge.h"

/* A state at a boundary, and the symbol whose making ended it. */
struct border {
    uint32_t x, y, made;
    enum { STILL, ON_LEFT, ON_RIGHT } end;
};

/* A merge of this rank, due as soon as the state begins, comes before the end. */
static bool is_crossed_at_once(const struct bpe_tree *t, const struct border *b, uint32_t rank)
{
    uint32_t tx = t->node[b->x].time, ty = t->node[b->y].time, begin = tx > ty ? tx : ty;
    const struct bpe_node *made = &t->node[b->made];

    if (made->time != begin)
        return true;
    if (b->end == ON_LEFT)
        return rank < made->rank;
    return t->node[made->right].time == begin || rank <= made->rank;
}

static bool is_crossed(const struct bpe_tree *t, const struct border *b)
{
    uint32_t rank = bpe_rank_likely(t->bpe, b->x, b->y), time = rank + 1;

    if (rank == BPE_NO_RANK)
        return false;
    if (b->end == STILL)
        return true;
    if (time <= t->node[b->x].time || time <= t->node[b->y].time)
        return is_crossed_at_once(t, b, rank);
    return time < t->node[b->made].time + (b->end == ON_RIGHT);
}

/* From a state back in time: whether the boundary is crossed in none of the states before it, nor, if `now`,
 * in this one. */
static inline bool is_kept(const struct bpe_tree *t, uint32_t left, uint32_t right, bool now)
{
    struct border b = { .x = left, .y = right };
    const struct bpe_node *x = &t->node[left], *y = &t->node[right];

    for (;; now = true) {
        if (now && x->mates_right >> b.y % 64 & y->mates_left >> b.x % 64 & 1 && is_crossed(t, &b))
            return false;
        if (x->time > y->time) {
            b.end = ON_LEFT;
            b.made = b.x;
            b.x = x->right;
            x = &t->node[b.x];
        } else if (y->time > 0) {
            b.end = ON_RIGHT;
            b.made = b.y;
            b.y = y->left;
            y = &t->node[b.y];
        } else {
            return true;
        }
    }
}

bool bpe_tree_neighbours(const struct bpe_tree *t, uint32_t left, uint32_t right)
{
    return is_kept(t, left, right, true);
}

static void grow(struct bpe_tree *t, const struct bpe_merge *m)
{
    uint32_t left = t->node[m->left].time, right = t->node[m->right].time, time = m->rank + 1;
    struct bpe_node *made = &t->node[m->id];

    if (left == BPE_NEVER || right == BPE_NEVER || made->time != BPE_NEVER ||
        !is_kept(t, m->left, m->right, false))
        return;
    time = left > time ? left : time;
    time = right > time ? right : time;
    made->time = time;
    made->rank = m->rank;
    made->left = m->left;
    made->right = m->right;
}

/* ---- premises, order ---- */

static bool joins(const struct bpe_symbols *s, const struct bpe_merge *m)
{
    struct span a, b, c;

    if (m->left >= s->count || m->right >= s->count || m->id >= s->count)
        return false;
    a = s->bytes[m->left];
    b = s->bytes[m->right];
    c = s->bytes[m->id];
    return a.p && b.p && c.p && a.n > 0 && b.n > 0 && a.n + b.n == c.n &&
           memcmp(c.p, a.p, a.n) == 0 && memcmp(c.p + a.n, b.p, b.n) == 0;
}

static bool all_join(const struct bpe_tree *t, const struct bpe_symbols *s,
                     const struct bpe_merge *merges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!joins(s, &merges[i]) || t->node[merges[i].id].time == 0)
            return false;
    return true;
}

/* The merges by the length of what they make: a symbol's sides come before it. The counting sort keeps
 * texts of 2^16 bytes and more in one class, which is sorted by comparing. */
#define CLASSES ((size_t)1 << 16)

struct sized {
    struct bpe_merge merge;
    size_t n;
};

static int by_length(const void *a, const void *b)
{
    const struct sized *x = a, *y = b;

    return (x->n > y->n) - (x->n < y->n);
}

static void grow_long(struct bpe_tree *t, const struct bpe_symbols *s, const struct bpe_merge *merges,
                      size_t count)
{
    struct sized *list = mem_array(count, sizeof *list);

    for (size_t i = 0; i < count; i++)
        list[i] = (struct sized){ merges[i], s->bytes[merges[i].id].n };
    qsort(list, count, sizeof *list, by_length);
    for (size_t i = 0; i < count; i++)
        grow(t, &list[i].merge);
    free(list);
}

static void grow_all(struct bpe_tree *t, const struct bpe_symbols *s, const struct bpe_merge *merges,
                     size_t count)
{
    uint32_t *from = mem_array(CLASSES + 1, sizeof *from);
    struct bpe_merge *sorted = mem_grow(NULL, count + 1, sizeof *sorted);
    size_t small;

    for (size_t i = 0; i < count; i++) {
        size_t n = s->bytes[merges[i].id].n;

        from[n < CLASSES ? n + 1 : CLASSES]++;
    }
    small = count - from[CLASSES];
    for (size_t n = 1; n <= CLASSES; n++)
        from[n] += from[n - 1];
    for (size_t i = 0; i < count; i++) {
        size_t n = s->bytes[merges[i].id].n;

        sorted[from[n < CLASSES - 1 ? n : CLASSES - 1]++] = merges[i];
    }
    for (size_t i = 0; i < small; i++)
        grow(t, &sorted[i]);
    if (small < count)
        grow_long(t, s, sorted + small, count - small);
    free(sorted);
    free(from);
}

static void note_mates(struct bpe_tree *t, const struct bpe_merge *merges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        t->node[merges[i].left].mates_right |= (uint64_t)1 << merges[i].right % 64;
        t->node[merges[i].right].mates_left |= (uint64_t)1 << merges[i].left % 64;
    }
}

struct bpe_tree *bpe_tree_new(const struct bpe *b, const struct bpe_symbols *s)
{
    struct bpe_tree *t = mem_alloc(sizeof *t);
    size_t count;
    struct bpe_merge *merges = bpe_list(b, &count);
    bool holds;

    *t = (struct bpe_tree){ .bpe = b, .symbols = s->count };
    t->node = huge_array((size_t)s->count + 1, sizeof *t->node);
    for (uint32_t i = 0; i < s->count; i++)
        t->node[i] = (struct bpe_node){ .time = BPE_NEVER,
                                        .shorter = BPE_NEVER,
                                        .bytes = (uint32_t)s->bytes[i].n };
    for (uint32_t i = 0; i < s->base_count; i++)
        t->node[s->base[i]].time = 0;
    holds = all_join(t, s, merges, count);
    if (holds) {
        note_mates(t, merges, count);
        grow_all(t, s, merges, count);
    }
    free(merges);
    if (holds)
        return t;
    bpe_tree_free(t);
    return NULL;
}

void bpe_tree_free(struct bpe_tree *t)
{
    if (t == NULL)
        return;
    huge_free(t->node, (size_t)t->symbols + 1, sizeof *t->node);
    free(t);
}
