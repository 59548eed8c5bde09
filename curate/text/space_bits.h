/*
 * The bytes of a text as bits, 64 at a time: which are white space, letters, parts of longer characters ..., and what
 * follows from the bits alone: how many words there are, and of what kind, and where they begin and end.
 *
 * One file a CPU level in levels/ (cmake/parts.cmake), the fastest that the processor has is taken at run time; the
 * portable one is always there and gives the same. What both do alike with bits is in space_level_part.h.
 */
#ifndef TUNDISH_CURATE_SPACE_BITS_H
#define TUNDISH_CURATE_SPACE_BITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* One bit a byte, bit i of word k is byte 64 k + i. Only ASCII is judged here; bytes 0x80 and more are `high`. */
#define SPACE_BITS(X)                                                                               \
    X(space)      /* \t \n \v \f \r, 0x1C to 0x1F, ' ' */                                           \
    X(newline)    /* \n */                                                                          \
    X(letter)     /* a-z A-Z */                                                                     \
    X(high)       /* 0x80 and more */                                                               \
    X(cont)       /* 0x80 to 0xBF: continues a character */                                         \
    X(mark)       /* '#' */                                                                         \
    X(wordy)      /* a-z A-Z 0-9 '_' */                                                             \
    X(gap)        /* space without 0x1C to 0x1F */                                                  \
    X(quote)      /* '"' '/' */                                                                     \
    X(colon)      /* ':' */                                                                         \
    X(pair)       /* "ki", "va", "ms" or "ps", letters of either case: inside of the phrases that      \
                   * curate/filter/curator_text.c looks for */

/* How many there are. */
#define SPACE_COUNTS(X)                                                                             \
    X(blanks)     /* \b \t \n \r ' ' */                                                             \
    X(plain)      /* a-z A-Z 0-9 \n ? ! , . */                                                      \
    X(digits)     /* 0-9 */                                                                         \
    X(brackets)   /* ()[]{} */                                                                      \
    X(letters)    /* a-z A-Z */                                                                     \
    X(conts)      /* 0x80 to 0xBF */                                                                \
    X(highs)      /* 0x80 and more */

struct space_bits {
#define X(name) uint64_t *name;
    SPACE_BITS(X)
#undef X
};
struct space_counts {
#define X(name) uint64_t name;
    SPACE_COUNTS(X)
#undef X
};

/* Writes `blocks` words of each kind from 64 x blocks bytes at p, and adds to the counts. One byte behind the last
 * block is read, too. */
typedef void space_bits_fn(const unsigned char *p, size_t blocks, const struct space_bits *out,
                           struct space_counts *c);

/* What the bits of a whole text tell without a look at single words. */
struct space_sums {
    uint64_t words;
    uint64_t letter_words, alphabetic_words, mark_words;   /* with such a bit */
    uint64_t word_chars;           /* characters that are not white space */
    uint64_t tokens;               /* runs of `wordy` and runs of what is neither that nor a gap */
};
/* Bits of blocks + 1 blocks, the last one white space. `alphabetic` NULL: the same as letters. */
struct space_sums_args {
    const struct space_bits *bits;
    const uint64_t *alphabetic;
    size_t blocks;
    uint64_t *letterless;          /* out, blocks + 1: bits of the bytes behind words without a letter */
    uint32_t *conts_before;        /* out, blocks + 1: continuation bytes in the blocks before */
};
typedef void space_sums_fn(const struct space_sums_args *a, struct space_sums *out);

struct space_word {
    uint64_t hash;
    uint32_t at, bytes;
};
/* The list of words: what struct space_scan has under the same names. */
struct space_words {
    struct space_word *words;      /* `count` of them */
    uint32_t *before;              /* count + 1: characters in the words before */
    uint64_t longest, common;
};
struct space_words_args {
    struct span text;
    const struct space_bits *bits;
    size_t blocks, count;
    bool high;                     /* not all is ASCII */
    uint32_t *borders;             /* spare room for 2 x count + SPACE_BORDERS_SPARE numbers */
};
#define SPACE_BORDERS_SPARE 72
typedef void space_words_fn(const struct space_words_args *a, struct space_words *out);

/* Bit i of word k: at byte 64 k + i stand the three bytes of `want`. Two bytes behind the last block are read, too. */
typedef void space_triples_fn(const unsigned char *p, size_t blocks, const char want[3], uint64_t *out);

struct space_level {
    space_bits_fn *bits;
    space_sums_fn *sums;
    space_words_fn *words;
    space_triples_fn *triples;
};
extern const struct space_level space_level_portable, space_level_avx2;

/* The levels that this processor has, slowest first; NULL behind the last. */
const struct space_level *space_level(size_t i);

#endif
