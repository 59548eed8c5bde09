/*
 * How text_scan() (text_scan.h) cuts words; the files of this folder share it.
 */
#ifndef TUNDISH_CURATE_WORDS_H
#define TUNDISH_CURATE_WORDS_H

#include <string.h>

#include "curate/text/char_class.h"
#include "curate/text/text_scan.h"
#include "curate/text/word_class.h"
#include "curate/text/word_lookup.h"

/* Appends p..end as a word; nothing if it is empty. */
void word_append(struct text_scan *s, const char *p, const char *end);
/* The same for ASCII letters and digits; letter: is there one? */
void word_append_plain(struct text_scan *s, const char *p, const char *end, bool letter);
/* A token with a sign may be part of a phrase: joined later (words_phrases.c). */
void word_mark(struct text_scan *s, size_t word);
/* Cuts all words of s's text; its bits are made. */
void words_of_text(struct text_scan *s);
/* Appends the words of a chunk, p..end without white space, not empty. */
void words_of_chunk(struct text_scan *s, const char *p, const char *end);
/* Is the chunk p..end a web or mail address (spaCy's url_match)? */
bool word_is_address(const struct word_classes *c, const char *p, const char *end);
/* Puts special texts back where words in a row spell one; after all words are there. */
void words_join_phrases(struct text_scan *s);
/* Does a token of white space stand between two neighbours (p is the first one's end)? One blank is none. */
bool words_apart(const char *p, const char *next);

static inline uint64_t word_load(const char *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof x);
    return x;
}

/* text_hash() of 1 to 16 bytes at p; 16 are read. */
static inline uint64_t word_hash_short(const char *p, size_t n)
{
    size_t low = n < 8 ? n : 8;
    uint64_t a = word_load(p) << (64 - 8 * low), b = n > 8 ? word_load(p + 8) << (128 - 8 * n) : 0;
    __uint128_t m = (__uint128_t)(a ^ UINT64_C(0xA0761D6478BD642F)) * (b ^ n ^ UINT64_C(0xE7037ED1A0B428DB));

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* text_hash() of a part of s's text. */
static inline uint64_t word_hash(const struct text_scan *s, const char *p, size_t n)
{
    return n - 1 < 16 && (size_t)(s->text.p + s->text.n - p) >= 16 ? word_hash_short(p, n) : text_hash(p, n);
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
