/* Any processor: flags of a byte from a table, gathered bit by bit. */
#include "curate/text/space_bits.h"

enum {
    IS_SPACE = 1, IS_LETTER = 2, IS_BLANK = 4, IS_PLAIN = 8, IS_DIGIT = 16, IS_BRACKET = 32, IS_HIGH = 64, IS_CONT = 128
};

#define FOUR(x) x, x, x, x
#define SIXTEEN(x) FOUR(x), FOUR(x), FOUR(x), FOUR(x)
#define LETTER (IS_LETTER | IS_PLAIN)
#define DIGIT (IS_DIGIT | IS_PLAIN)
static const uint8_t byte_class[256] = {
    ['\b'] = IS_BLANK, ['\t'] = IS_SPACE | IS_BLANK, ['\n'] = IS_SPACE | IS_BLANK | IS_PLAIN,
    ['\v'] = IS_SPACE, ['\f'] = IS_SPACE, ['\r'] = IS_SPACE | IS_BLANK, [0x1C] = FOUR(IS_SPACE),
    [' '] = IS_SPACE | IS_BLANK, ['?'] = IS_PLAIN, ['!'] = IS_PLAIN, [','] = IS_PLAIN, ['.'] = IS_PLAIN,
    ['('] = IS_BRACKET, [')'] = IS_BRACKET, ['['] = IS_BRACKET, [']'] = IS_BRACKET,
    ['{'] = IS_BRACKET, ['}'] = IS_BRACKET,
    ['0'] = FOUR(DIGIT), FOUR(DIGIT), DIGIT, DIGIT,
    ['A'] = SIXTEEN(LETTER), FOUR(LETTER), FOUR(LETTER), LETTER, LETTER,
    ['a'] = SIXTEEN(LETTER), FOUR(LETTER), FOUR(LETTER), LETTER, LETTER,
    [0x80] = SIXTEEN(IS_HIGH | IS_CONT), SIXTEEN(IS_HIGH | IS_CONT), SIXTEEN(IS_HIGH | IS_CONT),
    SIXTEEN(IS_HIGH | IS_CONT),
    [0xC0] = SIXTEEN(IS_HIGH), SIXTEEN(IS_HIGH), SIXTEEN(IS_HIGH), SIXTEEN(IS_HIGH),
};

static inline int is_pair(unsigned char a, unsigned char b)
{
    switch (a | 0x20) {
    case 'k': return (b | 0x20) == 'i';
    case 'v': return (b | 0x20) == 'a';
    case 'm':
    case 'p': return (b | 0x20) == 's';
    default: return 0;
    }
}

static void read_block(const unsigned char *p, size_t k, const struct space_bits *out, struct space_counts *c)
{
    uint64_t space = 0, newline = 0, letter = 0, high = 0, cont = 0, mark = 0, colon = 0, pair = 0;

    for (int i = 0; i < 64; i++) {
        uint64_t f = byte_class[p[i]];

        space |= (f & IS_SPACE) << i;
        letter |= (f >> 1 & 1) << i;
        high |= (f >> 6 & 1) << i;
        cont |= (f >> 7) << i;
        newline |= (uint64_t)(p[i] == '\n') << i;
        mark |= (uint64_t)(p[i] == '#') << i;
        colon |= (uint64_t)(p[i] == ':') << i;
        pair |= (uint64_t)is_pair(p[i], p[i + 1]) << i;
        c->letters += f >> 1 & 1;
        c->blanks += f >> 2 & 1;
        c->plain += f >> 3 & 1;
        c->digits += f >> 4 & 1;
        c->brackets += f >> 5 & 1;
        c->highs += f >> 6 & 1;
        c->conts += f >> 7;
    }
#define X(name) out->name[k] = name;
    SPACE_BITS(X)
#undef X
}

void space_bits_portable(const unsigned char *p, size_t blocks, const struct space_bits *out, struct space_counts *c)
{
    for (size_t k = 0; k < blocks; k++)
        read_block(p + 64 * k, k, out, c);
}
