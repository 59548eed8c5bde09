/* Masks of 64 bytes with AVX-512 (BW); ends written with VBMI2. */
#include <immintrin.h>

#include "tokenize/pretok/scan_deepseek.h"
#include "tokenize/pretok/scan_utf8.h"

static inline uint64_t in_range(__m512i x, char first, char count)
{
    return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8(first)), _mm512_set1_epi8(count));
}

static inline uint64_t equal(__m512i x, char byte)
{
    return _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8(byte));
}

static inline void read_wide(__m512i x, struct block *b)
{
    struct sure_bytes m = { .e3 = equal(x, (char)0xE3), .e4 = equal(x, (char)0xE4),
                            .e5_e9 = in_range(x, (char)0xE5, 5), .xb7 = equal(x, (char)0xB7) };

    b->cont = in_range(x, (char)0x80, 0x40);
    if (m.e3) {
        m.x81 = equal(x, (char)0x81);
        m.x82 = equal(x, (char)0x82);
        m.x83 = equal(x, (char)0x83);
        m.x80 = equal(x, (char)0x80);
        m.x97_9c = in_range(x, (char)0x97, 6);
        m.xa0 = equal(x, (char)0xA0);
        m.xbb = equal(x, (char)0xBB);
    }
    b->sure = sure_letters(&m);
}

static inline void block_read(const unsigned char *p, struct block *b)
{
    __m512i x = _mm512_loadu_si512(p);

    b->letter = in_range(_mm512_or_si512(x, _mm512_set1_epi8(0x20)), 'a', 26);
    b->upper = in_range(x, 'A', 26);
    b->lower = b->letter & ~b->upper;
    b->number = in_range(x, '0', 10);
    b->blank = equal(x, ' ');
    b->space = b->blank | in_range(x, '\t', 5);
    b->newline = equal(x, '\n') | equal(x, '\r');
    b->quote = equal(x, '\'');
    b->slash = equal(x, '/');
    b->high = _mm512_movepi8_mask(x);
    b->cont = b->sure = 0;
    if (b->high)
        read_wide(x, b);
}

static inline void block_flatten(uint64_t bits, uint32_t base, uint32_t *out)
{
    const __m512i places = _mm512_set_epi8(
        63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40,
        39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,
        15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i from = _mm512_set1_epi32((int)base), at = _mm512_maskz_compress_epi8(bits, places);
    unsigned count = (unsigned)_mm_popcnt_u64(bits);

    _mm512_storeu_si512(out, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(at))));
    if (count > 16)
        _mm512_storeu_si512(out + 16, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(
                                                                _mm512_extracti32x4_epi32(at, 1))));
    if (count > 32) {
        _mm512_storeu_si512(out + 32, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(
                                                                _mm512_extracti32x4_epi32(at, 2))));
        _mm512_storeu_si512(out + 48, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(
                                                                _mm512_extracti32x4_epi32(at, 3))));
    }
}

static inline uint64_t utf8_read(const unsigned char *p, struct utf8_bytes *u)
{
    __m512i x = _mm512_loadu_si512(p);
    uint64_t high = _mm512_movepi8_mask(x);

    if (high) {
        u->cont = in_range(x, (char)0x80, 0x40);
        u->three = in_range(x, (char)0xE0, 16);
        u->four = in_range(x, (char)0xF0, 5);
        u->never = in_range(x, (char)0xC0, 2) | in_range(x, (char)0xF5, 11);
        u->e0 = equal(x, (char)0xE0);
        u->ed = equal(x, (char)0xED);
        u->f0 = equal(x, (char)0xF0);
        u->f4 = equal(x, (char)0xF4);
        u->low_a0 = in_range(x, (char)0x80, 32);
        u->low_90 = in_range(x, (char)0x80, 16);
    }
    return high;
}

static uint64_t block_han(const unsigned char *p, const struct block *b)
{
    __m512i x = _mm512_loadu_si512(p);
    struct han_bytes m = { .e3 = equal(x, (char)0xE3), .e4 = equal(x, (char)0xE4),
                           .e5_e8 = in_range(x, (char)0xE5, 4), .e9 = equal(x, (char)0xE9),
                           .x81_83 = in_range(x, (char)0x81, 3), .xb8_bf = in_range(x, (char)0xB8, 8) };

    if (m.e9) {
        m.xbe = equal(x, (char)0xBE);
        m.xbe_bf = in_range(x, (char)0xBE, 2);
        m.x80_a5 = in_range(x, (char)0x80, 0x26);
    }
    return han_begins(&m);
}

static uint64_t block_control(const unsigned char *p)
{
    __m512i x = _mm512_loadu_si512(p);

    return in_range(x, 0, 0x20) | equal(x, 0x7F);
}

static inline uint64_t block_marks(const unsigned char *p, bool space)
{
    __m512i x = _mm512_loadu_si512(p);

    return space ? equal(x, ' ') : equal(x, (char)0xE2) & equal(x, (char)0x96) >> 1 & equal(x, (char)0x81) >> 2;
}

#include "tokenize/pretok/scan_loop.h"
#include "tokenize/pretok/scan_marks_loop.h"
#include "tokenize/pretok/scan_utf8_loop.h"

const struct scan_level scan_avx512 = { level_gpt2, level_cl100k, level_o200k, level_deepseek, level_marks, level_well_formed };
