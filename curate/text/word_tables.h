/*
 * The facts behind words (curate/text/words.h): classes of characters, chunks that are cut in a way of their own. The two files
 * word_ranges.c and word_specials.c are made by tests/curate/make_word_tables.py, which names its sources.
 */
#ifndef TUNDISH_CURATE_WORD_TABLES_H
#define TUNDISH_CURATE_WORD_TABLES_H

#include <stdint.h>

/* Code points with equal flags (enum word_flag); ascending; the last has flags 0. */
struct word_range {
    uint32_t first, last;
    uint16_t flags;
};
extern const struct word_range word_ranges[];

/* A text that is cut as said here, whatever the rules would make of it: bytes of its first and second token, 0: the rest is one.
 * base: holds in every language, not in English alone. Sorted by text; ends with NULL. */
struct word_special {
    const char *text;
    uint8_t first, second;
    uint8_t base;
};
extern const struct word_special word_specials[];

/* What the rules make of a special text that has an edge or an inner cut: bytes of each token. Where tokens so cut stand
 * in a row, the special text is put back. Ends with NULL. */
struct word_phrase {
    const char *text;
    const char *pieces;
};
extern const struct word_phrase word_phrases[];

/* Units and signs of money, a token of their own behind a digit; signs of money of several letters, one in front
 * of a word. End with NULL. */
extern const char *const word_units[];
extern const char *const word_money_heads[];

#endif
