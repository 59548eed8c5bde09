/* Well-formed UTF-8 by masks of 64 bytes (Unicode 16, table 3-7). For the levels that make the masks fast. */
#ifndef TUNDISH_TOKENIZE_SCAN_UTF8_H
#define TUNDISH_TOKENIZE_SCAN_UTF8_H

#include "tokenize/pretok/scan_algebra.h"

struct utf8_bytes {
    uint64_t cont, three, four;      /* 0x80..0xBF; 0xE0..0xEF; 0xF0..0xF4 */
    uint64_t never;                  /* 0xC0, 0xC1, 0xF5..0xFF */
    uint64_t e0, ed, f0, f4;         /* those whose second byte is not any of 0x80..0xBF */
    uint64_t low_a0, low_90;         /* 0x80..0x9F, 0x80..0x8F */
};

/* Whether the characters that begin in the block are right as far as the block shows them. *next: where the first one
 * begins that goes on behind it, or 64. */
static inline bool utf8_block(const struct utf8_bytes *u, uint64_t high, unsigned *next)
{
    uint64_t two = high & ~u->cont & ~u->three & ~u->four;
    uint64_t longer = u->three | u->four, first = two | longer;
    uint64_t want = first << 1 | longer << 2 | u->four << 3;
    uint64_t second = (u->e0 << 1 & u->low_a0) | (u->ed << 1 & u->cont & ~u->low_a0) |
                      (u->f0 << 1 & u->low_90) | (u->f4 << 1 & u->cont & ~u->low_90);
    uint64_t cut = (first & (uint64_t)1 << 63) | (longer & (uint64_t)3 << 62) |
                   (u->four & (uint64_t)7 << 61);

    *next = cut ? lowest(cut) : 64;
    return (u->never | second | (u->cont ^ want)) == 0;
}

#endif
