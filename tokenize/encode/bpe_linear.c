#include "tokenize/encode/bpe_linear.h"

#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/encode/bpe_part.h"
#include "tokenize/encode/bpe_trie.h"

#define MEMO_BITS 10

struct bpe_linear {
    const struct bpe_tree *tree;
    struct bpe_trie trie;
};

struct bpe_linear *bpe_linear_new(struct bpe_tree *t, const struct bpe_symbols *s)
{
    struct bpe_linear *l = mem_alloc(sizeof *l);

    l->tree = t;
    if (bpe_trie_make(&l->trie, t, s))
        return l;
    free(l);
    return NULL;
}

void bpe_linear_free(struct bpe_linear *l)
{
    if (l == NULL)
        return;
    bpe_trie_release(&l->trie);
    free(l);
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

/* The next shorter symbol that the text goes on with. */
static inline struct bpe_match shorter(const struct bpe_tree *t, uint32_t symbol)
{
    uint32_t next = t->node[symbol].shorter;

    return (struct bpe_match){ next, next != TRIE_NONE ? t->node[next].bytes : 0 };
}

size_t bpe_linear_merge(const struct bpe_linear *l, struct bpe_linear_scratch *s, struct span piece,
                        uint32_t *ids)
{
    const unsigned char *text = (const unsigned char *)piece.p;
    size_t count = 0, at = 0;
    struct bpe_match m;

    scratch_for(s, piece.n);
    m = bpe_trie_longest(&l->trie, text, piece.n);
    for (;;) {
        size_t end = 0;

        while (m.symbol != TRIE_NONE) {
            end = at + m.n;
            bpe_trie_soon(&l->trie, text + end, piece.n - end);
            if (!(s->dead[end / 64] >> end % 64 & 1) &&
                (count == 0 || neighbours(l, s->memo, ids[count - 1], m.symbol)))
                break;
            m = shorter(l->tree, m.symbol);
        }
        if (m.symbol != TRIE_NONE) {
            ids[count++] = m.symbol;
            at = end;
            if (at == piece.n)
                return count;
            m = bpe_trie_longest(&l->trie, text + at, piece.n - at);
        } else {
            if (count == 0)
                return 0;
            s->dead[at / 64] |= (uint64_t)1 << at % 64;
            at -= l->tree->node[ids[--count]].bytes;
            m = shorter(l->tree, ids[count]);
        }
    }
}
