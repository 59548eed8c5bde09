/* The definition of merging, which the fast ways are held against. */
#ifndef TUNDISH_TESTS_TOKENIZE_PLAIN_MERGE_H
#define TUNDISH_TESTS_TOKENIZE_PLAIN_MERGE_H

#include <string.h>

#include "tokenize/encode/bpe.h"

/* The definition, word by word. */
static inline size_t merge_plainly(const struct bpe *b, uint32_t *ids, size_t n)
{
    for (;;) {
        uint32_t best = BPE_NO_RANK;
        size_t at = 0;

        for (size_t i = 0; i + 1 < n; i++) {
            uint32_t rank = bpe_rank(b, ids[i], ids[i + 1]);

            if (rank < best) {
                best = rank;
                at = i;
            }
        }
        if (best == BPE_NO_RANK)
            return n;
        ids[at] = bpe_joined(b, best);
        memmove(ids + at + 1, ids + at + 2, (n - at - 2) * sizeof *ids);
        n--;
    }
}

#endif
