/*
 * One look at a text that all rules of a filter share:
 * its words and its lines, with lengths and hashes.
 *
 * Words. The text is cut at white space; then each piece gives up, as tokens of their own:
 *   - single signs at its edges (brackets, quotes, commas ...; also $ % = + in front), a run of two
 *     or more dots, and a last dot, unless it belongs to one letter, to initials or to a common
 *     abbreviation ("J.", "U.S.", "Inc." stay);
 *   - "'s" at its end; "n't" behind auxiliaries, "'re", "'ve", "'ll", "'d", "'m" behind pronouns;
 *     "not" of "cannot"; a unit behind digits ("10km");
 *   - between letters: , : < > = / and hyphens; between digits: + - * ^; a dot between a small and
 *     a capital letter. A piece that looks like a web or mail address is left whole.
 * This is the spirit of the rules of spaCy's English tokenizer, from which the thresholds of
 * datatrove's Gopher filters were measured, with few of its word lists.
 * tests/curate/test_gopher_peer.c has what the two decide on real pages.
 *
 * Lines are what '\n' separates. Lengths ("chars") are code points.
 *
 * Hashes are polynomials in HASH_BASE modulo 2^64 over bytes, so that the hash of a concatenation
 * follows from those of its parts. Equal hashes are taken for equal strings: a wrong keep or drop
 * is possible only for text made for it.
 */
#ifndef TUNDISH_CURATE_TEXT_SCAN_H
#define TUNDISH_CURATE_TEXT_SCAN_H

#include "base/str.h"

#define HASH_BASE UINT64_C(0x9FB21C651E98DF25)

struct text_word {
    uint64_t hash, power;  /* power: HASH_BASE to the number of bytes */
    uint32_t at, bytes, chars;
    bool alpha;            /* has a letter */
    bool symbol;           /* nothing but punctuation: no word to "number of words" */
};
struct text_line {
    uint64_t hash;
    uint32_t at, bytes, chars;
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
    uint32_t *tail;                    /* lengths of the tokens at the end of the piece in hand */
    size_t tail_cap;
};

/* Scans well-formed UTF-8 of less than 4 GiB; text must stay while s is used.
 * s is {0} or was used before. */
void text_scan(struct text_scan *s, struct span text);
void text_scan_release(struct text_scan *s);

/* HASH_BASE to the power n: hash(a b) = hash(a) * text_hash_power(b's bytes) + hash(b). */
uint64_t text_hash_power(size_t n);
uint64_t text_hash(const char *p, size_t n);

#endif
