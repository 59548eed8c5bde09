/*
 * One look at a text for all rules whose words are what white space separates: Python's str.split().
 *
 * The text becomes bits (space_bits.h), bits become numbers of words and lines. What only some rules want (the list of
 * words, hashes of lines, paragraphs, repeated n-grams) is made when the first of them asks, and kept. A worker keeps the scan from filter to
 * filter as long as nobody changes the text, so profiles that follow each other look once.
 *
 * Equal hashes of 64 bits are taken for equal words, lines and paragraphs, and those of two words for equal pairs of
 * words; longer n-grams are compared exactly from there.
 *
 * Lengths ("chars") are code points. Memory: about 60 bytes a word, 60 a line and 2 a byte.
 */
#ifndef TUNDISH_CURATE_SPACE_SCAN_H
#define TUNDISH_CURATE_SPACE_SCAN_H

#include <stdbool.h>

#include "base/str.h"
#include "curate/text/space_bits.h"

struct space_line {
    uint64_t hash;                 /* of all its bytes; set by space_lines() */
    uint32_t at, bytes;
    uint32_t core_at, core_bytes;  /* without white space at its ends; 0 bytes: blank */
};

/* Lines or paragraphs, and how many are the same. */
struct space_units {
    uint64_t count, chars;                        /* all of them */
    uint64_t distinct, distinct_chars;            /* one of each */
    uint64_t repeated, repeated_chars;            /* every copy of those that stand there more than once */
};
enum space_unit {
    SPACE_LINES,                   /* text.split("\n") */
    SPACE_FILLED,                  /* re.split(r"\n+", text) */
    SPACE_SENTENCES,               /* lines that are not blank */
    SPACE_PARAGRAPHS,              /* text.split("\n\n") */
    SPACE_UNITS
};

#define SPACE_GRAM_MAX 10
#define SPACE_GRAM_MOST_MAX 4
/* The n-grams of one n. */
struct space_grams {
    /* n to SPACE_GRAM_MOST_MAX */
    uint64_t most;                 /* copies of the commonest one */
    uint32_t first;                /* where it begins (of several the one that comes first): number of a word */
    bool tie;                      /* there are several */
    /* longer ones */
    uint64_t repeated_chars;       /* in the words of all copies of n-grams that stand there more than once, an overlap
                                    * as often as it lies in one */
    uint64_t all_chars;            /* in the words of all n-grams */
    uint64_t covered_chars;        /* a walk over copies that have an equal one before them: words and the spaces
                                    * between them that the copy before did not cover (Curator's count) */
};

struct space_scan {
    struct span text;
    struct space_counts counts;    /* ASCII's share; `angles` and `more_*` are beside it */
    uint64_t chars;
    uint64_t angles;               /* U+27E8 and U+27E9 */
    uint64_t more_letters, more_alphabetics, more_alnums;   /* of the characters that are not ASCII */
    struct space_bits bits;        /* white space, gaps and \w of all characters at each of their bytes, letters (isalpha) and
                                    * marks ('#', U+2026) at the first */
    uint64_t *letterless;          /* bits of the bytes behind words without a letter */
    struct space_sums sums;
    size_t word_count;             /* sums.words */
    struct space_line *lines;
    size_t line_count, line_cap;

    /* --- the inside --- */
    uint64_t number;               /* whose text it is */
    uint32_t edits;
    bool valid, has_words, line_hashes, has_units[SPACE_UNITS], has_grams;
    const struct space_level *level;
    size_t blocks;
    struct space_words list;
    struct space_units units[SPACE_UNITS];
    struct space_grams grams[SPACE_GRAM_MAX + 1];
    uint64_t *bit_words, *alphabetic, *found;   /* the latter two: bits as in `bits` */
    uint32_t *conts_before, *borders;
    size_t bit_cap, word_cap;
    struct space_slot *slots;
    size_t slot_cap;
    uint32_t *gram_at, *gram_group, *gram_number, *gram_count, *gram_slots;
    uint64_t *gram_key;
    uint8_t *gram_seen;
    size_t gram_cap, gram_slot_cap, gram_seen_cap;
};
/* Whose text a scan is of: it is kept while all of this stays. */
struct space_key {
    uint64_t number;
    uint32_t edits;
    struct span text;              /* well-formed UTF-8, less than 4 GiB; must stay while the scan is used */
};

/* The scan of a text: *s is made when it is NULL, filled when it is another text's. */
struct space_scan *space_scan_of(struct space_scan **s, struct space_key key);
void space_scan_free(struct space_scan *s);
/* The same with a level of space_bits.h, for tests. */
void space_scan_with(struct space_scan *s, struct span text, const struct space_level *level);

const struct space_words *space_words(struct space_scan *s);

const struct space_units *space_units(struct space_scan *s, enum space_unit kind);
/* n from 2 to SPACE_GRAM_MAX; there must be n words. */
const struct space_grams *space_grams(struct space_scan *s, int n);
/* The hash of a word, as words have it. */
uint64_t space_word_hash(const char *p, size_t n);
/* Code points of words number i to i + n - 1. */
static inline uint64_t space_word_chars(const struct space_words *w, size_t i, size_t n)
{
    return w->before[i + n] - w->before[i];
}
/* Bits, as in `bits`, of the places where these three bytes stand; they stay until the next call. */
const uint64_t *space_triples(struct space_scan *s, const char want[3]);
/* Code points of well-formed bytes of the text. */
uint64_t space_chars(const struct space_scan *s, const char *p, size_t n);
/* p..p+n without white space at both ends. */
struct span space_strip(struct span text);

#endif
