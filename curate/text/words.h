/*
 * How text_scan() (text_scan.h) cuts words; the files of this folder share it.
 */
#ifndef TUNDISH_CURATE_WORDS_H
#define TUNDISH_CURATE_WORDS_H

#include "curate/text/char_class.h"
#include "curate/text/text_scan.h"
#include "curate/text/word_class.h"
#include "curate/text/word_lookup.h"

/* Appends p..end as a word; nothing if it is empty. */
void word_append(struct text_scan *s, const char *p, const char *end);
/* Appends the words of a chunk, p..end without white space, not empty. */
void words_of_chunk(struct text_scan *s, const char *p, const char *end);
/* Is the chunk p..end a web or mail address (spaCy's url_match)? */
bool word_is_address(const struct word_classes *c, const char *p, const char *end);
/* Puts special texts back where words in a row spell one; after all words are there. */
void words_join_phrases(struct text_scan *s);
/* Does a token of white space stand between two neighbours (p is the first one's end)? One blank is none. */
bool words_apart(const char *p, const char *next);

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
