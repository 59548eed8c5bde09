/* 64 bytes as two registers of AVX2. */
#include <immintrin.h>

#include "curate/text/space_level_part.h"

struct wide {
    __m256i a, b;
};

static inline uint64_t mask_of(struct wide w)
{
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(w.a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(w.b) << 32;
}

static inline struct wide equal(struct wide x, char byte)
{
    __m256i want = _mm256_set1_epi8(byte);

    return (struct wide){ _mm256_cmpeq_epi8(x.a, want), _mm256_cmpeq_epi8(x.b, want) };
}

/* Bytes last-count+1 .. last: moved to the top of the signed ones. */
static inline struct wide in_range(struct wide x, char last, char count)
{
    __m256i move = _mm256_set1_epi8((char)(127 - last)), from = _mm256_set1_epi8((char)(127 - count));

    return (struct wide){ _mm256_cmpgt_epi8(_mm256_add_epi8(x.a, move), from),
                          _mm256_cmpgt_epi8(_mm256_add_epi8(x.b, move), from) };
}

static inline struct wide either(struct wide x, struct wide y)
{
    return (struct wide){ _mm256_or_si256(x.a, y.a), _mm256_or_si256(x.b, y.b) };
}

static inline struct wide both(struct wide x, struct wide y)
{
    return (struct wide){ _mm256_and_si256(x.a, y.a), _mm256_and_si256(x.b, y.b) };
}

static inline struct wide load(const unsigned char *p)
{
    return (struct wide){ _mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)(p + 32)) };
}

static inline struct wide small(struct wide x)
{
    __m256i bit = _mm256_set1_epi8(0x20);

    return (struct wide){ _mm256_or_si256(x.a, bit), _mm256_or_si256(x.b, bit) };
}

static void bits_avx2(const unsigned char *p, size_t blocks, const struct space_bits *out, struct space_counts *c)
{
    __m256i top = _mm256_set1_epi8(-64);

    for (size_t k = 0; k < blocks; k++) {
        struct wide x = load(p + 64 * k), y = small(x), z = small(load(p + 64 * k + 1));
        struct wide newline = equal(x, '\n'), letter = in_range(y, 'z', 26), digit = in_range(x, '9', 10);
        struct wide plain = either(either(equal(x, '?'), equal(x, '!')), either(equal(x, ','), equal(x, '.')));
        struct wide blank = either(in_range(x, '\n', 3), either(equal(x, '\r'), equal(x, ' ')));
        struct wide bracket = either(in_range(x, ')', 2), either(equal(y, '{'), equal(y, '}')));
        struct wide pair = either(both(equal(y, 'k'), equal(z, 'i')), both(equal(y, 'v'), equal(z, 'a')));
        struct wide space, cont = { _mm256_cmpgt_epi8(top, x.a), _mm256_cmpgt_epi8(top, x.b) };

        pair = either(pair, both(either(equal(y, 'm'), equal(y, 'p')), equal(z, 's')));
        plain = either(either(plain, newline), either(letter, digit));
        space = either(in_range(x, '\r', 5), equal(x, ' '));
        out->gap[k] = mask_of(space);
        out->space[k] = mask_of(either(space, in_range(x, 0x1F, 4)));
        out->wordy[k] = mask_of(either(either(letter, digit), equal(x, '_')));
        out->quote[k] = mask_of(either(equal(x, '"'), equal(x, '/')));
        out->newline[k] = mask_of(newline);
        out->letter[k] = mask_of(letter);
        out->high[k] = mask_of(x);
        out->cont[k] = mask_of(cont);
        out->mark[k] = mask_of(equal(x, '#'));
        out->colon[k] = mask_of(equal(x, ':'));
        out->pair[k] = mask_of(pair);
        c->blanks += ones(mask_of(blank));
        c->plain += ones(mask_of(plain));
        c->digits += ones(mask_of(digit));
        c->brackets += ones(mask_of(bracket));
        c->letters += ones(out->letter[k]);
        c->conts += ones(out->cont[k]);
        c->highs += ones(out->high[k]);
    }
}

/* As many numbers as there are bits, in eights: what is too much is overwritten by the next block. */
static inline void put_eight(uint32_t *out, uint64_t *bits, uint32_t base)
{
    for (int i = 0; i < 8; i++) {
        out[i] = base + (uint32_t)_tzcnt_u64(*bits);
        *bits = _blsr_u64(*bits);
    }
}

static void borders_of(const struct space_words_args *a)
{
    uint64_t top = 1;                                      /* white space before the text */
    uint32_t *out = a->borders;

    for (size_t k = 0; k <= a->blocks; k++) {
        uint64_t space = a->bits->space[k], borders = space ^ moved(space, &top);
        uint32_t count = (uint32_t)ones(borders), base = (uint32_t)(64 * k);

        put_eight(out, &borders, base);
        put_eight(out + 8, &borders, base);
        put_eight(out + 16, &borders, base);
        for (uint32_t done = 24; done < count; done += 8)
            put_eight(out + done, &borders, base);
        out += count;
    }
}

static void words_avx2(const struct space_words_args *a, struct space_words *out)
{
    borders_of(a);
    words_of_borders(a, out);
}

static void sums_avx2(const struct space_sums_args *a, struct space_sums *out) { sums_of_bits(a, out); }

static void triples_avx2(const unsigned char *p, size_t blocks, const char want[3], uint64_t *out)
{
    for (size_t k = 0; k < blocks; k++, p += 64)
        out[k] = mask_of(both(both(equal(load(p), want[0]), equal(load(p + 1), want[1])), equal(load(p + 2), want[2])));
}

const struct space_level space_level_avx2 = { bits_avx2, sums_avx2, words_avx2, triples_avx2 };
