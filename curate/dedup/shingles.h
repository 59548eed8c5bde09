/*
 * Hashes of the word n-grams of a text, for finding texts that are alike
 * (curate/dedup/dedup.h says what a word is there).
 */
#ifndef TUNDISH_CURATE_SHINGLES_H
#define TUNDISH_CURATE_SHINGLES_H

#include "base/str.h"

struct shingles {
    uint64_t *v;           /* well mixed: any bits may be used */
    size_t count, cap;
    uint64_t *spare;       /* for sorting */
    size_t spare_cap;
};

/* One hash for every n-gram of text (UTF-8), in order; fewer than n words give none.
 * s is {0} or was used before. */
void shingles_of(struct shingles *s, struct span text, int n);
/* Keeps those whose second hash lies in the lowest k-th part (k >= 1):
 * the same n-gram is kept or not in every text. */
void shingles_sample(struct shingles *s, uint64_t k);
/* Sorts and removes doubles: a set. */
void shingles_set(struct shingles *s);
void shingles_release(struct shingles *s);

/* |a and b| / |a or b| of two sets; 0 if both are empty. */
double shingles_jaccard(const struct shingles *a, const struct shingles *b);

#endif
