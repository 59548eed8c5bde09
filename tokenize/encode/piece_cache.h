/*
 * What became of pieces seen before: piece -> ids. One thread's own, and bounded: at most
 * PIECE_CACHE_BYTES, whatever the text.
 *
 * Short pieces with up to four ids stand in sets of two entries, a cache line each; the newer entry is the
 * first, and the older one leaves. The sets grow with what is put into them. All else up to
 * PIECE_LONG bytes lies in a store that is emptied when full, behind a table of hashes.
 * Short ones are looked up in line (pieces.c), many at a time.
 */
#ifndef TUNDISH_TOKENIZE_PIECE_CACHE_H
#define TUNDISH_TOKENIZE_PIECE_CACHE_H

#include <stdbool.h>

#include "tokenize/encode/piece_key.h"

#define PIECE_IDS 4
#define PIECE_LONG 256           /* longer pieces are not kept */
#define PIECE_CACHE_BYTES ((size_t)68 << 20)

struct piece_entry {
    struct piece_key key;
    uint32_t ids[PIECE_IDS];     /* below 2^24; the count in the top byte of the first */
};
struct piece_set {
    struct piece_entry way[2];
};
struct long_pieces;
struct piece_cache {
    struct piece_set *sets;      /* of a piece: sets[hash & mask] */
    size_t mask, puts;           /* puts: since the sets grew */
    struct long_pieces *more;
};
void piece_cache_init(struct piece_cache *c);
void piece_cache_release(struct piece_cache *c);
/* Puts a short piece that is not there; false: it has too many ids for its place. */
bool piece_cache_put(struct piece_cache *c, struct piece_key key, const uint32_t *ids, size_t count);
/* Any other piece, with a hash that is the same whenever it is asked for. */
struct long_piece {
    struct span bytes;
    uint32_t hash;
};
/* Calls up what a look-up will read first. */
void piece_cache_long_soon(const struct piece_cache *c, uint32_t hash);
/* Its ids and how many, or NULL. Valid until the next put. */
const uint32_t *piece_cache_get_long(const struct piece_cache *c, const struct long_piece *p, size_t *count);
void piece_cache_put_long(struct piece_cache *c, const struct long_piece *p, const uint32_t *ids,
                          size_t count);

#endif
