/* Masks of 64 bytes on any processor: the class of each byte from a table, then one bit of eight bytes at a time. */
#include "tokenize/pretok/scan_deepseek.h"

enum { IS_LETTER = 1, IS_NUMBER = 2, IS_SPACE = 4, IS_UPPER = 8, IS_NEWLINE = 16, IS_MARKED = 32,
       IS_HIGH = 64, IS_CONT = 128 };

/* IS_MARKED: a character that a pattern asks for by itself. */
#define FOUR(x) x, x, x, x
#define SIXTEEN(x) FOUR(x), FOUR(x), FOUR(x), FOUR(x)
#define UP (IS_LETTER | IS_UPPER)
static const uint8_t byte_class[256] = {
    [9] = IS_SPACE, [10] = IS_SPACE | IS_NEWLINE, [11] = IS_SPACE, [12] = IS_SPACE,
    [13] = IS_SPACE | IS_NEWLINE, [' '] = IS_SPACE | IS_MARKED, ['\''] = IS_MARKED, ['/'] = IS_MARKED,
    ['0'] = FOUR(IS_NUMBER), FOUR(IS_NUMBER), IS_NUMBER, IS_NUMBER,
    ['A'] = SIXTEEN(UP), FOUR(UP), FOUR(UP), UP, UP,
    ['a'] = SIXTEEN(IS_LETTER), FOUR(IS_LETTER), FOUR(IS_LETTER), IS_LETTER, IS_LETTER,
    [0x80] = SIXTEEN(IS_HIGH | IS_CONT), SIXTEEN(IS_HIGH | IS_CONT), SIXTEEN(IS_HIGH | IS_CONT),
    SIXTEEN(IS_HIGH | IS_CONT),
    [0xC0] = SIXTEEN(IS_HIGH), SIXTEEN(IS_HIGH), SIXTEEN(IS_HIGH), SIXTEEN(IS_HIGH),
};

/* Bit 0 of each of the eight bytes of x, as eight bits. */
static inline uint64_t gather(uint64_t x)
{
    return (x & 0x0101010101010101u) * 0x0102040810204080u >> 56;
}

static inline uint64_t load_little(const unsigned char *p)
{
    uint64_t x = 0;

    for (int k = 0; k < 8; k++)
        x |= (uint64_t)p[k] << 8 * k;
    return x;
}

static inline uint64_t equal_bytes(uint64_t x, unsigned char byte)
{
    uint64_t d = x ^ byte * 0x0101010101010101u, low = 0x7F7F7F7F7F7F7F7Fu;

    return gather(~(((d & low) + low) | d | low) >> 7);
}

static inline void block_read(const unsigned char *p, struct block *b)
{
    b->letter = b->number = b->space = b->upper = b->newline = b->high = b->cont = 0;
    b->blank = b->quote = b->slash = b->sure = 0;
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t x = 0, text = load_little(p + i);

        if ((text & 0x8080808080808080u) == 0x8080808080808080u) {
            b->high |= (uint64_t)0xFF << i;
            b->cont |= gather(~text >> 6) << i;
            continue;
        }
        for (unsigned k = 0; k < 8; k++)
            x |= (uint64_t)byte_class[p[i + k]] << 8 * k;
        b->letter |= gather(x) << i;
        b->number |= gather(x >> 1) << i;
        b->space |= gather(x >> 2) << i;
        b->upper |= gather(x >> 3) << i;
        b->newline |= gather(x >> 4) << i;
        if (x & 0x2020202020202020u) {
            b->blank |= equal_bytes(text, ' ') << i;
            b->quote |= equal_bytes(text, '\'') << i;
            b->slash |= equal_bytes(text, '/') << i;
        }
        if (x & 0x4040404040404040u) {
            b->high |= gather(x >> 6) << i;
            b->cont |= gather(x >> 7) << i;
        }
    }
    b->lower = b->letter & ~b->upper;
}

static inline void block_flatten(uint64_t bits, uint32_t base, uint32_t *out)
{
    for (; bits; bits &= bits - 1)
        *out++ = base + lowest(bits);
}

static uint64_t block_han(const unsigned char *p, const struct block *b)
{
    uint64_t begins = 0;

    for (uint64_t leads = b->high & ~b->cont & bits_below(62); leads; leads &= leads - 1) {
        unsigned i = lowest(leads), cp = (p[i] & 15u) << 12 | (p[i + 1] & 63u) << 6 | (p[i + 2] & 63u);
        bool han = p[i] >= 0xE3 && p[i] <= 0xE9 && (cp - 0x4E00 <= 0x9FA5 - 0x4E00 || cp - 0x3040 < 0xC0);

        begins |= (uint64_t)han << i;
    }
    return begins;
}

static uint64_t block_control(const unsigned char *p)
{
    uint64_t control = 0;

    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t x = load_little(p + i), low = 0x7F7F7F7F7F7F7F7Fu;
        uint64_t high = ((x & low) + 0x6060606060606060u) | x;       /* top bits: from ' ' on */

        control |= gather(~high >> 7) << i | equal_bytes(x, 0x7F) << i;
    }
    return control;
}

static inline uint64_t block_marks(const unsigned char *p, bool space)
{
    uint64_t marks = 0, second = 0, third = 0;

    for (unsigned i = 0; i < 64; i += 8)
        marks |= equal_bytes(load_little(p + i), space ? ' ' : 0xE2) << i;
    if (space || marks == 0)
        return marks;
    for (unsigned i = 0; i < 64; i += 8) {
        second |= equal_bytes(load_little(p + i), 0x96) << i;
        third |= equal_bytes(load_little(p + i), 0x81) << i;
    }
    return marks & second >> 1 & third >> 2;
}

#include "tokenize/pretok/scan_loop.h"
#include "tokenize/pretok/scan_marks_loop.h"

static size_t ascii_well_formed(const unsigned char *p, size_t n)
{
    size_t at = 0;
    uint64_t eight;

    while (n - at >= 8 && (memcpy(&eight, p + at, 8), (eight & 0x8080808080808080u) == 0))
        at += 8;
    return at;
}

const struct scan_level scan_portable = { level_gpt2, level_cl100k, level_o200k, level_deepseek, level_marks, ascii_well_formed };
