#include "tokenize/encode/bpe_tree.h"

#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/encode/bpe_part.h"

/* A state at a boundary, and the time before which it ended. */
struct border {
    uint32_t x, y, end;
};

/* One state back in time; false if it was the first. */
static inline bool undo(const struct bpe_tree *t, struct border *b)
{
    uint32_t tx = t->time[b->x], ty = t->time[b->y];

    if (tx > ty) {
        b->end = tx;
        b->x = t->right[b->x];
    } else if (ty > 0) {
        b->end = ty + 1;
        b->y = t->left[b->y];
    } else {
        return false;
    }
    return true;
}

static inline bool is_crossed(const struct bpe_tree *t, const struct border *b)
{
    uint32_t rank = bpe_rank_of(t->bpe, b->x, b->y), time = rank + 1;

    return rank != BPE_NO_RANK && time < b->end && time > t->time[b->x] && time > t->time[b->y];
}

bool bpe_tree_neighbours(const struct bpe_tree *t, uint32_t left, uint32_t right)
{
    struct border b = { left, right, BPE_NEVER };

    do
        if (is_crossed(t, &b))
            return false;
    while (undo(t, &b));
    return true;
}

/* Whether (left, right) come to stand side by side, at a time when their merge is still to come. */
static bool comes_to_act(const struct bpe_tree *t, const struct bpe_merge *m)
{
    uint32_t tx = t->time[m->left], ty = t->time[m->right];
    struct border b = { m->left, m->right, BPE_NEVER };

    if (tx == BPE_NEVER || ty == BPE_NEVER || m->rank + 1 <= tx || m->rank + 1 <= ty)
        return false;
    while (undo(t, &b))
        if (is_crossed(t, &b))
            return false;
    return true;
}

static void grow_trees(struct bpe_tree *t, const struct bpe_merge *merges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct bpe_merge *m = &merges[i];

        if (t->time[m->id] != BPE_NEVER || !comes_to_act(t, m))
            continue;
        t->time[m->id] = m->rank + 1;
        t->left[m->id] = m->left;
        t->right[m->id] = m->right;
    }
}

/* ---- the proof ---- */

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

static bool are_joins(const struct bpe_symbols *s, const struct bpe_merge *merges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!joins(s, &merges[i]))
            return false;
    return true;
}

/* The ranks at which a symbol is made: lowest and highest. */
struct making {
    uint32_t low, high;              /* low > high: it is not */
};

/* No way of making `side` at a rank r above m's, or the joined symbol stands before each of them. */
static bool comes_in_time(const struct bpe_tree *t, const struct making *making,
                          const struct bpe_merge *m, uint32_t side)
{
    const struct making *made = &making[side];
    uint32_t first = made->low > m->rank ? made->low : m->rank + 1;

    if (made->low > made->high || made->high < m->rank)
        return true;
    return t->time[m->id] != BPE_NEVER && t->time[m->id] < first + 1;
}

static bool prove(const struct bpe_tree *t, const struct bpe_merge *merges, size_t count)
{
    struct making *making = mem_array(t->symbols, sizeof *making);
    bool holds = true;

    for (uint32_t i = 0; i < t->symbols; i++)
        making[i].low = BPE_NO_RANK;
    for (size_t i = 0; i < count; i++) {
        struct making *m = &making[merges[i].id];

        m->low = merges[i].rank < m->low ? merges[i].rank : m->low;
        m->high = merges[i].rank > m->high ? merges[i].rank : m->high;
        holds = holds && t->time[merges[i].id] != 0;
    }
    for (size_t i = 0; holds && i < count; i++)
        holds = comes_in_time(t, making, &merges[i], merges[i].left) &&
                comes_in_time(t, making, &merges[i], merges[i].right);
    free(making);
    return holds;
}

struct bpe_tree *bpe_tree_new(const struct bpe *b, const struct bpe_symbols *s)
{
    struct bpe_tree *t = mem_alloc(sizeof *t);
    size_t count;
    struct bpe_merge *merges = bpe_list(b, &count);

    *t = (struct bpe_tree){ .bpe = b, .symbols = s->count };
    t->time = mem_grow(NULL, s->count, sizeof *t->time);
    t->left = mem_array(s->count, sizeof *t->left);
    t->right = mem_array(s->count, sizeof *t->right);
    memset(t->time, 0xFF, s->count * sizeof *t->time);
    for (uint32_t i = 0; i < s->base_count; i++)
        t->time[s->base[i]] = 0;
    if (are_joins(s, merges, count)) {
        grow_trees(t, merges, count);
        t->proven = prove(t, merges, count);
    }
    free(merges);
    return t;
}

void bpe_tree_free(struct bpe_tree *t)
{
    if (t == NULL)
        return;
    free(t->time);
    free(t->left);
    free(t->right);
    free(t);
}
