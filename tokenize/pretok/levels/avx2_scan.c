/* Masks of 64 bytes with AVX2. */
#include <immintrin.h>

#include "tokenize/pretok/scan_deepseek.h"
#include "tokenize/pretok/scan_utf8.h"

/* Bytes first..first+count-1 as -1. Bytes are signed to the processor: the range is moved to the top of the positive ones. */
static inline __m256i in_range(__m256i x, char last, char count)
{
    return _mm256_cmpgt_epi8(_mm256_add_epi8(x, _mm256_set1_epi8((char)(127 - last))),
                             _mm256_set1_epi8((char)(127 - count)));
}

static inline uint64_t mask_of(__m256i a, __m256i b)
{
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(a) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
}

static inline uint64_t equal(__m256i a, __m256i b, char byte)
{
    __m256i want = _mm256_set1_epi8(byte);

    return mask_of(_mm256_cmpeq_epi8(a, want), _mm256_cmpeq_epi8(b, want));
}

/* The same for bytes 0x80 and more. */
static inline uint64_t in_high(__m256i a, __m256i b, unsigned char last, char count)
{
    __m256i top = _mm256_set1_epi8((char)0x80);

    return mask_of(in_range(_mm256_xor_si256(a, top), (char)(last ^ 0x80), count),
                   in_range(_mm256_xor_si256(b, top), (char)(last ^ 0x80), count));
}

static inline void read_wide(__m256i x, __m256i y, struct block *b)
{
    struct sure_bytes m = { .e3 = equal(x, y, (char)0xE3), .e4 = equal(x, y, (char)0xE4),
                            .e5_e9 = in_high(x, y, 0xE9, 5), .xb7 = equal(x, y, (char)0xB7) };

    b->cont = in_high(x, y, 0xBF, 0x40);
    if (m.e3) {
        m.x81 = equal(x, y, (char)0x81);
        m.x82 = equal(x, y, (char)0x82);
        m.x83 = equal(x, y, (char)0x83);
        m.x80 = equal(x, y, (char)0x80);
        m.x97_9c = in_high(x, y, 0x9C, 6);
        m.xa0 = equal(x, y, (char)0xA0);
        m.xbb = equal(x, y, (char)0xBB);
    }
    b->sure = sure_letters(&m);
}

static inline void block_read(const unsigned char *p, struct block *b)
{
    __m256i x = _mm256_loadu_si256((const __m256i *)p);
    __m256i y = _mm256_loadu_si256((const __m256i *)(p + 32));
    __m256i fold = _mm256_set1_epi8(0x20);

    b->letter = mask_of(in_range(_mm256_or_si256(x, fold), 'z', 26),
                        in_range(_mm256_or_si256(y, fold), 'z', 26));
    b->upper = mask_of(in_range(x, 'Z', 26), in_range(y, 'Z', 26));
    b->lower = b->letter & ~b->upper;
    b->number = mask_of(in_range(x, '9', 10), in_range(y, '9', 10));
    b->blank = equal(x, y, ' ');
    b->space = b->blank | mask_of(in_range(x, '\r', 5), in_range(y, '\r', 5));
    b->newline = equal(x, y, '\n') | equal(x, y, '\r');
    b->quote = equal(x, y, '\'');
    b->slash = equal(x, y, '/');
    b->high = mask_of(x, y);
    b->cont = b->sure = 0;
    if (b->high)
        read_wide(x, y, b);
}

/* Eight more ends from bits, of which those that are not there mean nothing. */
static inline uint64_t eight_ends(uint64_t bits, uint32_t base, uint32_t *out)
{
    for (int k = 0; k < 8; k++) {
        out[k] = base + (uint32_t)_tzcnt_u64(bits);
        bits &= bits - 1;
    }
    return bits;
}

/* Sixteen are written in any case: a mispredicted end of a loop costs more, and a block of prose has a dozen. */
static inline void block_flatten(uint64_t bits, uint32_t base, uint32_t *out)
{
    bits = eight_ends(bits, base, out);
    bits = eight_ends(bits, base, out + 8);
    for (out += 16; bits; out += 8)
        bits = eight_ends(bits, base, out);
}

static inline uint64_t utf8_read(const unsigned char *p, struct utf8_bytes *u)
{
    __m256i x = _mm256_loadu_si256((const __m256i *)p);
    __m256i y = _mm256_loadu_si256((const __m256i *)(p + 32));
    uint64_t high = mask_of(x, y);

    if (high) {
        u->cont = in_high(x, y, 0xBF, 0x40);
        u->three = in_high(x, y, 0xEF, 16);
        u->four = in_high(x, y, 0xF4, 5);
        u->never = in_high(x, y, 0xC1, 2) | in_high(x, y, 0xFF, 11);
        u->e0 = equal(x, y, (char)0xE0);
        u->ed = equal(x, y, (char)0xED);
        u->f0 = equal(x, y, (char)0xF0);
        u->f4 = equal(x, y, (char)0xF4);
        u->low_a0 = in_high(x, y, 0x9F, 32);
        u->low_90 = in_high(x, y, 0x8F, 16);
    }
    return high;
}

static uint64_t block_han(const unsigned char *p, const struct block *b)
{
    __m256i x = _mm256_loadu_si256((const __m256i *)p);
    __m256i y = _mm256_loadu_si256((const __m256i *)(p + 32));
    struct han_bytes m = { .e3 = equal(x, y, (char)0xE3), .e4 = equal(x, y, (char)0xE4),
                           .e5_e8 = in_high(x, y, 0xE8, 4), .e9 = equal(x, y, (char)0xE9),
                           .x81_83 = in_high(x, y, 0x83, 3), .xb8_bf = in_high(x, y, 0xBF, 8) };

    if (m.e9) {
        m.xbe = equal(x, y, (char)0xBE);
        m.xbe_bf = in_high(x, y, 0xBF, 2);
        m.x80_a5 = in_high(x, y, 0xA5, 0x26);
    }
    return han_begins(&m);
}

static uint64_t block_control(const unsigned char *p)
{
    __m256i x = _mm256_loadu_si256((const __m256i *)p);
    __m256i y = _mm256_loadu_si256((const __m256i *)(p + 32));

    return mask_of(in_range(x, 0x1F, 0x20), in_range(y, 0x1F, 0x20)) | equal(x, y, 0x7F);
}

static inline uint64_t block_marks(const unsigned char *p, bool space)
{
    __m256i x = _mm256_loadu_si256((const __m256i *)p);
    __m256i y = _mm256_loadu_si256((const __m256i *)(p + 32));

    return space ? equal(x, y, ' ')
                 : equal(x, y, (char)0xE2) & equal(x, y, (char)0x96) >> 1 & equal(x, y, (char)0x81) >> 2;
}

#include "tokenize/pretok/scan_loop.h"
#include "tokenize/pretok/scan_marks_loop.h"
#include "tokenize/pretok/scan_utf8_loop.h"

const struct scan_level scan_avx2 = { level_gpt2, level_cl100k, level_o200k, level_deepseek, level_marks, level_well_formed };
