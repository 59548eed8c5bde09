/*
 * A piece as two words: what tables compare and order pieces by.
 *
 * Up to 15 bytes are the encoder's key (encode/piece_key.h): they stand in the words themselves, their number
 * in the top byte of the second, so that different pieces have different words. A longer piece has its XXH3 in the
 * first word; the second says so in its top byte, and where its bytes lie.
 * The hash of a piece depends on its bytes alone: every thread, run and rank orders pieces alike.
 */
#ifndef TUNDISH_TOKENIZE_COUNT_KEY_H
#define TUNDISH_TOKENIZE_COUNT_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/str.h"
#include "tokenize/encode/piece_key.h"

#define COUNT_SHORT PIECE_SHORT
#define COUNT_PADDING 16     /* bytes that must be readable from a piece's first on */
#define COUNT_LONG ((uint64_t)0xFF << 56)

struct count_key {
    uint64_t w[2];
};

/* n: 1 to COUNT_SHORT. Bytes p[0..16) are read. */
static inline struct count_key count_key_short(const char *p, size_t n)
{
    struct piece_key k = piece_key_of(p, n);

    return (struct count_key){ { k.low, k.high } };
}

static inline bool count_key_is_long(struct count_key k)
{
    return k.w[1] >= COUNT_LONG;
}

static inline size_t count_key_bytes(struct count_key k)     /* of a short one */
{
    return (size_t)(k.w[1] >> 56);
}

/* Of any piece; COUNT_PADDING bytes from its first on are readable. */
static inline struct count_key count_key_of(struct span piece)
{
    return piece.n <= COUNT_SHORT
               ? count_key_short(piece.p, piece.n)
               : (struct count_key){ { xxh3(piece.p, piece.n), COUNT_LONG } };
}

static inline uint64_t count_key_hash(struct count_key k)
{
    unsigned __int128 m = (unsigned __int128)(k.w[0] ^ 0x9E3779B97F4A7C15u) *
                          (k.w[1] ^ 0xD6E8FEB86659FD93u);

    return count_key_is_long(k) ? k.w[0] : (uint64_t)m ^ (uint64_t)(m >> 64);
}

#endif
