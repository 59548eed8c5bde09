/*
 * The bytes of a text as bits, 64 at a time: which are white space, letters, parts of longer characters ...
 *
 * One file a CPU level in levels/ (cmake/parts.cmake), the fastest that the processor has is taken at run time; the
 * portable one is always there and gives the same bits.
 */
#ifndef TUNDISH_CURATE_SPACE_BITS_H
#define TUNDISH_CURATE_SPACE_BITS_H

#include <stddef.h>
#include <stdint.h>

/* One bit a byte, bit i of word k is byte 64 k + i. Only ASCII is judged here; bytes 0x80 and more are `high`. */
#define SPACE_BITS(X)                                                                               \
    X(space)      /* \t \n \v \f \r, 0x1C to 0x1F, ' ' */                                           \
    X(newline)    /* \n */                                                                          \
    X(letter)     /* a-z A-Z */                                                                     \
    X(high)       /* 0x80 and more */                                                               \
    X(cont)       /* 0x80 to 0xBF: continues a character */                                         \
    X(mark)       /* '#' */                                                                         \
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
extern space_bits_fn space_bits_portable, space_bits_avx2;

/* The levels that this processor has, slowest first; NULL behind the last. */
space_bits_fn *space_bits_level(size_t i);

#endif
