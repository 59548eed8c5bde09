/*
 * One look at a text that all rules of the datatrove family share: its words and its lines, with lengths and hashes.
 *
 * Words are the tokens of spaCy's blank English tokenizer (3.8), stripped, without the empty ones: what datatrove's
 * filters count. Between white space a chunk gives up, until nothing more comes off,
 *   - what stands at its edges: brackets, quotes, commas, signs of money, pictures, a run of dots, "'s", a last dot behind a small
 *     letter, a digit or two capitals, a unit behind a digit ("10km");
 *   - all at once, what is special: "don't", "Mr.", ":-)", "10am" (word_tables.h), also where the special text is only what is left
 *     when one edge has come off, or where several tokens in a row make one;
 *   - then, unless the rest is a web or mail address, what stands between letters or digits: hyphens, , : < > = /, a dot between a small
 *     letter and a capital, pictures.
 * Words of any language (`WORDS_ANY`: spaCy's "xx") are made the same way, without English contractions and abbreviations.
 * docs/parity.md has how near this comes to the peer: no other token in 20 MB of real text.
 *
 * Lines are what '\n' separates. Lengths ("chars") are code points.
 *
 * The text becomes bits first, 64 bytes at a time (space_bits.h): most chunks are letters alone, or letters and one sign, which shows
 * in two words of bits, and no rule but the list of special texts has to be asked about them.
 *
 * Equal hashes are taken for equal strings: a wrong keep or drop is possible only for text made for it.
 *
 * The steps of a chain share one scan (text_scan_shared()): it is made anew only for another text, which the text's hash tells.
 */
#ifndef TUNDISH_CURATE_TEXT_SCAN_H
#define TUNDISH_CURATE_TEXT_SCAN_H

#include <stdbool.h>

#include "base/str.h"
#include "curate/text/space_bits.h"

enum words_rules { WORDS_ENGLISH, WORDS_ANY };

struct text_word {
    uint64_t hash;         /* text_hash() */
    uint32_t at, bytes, chars;
    bool alpha;            /* has a letter */
    bool symbol;           /* nothing but punctuation: no word to "number of words" */
};
struct text_line {
    uint64_t hash;         /* xxh3() */
    uint32_t at, bytes, chars;
};

/* Tokens that became others: those from..to (of the words before the change). */
struct word_edit {
    size_t from, to;
    const struct word_special *special;
};

struct text_scan {
    struct span text;
    uint64_t chars;                    /* of the whole text */
    struct text_word *words;
    size_t word_count, word_cap;
    struct text_line *lines;           /* an empty text has one empty line;
                                        * a final '\n' makes one more */
    size_t line_count, line_cap;
    bool odd_lines;                    /* has a line end other than '\n' (Python's splitlines()) */
    struct space_bits bits;            /* of the text; white space of all characters, all bytes of it */
    bool high;                         /* has bytes of 0x80 and more */
    bool odd_letters;                  /* has one that is not ASCII, but its small one is (U+0130, U+212A) */
    /* --- the inside --- */
    const struct word_classes *classes;
    const struct word_lookup *lookup;
    enum words_rules rules;
    uint64_t *bit_words, *signs;       /* signs: what is no white space and no ASCII letter */
    size_t bit_cap;
    uint64_t key[2];                   /* what text_scan_shared() scanned last */
    bool made;
    uint32_t *tail;                    /* lengths of the tokens at the end of the chunk in hand */
    size_t tail_cap;
    size_t *marks;                     /* words that may be part of a phrase */
    size_t mark_count, mark_cap;
    struct word_edit *edits;
    size_t edit_count, edit_cap;
    struct text_word *other;           /* room for the words after a change */
    size_t other_cap;
};

/* Scans well-formed UTF-8 of less than 4 GiB; text must stay while s is used.
 * s is {0} or was used before. */
void text_scan(struct text_scan *s, struct span text);
/* The same by the rules given. */
void text_scan_by(struct text_scan *s, struct span text, enum words_rules rules);
/* The same, unless s holds that text by those rules already. */
void text_scan_shared(struct text_scan *s, struct span text, enum words_rules rules);
void text_scan_release(struct text_scan *s);

/* The hash of a word. */
uint64_t text_hash(const char *p, size_t n);

#endif
