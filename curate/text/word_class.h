/*
 * What kind of character a code point is to the rules of the datatrove family: 16 flags, by table. Python's methods and
 * spaCy's expressions were asked about each code point (tests/curate/make_word_tables.py).
 */
#ifndef TUNDISH_CURATE_WORD_CLASS_H
#define TUNDISH_CURATE_WORD_CLASS_H

#include <stdint.h>

enum word_flag {
    WORD_SPACE = 1 << 0,         /* str.isspace(), which is also what str.strip(), str.split() and \s take */
    WORD_LETTER = 1 << 1,        /* str.isalpha() */
    WORD_SYMBOL = 1 << 2,        /* datatrove's PUNCTUATION_SET */
    WORD_TERMINAL = 1 << 3,      /* datatrove's TERMINAL_PUNCTUATION */
    WORD_SENTENCE_END = 1 << 4,  /* spaCy's sentencizer ends a sentence behind it */
    WORD_PUNCT = 1 << 5,         /* category P: token.is_punct where all are */
    WORD_PREFIX = 1 << 6,        /* a token of its own where a chunk begins */
    WORD_SUFFIX = 1 << 7,        /* where it ends */
    WORD_INFIX = 1 << 8,         /* and inside, whatever stands beside it */
    WORD_ALPHA = 1 << 9,         /* spaCy's ALPHA */
    WORD_LOWER = 1 << 10,        /* ALPHA_LOWER: small letters, and those without case */
    WORD_UPPER = 1 << 11,        /* ALPHA_UPPER: capitals, and those without case */
    WORD_QUOTE = 1 << 12,        /* CONCAT_QUOTES */
    WORD_BEFORE_DOT = 1 << 13,   /* a dot behind it, at the end of a chunk, is a token */
    WORD_W = 1 << 14,            /* \w */
    WORD_DIGIT = 1 << 15,        /* \d */
};

#define WORD_BLOCK_BITS 7

/* Flags of ASCII; and of all in two steps: block[code point >> 7], then the flags of its 128. Filled by word_class_init(). */
struct word_classes {
    uint16_t ascii[128];
    uint16_t block[0x110000 >> WORD_BLOCK_BITS];
    uint16_t (*flags)[1 << WORD_BLOCK_BITS];
};
/* Made at the first call; any thread. */
const struct word_classes *word_class_init(void);

static inline unsigned word_class(const struct word_classes *c, uint32_t cp)
{
    return c->flags[c->block[cp >> WORD_BLOCK_BITS]][cp & ((1 << WORD_BLOCK_BITS) - 1)];
}

#endif
