/* Any processor: flags of a byte from a table, gathered bit by bit. */
#include "curate/text/space_level_part.h"

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
    uint64_t wordy = 0, gap = 0, quote = 0;

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
        wordy |= (uint64_t)((f & (IS_LETTER | IS_DIGIT)) != 0 || p[i] == '_') << i;
        gap |= (uint64_t)((f & IS_SPACE) && (p[i] < 0x1C || p[i] == ' ')) << i;
        quote |= (uint64_t)(p[i] == '"' || p[i] == '/') << i;
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

static void bits_portable(const unsigned char *p, size_t blocks, const struct space_bits *out, struct space_counts *c)
{
    for (size_t k = 0; k < blocks; k++)
        read_block(p + 64 * k, k, out, c);
}

static void borders_of(const struct space_words_args *a)
{
    uint64_t top = 1;                                      /* white space before the text */
    uint32_t *out = a->borders;

    for (size_t k = 0; k <= a->blocks; k++) {
        uint64_t space = a->bits->space[k], borders = space ^ moved(space, &top);

        for (; borders; borders &= borders - 1)
            *out++ = (uint32_t)(64 * k) + (uint32_t)__builtin_ctzll(borders);
    }
}

static void words_portable(const struct space_words_args *a, struct space_words *out)
{
    borders_of(a);
    words_of_borders(a, out);
}

static void sums_portable(const struct space_sums_args *a, struct space_sums *out) { sums_of_bits(a, out); }

static void triples_portable(const unsigned char *p, size_t blocks, const char want[3], uint64_t *out)
{
    for (size_t k = 0; k < blocks; k++) {
        out[k] = 0;
        for (size_t i = 0; i < 64; i++)
            out[k] |= (uint64_t)(memcmp(p + 64 * k + i, want, 3) == 0) << i;
    }
}

const struct space_level space_level_portable = { bits_portable, sums_portable, words_portable, triples_portable };
