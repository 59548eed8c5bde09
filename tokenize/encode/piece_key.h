/*
 * A piece of at most 15 bytes as a number of 128 bits: its bytes, zero-filled, and their count in the
 * last byte, so that different pieces have different keys and none is 0.
 */
#ifndef TUNDISH_TOKENIZE_PIECE_KEY_H
#define TUNDISH_TOKENIZE_PIECE_KEY_H

#include <stdint.h>
#include <string.h>

#include "base/str.h"

#define PIECE_SHORT 15

struct piece_key {
    uint64_t low, high;
};
/* What of 16 bytes belongs to a piece of n, and the count. [16] is for all longer ones: a key that
 * no short piece has. */
extern const struct piece_key_mask {
    uint64_t low, high, count;
} piece_key_masks[17];

static inline struct piece_key piece_key_cut(uint64_t low, uint64_t high, size_t n)
{
    const struct piece_key_mask *m = &piece_key_masks[n < 16 ? n : 16];

    return (struct piece_key){ low & m->low, (high & m->high) | m->count };
}

/* 16 bytes can be read at p. */
static inline struct piece_key piece_key_of(const char *p, size_t n)
{
    uint64_t low, high;

    memcpy(&low, p, 8);
    memcpy(&high, p + 8, 8);
    return piece_key_cut(low, high, n);
}

static inline struct piece_key piece_key_safe(const char *p, size_t n)
{
    char copy[16] = { 0 };

    memcpy(copy, p, n < 16 ? n : 16);
    return piece_key_of(copy, n);
}

static inline uint32_t piece_key_hash(struct piece_key k)
{
    uint64_t h = k.low * 0x9E3779B97F4A7C15u ^ k.high * 0xD6E8FEB86659FD93u;

    return (uint32_t)((h ^ h >> 32) * 0xA0761D6478BD642Fu >> 32);
}

#endif
