/*
 * Hand-made scanners: the pieces of the well-known patterns without a regular expression.
 *
 * The one idea: none of these patterns looks behind, so from the beginning of a piece all that follows depends on what follows
 * alone. A scanner reads the 64 bytes from there, makes one 64-bit mask a class of characters (letters, digits, blanks, line
 * ends, ...), and computes with shifts and additions where pieces begin. The last beginning that is certain is where the next
 * 64 bytes are read from; nothing has to be carried over. Where 64 bytes are not enough (a piece as long as that), one
 * piece is made character by character (scan_piece.c).
 * The masks come from the level's instructions (portable, AVX2, AVX-512); the algebra on them is common (scan_algebra.h).
 */
#ifndef TUNDISH_TOKENIZE_SCAN_H
#define TUNDISH_TOKENIZE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Room for this many ends, and more than a block's worth behind them that is written and means nothing. */
#define SCAN_ENDS 2048
#define SCAN_SLACK 64

enum scan_kind { SCAN_NONE, SCAN_GPT2, SCAN_CL100K, SCAN_O200K, SCAN_DEEPSEEK, SCAN_MARKS };
enum scan_level_id { SCAN_PORTABLE, SCAN_AVX2, SCAN_AVX512, SCAN_LEVELS };

/* Classes of a character, as bits; a character without the first three is "other". SCAN_CONTROL: the categories C, white space
 * excepted. */
enum scan_class {
    SCAN_LETTER = 1, SCAN_NUMBER = 2, SCAN_SPACE = 4, SCAN_UPPER = 8, SCAN_LOWER = 16, SCAN_MARK = 32,
    SCAN_CONTROL = 64
};
/* Classes of all characters in one version of Unicode: pages of 64, those of one category once. */
struct scan_classes {
    uint16_t page[0x110000 / 64];
    uint8_t (*pages)[64];
    uint32_t count, cap;
    bool sure;                       /* sure_letters() of scan_algebra.h holds */
};
struct scanner {
    enum scan_kind kind;
    unsigned digits;                 /* a piece of digits has at most so many */
    bool whole_tail;                 /* white space at the end of the text is one piece */
    bool space, each;                /* SCAN_MARKS: of U+0020, not U+2581; every one begins a piece, not every run of them */
    const struct scan_classes *classes;
};
/* The scanner of a named pattern; kind SCAN_NONE if it has none. classes are borrowed. */
struct scanner scanner_of(const char *pattern_name, const struct scan_classes *classes);
/* The scanner of a cut before marks, which stand for spaces, by the pattern's text; it needs no classes. */
struct scanner scanner_of_marks(const char *pattern, bool isolated, bool merged_with_next);
struct scan_classes *scan_classes_new(int unicode);
void scan_classes_free(struct scan_classes *c);

/* One text at work. Ends are offsets in the text plus base. */
struct scan_job {
    const struct scanner *scanner;
    struct span text;                /* well-formed UTF-8 */
    size_t at;                       /* where a piece begins; text.n: all is cut */
    uint32_t base;
    uint32_t *ends;                  /* [SCAN_ENDS + SCAN_SLACK] */
    size_t count;
};
/* Appends ends until count is near SCAN_ENDS or the text is through; at least one. */
typedef void scan_fn(struct scan_job *job);
struct scan_level {
    scan_fn *gpt2, *cl100k, *o200k, *deepseek, *marks;
    /* Length of a beginning that is well-formed UTF-8 and whole characters; perhaps not the longest. */
    size_t (*well_formed)(const unsigned char *p, size_t n);
};
/* NULL: this processor has no such level, or the program was built without it. */
const struct scan_level *scan_level(enum scan_level_id id);
/* The fastest that this processor has. */
const struct scan_level *scan_best_level(void);
extern const struct scan_level scan_portable, scan_avx2, scan_avx512;
scan_fn *scan_function(const struct scan_level *level, enum scan_kind kind);

/* The end of the piece that begins at `at`, by the pattern's own words, character by character. Not for SCAN_MARKS. */
size_t scan_piece(const struct scanner *s, struct span text, size_t at);
/* The length of the contraction at p ('s 't 're 've 'm 'll 'd) or 0; fold: in any case, where U+017F is an s too. n >= 1
 * bytes are there. */
size_t scan_contraction(const unsigned char *p, size_t n, bool fold);

/* Whether three bytes, the first of a character beyond ASCII, are a letter of U+3041..U+30FF or U+4E00..U+9F7F: what sure_letters()
 * of scan_algebra.h finds by masks, but for those that DeepSeek's chain does not count among the Chinese. */
static inline bool scan_is_sure(const unsigned char *p)
{
    unsigned lead = p[0];

    if (lead == 0xE3)
        return (p[1] == 0x81 && p[2] != 0x80) || (p[1] == 0x82 && p[2] != 0xA0 && (p[2] < 0x97 || p[2] > 0x9C)) ||
               (p[1] == 0x83 && p[2] != 0xBB);
    return (lead >= 0xE5 && lead <= 0xE8) || (lead == 0xE4 && p[1] >= 0xB8) || (lead == 0xE9 && p[1] < 0xBE);
}

/* The class of the character whose bytes begin at p, well-formed; its length to *n. */
static inline unsigned scan_class_at(const struct scan_classes *c, const unsigned char *p, unsigned *n)
{
    unsigned page, low;

    if (p[0] < 0x80) {
        page = p[0] >> 6;
        low = p[0] & 63;
        *n = 1;
    } else if (p[0] < 0xE0) {
        page = p[0] & 31u;
        low = p[1] & 63;
        *n = 2;
    } else if (p[0] < 0xF0) {
        page = (p[0] & 15u) << 6 | (p[1] & 63u);
        low = p[2] & 63;
        *n = 3;
    } else {
        page = (p[0] & 7u) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u);
        low = p[3] & 63;
        *n = 4;
    }
    return c->pages[c->page[page]][low];
}

#endif
