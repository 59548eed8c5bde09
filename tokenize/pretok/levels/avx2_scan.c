/* Masks of 64 bytes with AVX2. */
#include <immintrin.h>

#include "tokenize/pretok/scan_algebra.h"

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
    b->cont = b->ideograph = 0;
    if (b->high) {
        __m256i lead = _mm256_set1_epi8((char)0xC0);

        b->cont = mask_of(_mm256_cmpgt_epi8(lead, x), _mm256_cmpgt_epi8(lead, y));
        b->ideograph = mask_of(in_range(_mm256_xor_si256(x, _mm256_set1_epi8((char)0x80)), 0x69, 5),
                               in_range(_mm256_xor_si256(y, _mm256_set1_epi8((char)0x80)), 0x69, 5));
    }
}

/* Eight at a time: a mispredicted end costs more than ends that nobody wants. */
static inline void block_flatten(uint64_t bits, uint32_t base, uint32_t *out)
{
    do {
        for (int k = 0; k < 8; k++) {
            out[k] = base + (uint32_t)_tzcnt_u64(bits);
            bits &= bits - 1;
        }
        out += 8;
    } while (bits);
}

#include "tokenize/pretok/scan_loop.h"

const struct scan_level scan_avx2 = { level_gpt2, level_cl100k, level_o200k };
