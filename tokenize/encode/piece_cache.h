/*
 * What became of pieces seen before: piece -> ids. Bounded: a set-associative table for short
 * pieces (two entries a cache line, the older one leaves) and one for longer ones whose bytes and
 * ids lie in a store that is emptied when full. One thread's own.
 */
#ifndef TUNDISH_TOKENIZE_PIECE_CACHE_H
#define TUNDISH_TOKENIZE_PIECE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define PIECE_SHORT 15           /* bytes of a piece that is its own key */
#define PIECE_SHORT_IDS 4
#define PIECE_LONG 256           /* longer pieces are not kept */

struct piece_cache;
struct piece_cache *piece_cache_new(void);
void piece_cache_free(struct piece_cache *c);
/* The piece's ids and how many, or NULL. Valid until the next put. ids below 2^24. */
const uint32_t *piece_cache_get(struct piece_cache *c, struct span piece, size_t *count);
void piece_cache_put(struct piece_cache *c, struct span piece, const uint32_t *ids, size_t count);

#endif
