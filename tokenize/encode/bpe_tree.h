/*
 * How each symbol of a table of merges comes to be, and which neighbours can stand side by side: what
 * linear-time merging (bpe_linear.h) and the self-check of a vocabulary rest on.
 *
 * PLAIN is the definition: the pair of lowest rank, leftmost on ties, merges, until there is none.
 * PHASED goes through the ranks once, from the lowest up, and at each does all its merges from left to
 * right. For PHASED "the state at rank r" has a meaning; all that follows is of PHASED, and
 * bpe_tree_new() proves that the two agree for the table at hand, or says that it cannot.
 *
 * LOCALITY. While no merge crosses a boundary of the text, the two sides go through the merges
 * they would go through alone (the global minimum, where it lies on a side, is that side's). Hence
 * the symbols of a text are t1 .. tk exactly if in the text's run no boundary between them
 * is crossed and each of them stands: its bytes alone become it. And the first crossing of a boundary
 * depends on the two symbols beside it alone: until then each side is in the state it has alone. So
 *
 *   t1 .. tk is the result if and only if every t stands and every pair (t, t') can neighbour,
 *
 * and as the result is one, there is exactly one such sequence.
 *
 * TREES. A symbol that stands is a base symbol or was made by one last merge of two symbols that
 * stand: one tree. time(s) is 0 for a base symbol, else that merge's rank + 1. Each rank
 * makes one symbol, so times of different symbols differ, and they fall on the way down a tree.
 *
 * NEIGHBOURS. At rank r the symbol left of the boundary is the highest node of the left tree's right
 * spine with time <= r + 1, for at equal ranks the left side is merged first; the one right of it is
 * the highest node of the right tree's left spine with time < r + 1. Backwards in time these are
 * the states (x, y) that come of (t, t') by undoing the later of the two each time (y at equal times:
 * both are then one symbol, and the left one was first). The boundary is crossed if in one of these
 * states (x, y) has a merge of a rank within the state's life: above both times, and before the merge
 * that ended it. With "aaa" and the merge (a, a), t = aa and t' = a cannot cross: the state (a, a) ended
 * with the making of aa at the same rank, further left; t = a, t' = aa are crossed: aa's own merge
 * of that rank comes later than the one over the boundary.
 *
 * PHASED = PLAIN. They differ first where a merge of rank r makes a symbol s that has beside it an x
 * with a merge (s, x) -> T (or (x, s) -> T) of a rank q < r. (q = r is impossible: rank r makes s, which
 * is shorter than T.) Until then the boundaries at both ends of T's bytes have not been crossed, so by
 * locality those bytes went through T's own run up to rank r. If T stands with time(T) < r + 1 they
 * would be one symbol already: a contradiction. So it is enough that for each merge (a, b) -> T of rank q
 * and each way of making a or b at a rank r > q, T stands with time(T) < r + 1. In a table without such
 * r (each merge above those that make its sides, as training leaves it) there is nothing to
 * show. In lists that hold every split of a token, as tiktoken's ranks and Llama 3's file, there are
 * many: (ab, c) -> abc of rank 300 beside (a, b) -> ab of rank 500 never comes to act.
 */
#ifndef TUNDISH_TOKENIZE_BPE_TREE_H
#define TUNDISH_TOKENIZE_BPE_TREE_H

#include <stdbool.h>

#include "tokenize/encode/bpe.h"

#define BPE_NEVER UINT32_MAX

struct bpe_tree {
    const struct bpe *bpe;
    uint32_t symbols;
    uint32_t *time;                  /* [symbols]; 0 base, BPE_NEVER: does not stand */
    uint32_t *left, *right;          /* [symbols]; of those with 0 < time < BPE_NEVER */
    bool proven;                     /* PHASED is PLAIN; else nothing here says anything of PLAIN */
};
struct bpe_symbols {
    const struct span *bytes;        /* [count]; p NULL: no such symbol */
    uint32_t count;                  /* all ids of the table are below */
    /* The symbols that pieces begin as; their bytes must be a prefix code (single bytes,
     * or single characters), and no merge may make one of them. */
    const uint32_t *base;
    uint32_t base_count;
};
/* Borrows the table. Never fails: what breaks a premise (a merge whose bytes are not its sides', a base
 * symbol that is made) leaves `proven` false. Linear in the merges, and the length of their spines. */
struct bpe_tree *bpe_tree_new(const struct bpe *b, const struct bpe_symbols *s);
void bpe_tree_free(struct bpe_tree *t);
/* Whether two symbols that stand can neighbour. */
bool bpe_tree_neighbours(const struct bpe_tree *t, uint32_t left, uint32_t right);

#endif
