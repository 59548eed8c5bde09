/*
 * Minimum hashes and the index of bands: the search of `dedup: {method: minhash}`.
 *
 * A signature has bands * rows minima of 32-bit hashes a*x + b over all shingles x (Broder, "On the
 * resemblance and containment of documents", 1997); the rows of one band are hashed to a band key.
 * Two sets agree in one row with a probability of their Jaccard index.
 */
#ifndef TUNDISH_CURATE_MINHASH_H
#define TUNDISH_CURATE_MINHASH_H

#include "curate/dedup/shingles.h"

#define MINHASH_LANES 16

struct minhash {
    int bands, rows;
    size_t hashes;             /* bands * rows, rounded up to MINHASH_LANES */
    uint32_t *a, *b;           /* of each hash; a is odd */
};
/* The hashes are drawn from seed. */
void minhash_init(struct minhash *m, int bands, int rows, uint64_t seed);
void minhash_release(struct minhash *m);
/* Writes the keys of all bands for shingles in any order, doubles or not, at least one.
 * minima: room for m->hashes. */
void minhash_keys(const struct minhash *m, const struct shingles *set, uint32_t *minima,
                  uint64_t *keys);

/* From band keys to the documents that have them: at most BAND_MOST a key (the first ones stay). */
#define BAND_MOST 64
struct band_index {
    uint64_t *keys;            /* 0: free */
    uint32_t *docs;
    size_t slots, used;        /* slots: a power of two */
};
#define BAND_SLOT_BYTES 12
void band_index_release(struct band_index *x);
/* Slots that the index will have when n more entries are in; for asking for memory before. */
size_t band_index_slots(const struct band_index *x, size_t n);
/* Makes room for n more entries. */
void band_index_reserve(struct band_index *x, size_t n);
void band_index_add(struct band_index *x, uint64_t key, uint32_t doc);
/* The documents of a key, in the order in which they were added; returns how many. */
size_t band_index_find(const struct band_index *x, uint64_t key, uint32_t out[BAND_MOST]);

#endif
