/*
 * How text_scan() (text_scan.h) cuts words; the files of this folder share it.
 */
#ifndef TUNDISH_CURATE_WORDS_H
#define TUNDISH_CURATE_WORDS_H

#include <endian.h>
#include <string.h>

#include "curate/text/char_class.h"
#include "curate/text/text_scan.h"
#include "curate/text/word_class.h"
#include "curate/text/word_lookup.h"

/* Appends p..end as a word; nothing if it is empty. */
void word_append(struct text_scan *s, const char *p, const char *end);
/* The same for ASCII letters and digits; any: their flags together. */
void word_append_plain(struct text_scan *s, const char *p, const char *end, unsigned any);
/* Appends the words of a chunk, p..end without white space, not empty. */
void words_of_chunk(struct text_scan *s, const char *p, const char *end);
/* Is the chunk p..end a web or mail address (spaCy's url_match)? */
bool word_is_address(const struct word_classes *c, const char *p, const char *end);
/* Puts special texts back where words in a row spell one; after all words are there. */
void words_join_phrases(struct text_scan *s);
/* Does a token of white space stand between two neighbours (p is the first one's end)? One blank is none. */
bool words_apart(const char *p, const char *next);

/* B^0 to B^8, by the compiler. */
#define HASH_POWER_1 HASH_BASE
#define HASH_POWER_2 (HASH_POWER_1 * HASH_POWER_1)
#define HASH_POWER_3 (HASH_POWER_2 * HASH_POWER_1)
#define HASH_POWER_4 (HASH_POWER_2 * HASH_POWER_2)
#define HASH_POWER_5 (HASH_POWER_4 * HASH_POWER_1)
#define HASH_POWER_6 (HASH_POWER_4 * HASH_POWER_2)
#define HASH_POWER_7 (HASH_POWER_4 * HASH_POWER_3)
#define HASH_POWER_8 (HASH_POWER_4 * HASH_POWER_4)

/* text_hash() of the eight bytes in x, the first one lowest. Zero bytes in front count for nothing. */
static inline uint64_t hash_of_eight(uint64_t x)
{
    uint64_t a = (x & 0xFF) * HASH_POWER_7 + (x >> 8 & 0xFF) * HASH_POWER_6;
    uint64_t b = (x >> 16 & 0xFF) * HASH_POWER_5 + (x >> 24 & 0xFF) * HASH_POWER_4;
    uint64_t c = (x >> 32 & 0xFF) * HASH_POWER_3 + (x >> 40 & 0xFF) * HASH_POWER_2;

    return (a + b) + (c + (x >> 48 & 0xFF) * HASH_POWER_1 + (x >> 56));
}

/* text_hash() of a part of s's text: a short one is read with the bytes in front of it, which are then cut off, so that there is no
 * loop to mispredict. */
static inline uint64_t word_hash(const struct text_scan *s, const char *p, size_t n)
{
    uint64_t x;

    if (n > 8 || n == 0 || (size_t)(p - s->text.p) + n < 8)
        return text_hash(p, n);
    memcpy(&x, p + n - 8, 8);
    x = le64toh(x);
    return hash_of_eight(x >> (64 - 8 * n) << (64 - 8 * n));
}

/* Flags of the code point at p < end, whose bytes come in *n. */
static inline unsigned word_class_at(const struct word_classes *c, const char *p, size_t *n)
{
    uint32_t cp;

    if ((unsigned char)*p < 0x80) {
        *n = 1;
        return c->ascii[(unsigned char)*p];
    }
    *n = char_decode(p, &cp);
    return word_class(c, cp);
}
/* Of the one that ends before end; 0 where there is none. */
static inline unsigned word_class_before(const struct word_classes *c, const char *start, const char *end, size_t *n)
{
    uint32_t cp;

    *n = 0;
    if (start == end)
        return 0;
    if ((unsigned char)end[-1] < 0x80) {
        *n = 1;
        return c->ascii[(unsigned char)end[-1]];
    }
    *n = char_decode_back(start, end, &cp);
    return word_class(c, cp);
}

/* The text without white space at both ends, as str.strip(). */
struct span word_strip(const struct word_classes *c, struct span text);

static inline bool is_digit09(char c) { return c >= '0' && c <= '9'; }

#endif
