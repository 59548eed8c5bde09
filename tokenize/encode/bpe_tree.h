/*
 * How each symbol of a table of merges comes to be, and which neighbours can stand side by side: what
 * linear-time merging (bpe_linear.h) and the self-check of a vocabulary rest on. It holds for any order of
 * ranks, of either meaning (bpe.h).
 *
 * LOCALITY. The run of a text is its sequence of merges. While none crosses a boundary of the text, the two
 * sides go through the runs they would have alone, interleaved: the pair of lowest rank, leftmost on ties,
 * is on the side where it lies the lowest and leftmost too. So whether and when a boundary between two texts
 * is first crossed depends on these two alone, and not on what is beyond. A symbol STANDS if its bytes
 * alone become it; two that stand CAN NEIGHBOUR if the boundary in their two texts together is never crossed. Then
 *
 *   t1 .. tk is the result of merging if and only if every t stands and all neighbours can neighbour.
 *
 * (If: the first boundary to be crossed would be crossed in the text of its two symbols alone. Only if: a result's
 * boundaries are not crossed.) Merging has one result, so there is exactly one such sequence.
 *
 * TREES. A symbol that stands is a base symbol, or was made by a last merge of two that stand, whose boundary
 * was not crossed before; since its run is one, so is its tree.
 *
 * TIME. Interleaving two runs takes the run whose next merge has the lower rank, the left one on ties. A merge of
 * lower rank than one before it in its run (one that a merge of higher rank made possible) hence follows it
 * at once: a run goes in blocks, each begun by a rank higher than all before, and the blocks of two runs
 * interleave by these ranks, the left run's first on ties. A symbol is made in the block of the highest
 * rank of its tree: time(s) = 1 + that rank, 0 for a base symbol.
 *
 * NEIGHBOURS. On the left of a boundary stand, one after the other, the nodes of the left tree's right
 * spine; on the right those of the right tree's left spine. Backwards in time the states (x, y) come of (t, t') by
 * undoing the later of the two; y at equal times, since the left run's block comes first. A state ends with the
 * merge that was undone last and makes p, of x or y with its other neighbour. If (x, y) has a merge of rank c:
 *   - c above both times' ranks: it is due in the block of c. The boundary is crossed if that comes before the end:
 *     c + 1 < time(p) where p is on the left, whose block comes first, c + 1 <= time(p) where on the right.
 *     With (a, a) -> aa, the text aa|a is not crossed in the state (a, a), which ended with the same
 *     rank further left; a|aa is crossed in that state;
 *   - else it is due at once when the state begins, and only the end can come before: if p, too, is due at
 *     once (made in the block in which the state began) and has the lower rank, on ties the one on the left.
 *     On the right, p must not wait for its right side, which is made later in the block if its time is the same.
 */
#ifndef TUNDISH_TOKENIZE_BPE_TREE_H
#define TUNDISH_TOKENIZE_BPE_TREE_H

#include <stdbool.h>

#include "tokenize/encode/bpe.h"

#define BPE_NEVER UINT32_MAX

/* All that merging reads of a symbol, in a cache line. */
struct bpe_node {
    uint32_t time;                   /* 0 base, BPE_NEVER: does not stand */
    uint32_t rank, left, right;      /* of its last merge, if 0 < time < BPE_NEVER */
    /* Bit s % 64 is set if it has a merge with s: on its right, on its left. */
    uint64_t mates_right, mates_left;
    uint32_t bytes;
    uint32_t shorter;                /* the longest symbol that it begins with, or BPE_NEVER; bpe_linear_new() */
    uint32_t unused[6];
};
struct bpe_tree {
    const struct bpe *bpe;
    uint32_t symbols;
    struct bpe_node *node;           /* [symbols] */
};
struct bpe_symbols {
    const struct span *bytes;        /* [count]; p NULL: no such symbol */
    uint32_t count;
    /* The symbols that pieces begin as; their bytes are a prefix code (single bytes, or single characters). */
    const uint32_t *base;
    uint32_t base_count;
};
/* Borrows the table. NULL where a premise does not hold: each merge's bytes are its sides' bytes, all ids are
 * below count, no merge makes a base symbol. Linear in the merges and the height of the trees. */
struct bpe_tree *bpe_tree_new(const struct bpe *b, const struct bpe_symbols *s);
void bpe_tree_free(struct bpe_tree *t);
/* Whether two symbols that stand can neighbour. */
bool bpe_tree_neighbours(const struct bpe_tree *t, uint32_t left, uint32_t right);
static inline bool bpe_tree_stands(const struct bpe_tree *t, uint32_t symbol)
{
    return t->node[symbol].time != BPE_NEVER;
}

#endif
