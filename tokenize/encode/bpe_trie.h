/*
 * The longest symbol that a text begins with: a trie of bytes in one array (a double array, Aoe 1989).
 *
 * A node that has children owns a base; its child by byte c is slot base ^ c, if that slot is labelled c.
 * No two nodes have the same base, so base and label together tell the parent: a step is one read. The
 * children of a node lie within 2 KB, those by small letters within 256 bytes, and a slot is 8 bytes, so that the
 * parts of the trie that a text needs stay near the processor. Most steps that would fail are not made:
 * a slot says which classes of bytes (by the lower three bits) its children have.
 *
 * The first two bytes are one step, by an array of its own.
 */
#ifndef TUNDISH_TOKENIZE_BPE_TRIE_H
#define TUNDISH_TOKENIZE_BPE_TRIE_H

#include "tokenize/encode/bpe_tree.h"

#define TRIE_NONE UINT32_MAX
#define TRIE_SYMBOL (((uint32_t)1 << 22) - 1)
#define TRIE_KIDS 22         /* first of 8 bits */
#define TRIE_ONE 30          /* bit, in pair[]: the symbol is of one byte */
#define TRIE_LABEL 31        /* first of 9 bits: 1, then the byte */
#define TRIE_BASE 40

struct bpe_trie {
    uint64_t *slots;         /* base:24 label:8 used:1 one:1 kids:8 symbol+1:22; 0: free */
    uint64_t *pair;          /* [first byte << 8 | second]: the slot; its symbol may be that of the first byte alone */
    uint32_t one[256];       /* symbol of a single byte, or TRIE_NONE */
    size_t size;             /* slots */
};
/* Of all symbols that stand; sets their `shorter`. False, and nothing made: more than 2^24 slots. */
bool bpe_trie_make(struct bpe_trie *trie, struct bpe_tree *t, const struct bpe_symbols *s);
void bpe_trie_release(struct bpe_trie *trie);

struct bpe_match {
    uint32_t symbol, n;      /* TRIE_NONE: none */
};

static inline bool bpe_trie_has_kid(uint64_t slot, unsigned char byte)
{
    return slot >> TRIE_KIDS >> (byte & 7) & 1;
}

/* The longest symbol that text begins with. n > 0. */
static inline struct bpe_match bpe_trie_longest(const struct bpe_trie *t, const unsigned char *p,
                                                size_t n)
{
    uint64_t slot;
    struct bpe_match m;

    if (n == 1)
        return (struct bpe_match){ t->one[p[0]], 1 };
    slot = t->pair[(uint32_t)p[0] << 8 | p[1]];
    m.symbol = (uint32_t)slot & TRIE_SYMBOL;
    m.n = 2 - (uint32_t)(slot >> TRIE_ONE & 1);
    for (size_t k = 2; k < n && bpe_trie_has_kid(slot, p[k]); k++) {
        uint32_t found;

        slot = t->slots[slot >> TRIE_BASE ^ p[k]];
        if ((slot >> TRIE_LABEL & 0x1FF) != ((uint64_t)p[k] << 1 | 1))
            break;
        found = (uint32_t)slot & TRIE_SYMBOL;
        m.symbol = found ? found : m.symbol;
        m.n = found ? (uint32_t)k + 1 : m.n;
    }
    return (struct bpe_match){ m.symbol - 1, m.n };
}

/* What the search for the longest at p will read first. */
static inline void bpe_trie_soon(const struct bpe_trie *t, const unsigned char *p, size_t n)
{
    if (n > 1)
        __builtin_prefetch(&t->pair[(uint32_t)p[0] << 8 | p[1]]);
}

#endif
