/*
 * What kind of character a code point is, where rules of filters need it:
 * one byte of flags, by table.
 */
#ifndef TUNDISH_CURATE_CHAR_CLASS_H
#define TUNDISH_CURATE_CHAR_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum char_flag {
    CHAR_SPACE = 1,       /* white space as Python's str.isspace() has it */
    CHAR_ALPHA = 2,       /* a letter (categories L*), as str.isalpha() */
    CHAR_SYMBOL = 4,      /* datatrove's PUNCTUATION_SET: a word of these alone is not a word */
    CHAR_EDGE = 8,        /* a token of its own at the edge of a word:
                           * brackets, quotes, commas, pictures ... */
    CHAR_DIGIT = 16,      /* 0-9 */
    CHAR_UPPER = 32,      /* capital letters and letters without case */
    CHAR_LOWER = 64,      /* small letters and letters without case */
    CHAR_PICTURE = 128,   /* category So: arrows, emoji ... */
};

/* Builds the table; once a process, before the others. Any thread. */
void char_class_init(void);
/* Flags of a code point. */
unsigned char_class(uint32_t cp);

/* By byte, for ASCII and the first bytes of others. */
extern uint8_t char_class_ascii[128];

/* Decodes at p in well-formed UTF-8; returns the length. */
static inline size_t char_decode(const char *p, uint32_t *cp)
{
    const unsigned char *u = (const unsigned char *)p;

    if (u[0] < 0x80) {
        *cp = u[0];
        return 1;
    }
    if (u[0] < 0xE0) {
        *cp = (uint32_t)(u[0] & 0x1F) << 6 | (u[1] & 0x3F);
        return 2;
    }
    if (u[0] < 0xF0) {
        *cp = (uint32_t)(u[0] & 0x0F) << 12 | (uint32_t)(u[1] & 0x3F) << 6 | (u[2] & 0x3F);
        return 3;
    }
    *cp = (uint32_t)(u[0] & 0x07) << 18 | (uint32_t)(u[1] & 0x3F) << 12 |
          (uint32_t)(u[2] & 0x3F) << 6 | (u[3] & 0x3F);
    return 4;
}
/* The code point that ends before end (start < end). */
static inline size_t char_decode_back(const char *start, const char *end, uint32_t *cp)
{
    const char *p = end - 1;

    while (p > start && ((unsigned char)*p & 0xC0) == 0x80)
        p--;
    return char_decode(p, cp);
}

#endif
