/*
 * Building the index of pairs: all pairs of a text are counted, those that come first are kept, and
 * their places are listed.
 *
 * Where a table of all different pairs would be larger than memory allows, the text is walked several
 * times, and each time the pairs of one part of all hashes are counted.
 */
#ifndef TUNDISH_TOKENIZE_PAIR_SCAN_H
#define TUNDISH_TOKENIZE_PAIR_SCAN_H

#include "tokenize/learn/bpe_text.h"
#include "tokenize/learn/pair_index.h"

struct pair_scan {
    const struct bpe_text *text;
    const uint32_t *length;          /* bytes, by id */
    uint32_t max_length;             /* of the two together; 0: unbounded */
    uint64_t min_count;
    const uint64_t *refused;         /* keys of pairs that are left out */
    size_t refused_count;
    size_t most;                     /* pairs to keep, at least 1 */
    uint64_t memory;                 /* bytes that the table and what is chosen from it may take */
};
/* Fills x (its bound too) and the list of places, *listed of them. x stays empty if no pair is
 * left. */
MUST_USE enum status pair_scan(const struct pair_scan *s, struct pair_index *x,
                               struct paged_array *places, size_t *listed);

#endif
