/*
 * The part of a level (space_bits.h) that is plain C: words from bits. Each level's file compiles it with its processor's
 * instructions for counting and finding bits.
 *
 * Words are runs of bits that are not white space. A word without any bit of a kind is found by one addition: its first bit
 * added to the run of all its bits carries out of the word's end, and stops where a bit of the kind is left out.
 */
#ifndef TUNDISH_CURATE_SPACE_LEVEL_PART_H
#define TUNDISH_CURATE_SPACE_LEVEL_PART_H

#include "base/hash.h"
#include "curate/text/space_bits.h"

static inline uint64_t ones(uint64_t x) { return (uint64_t)__builtin_popcountll(x); }

static inline uint64_t add_carry(uint64_t a, uint64_t b, uint64_t *carry)
{
    uint64_t sum;
    unsigned over = __builtin_add_overflow(a, b, &sum);

    over |= __builtin_add_overflow(sum, *carry, &sum);
    *carry = over;
    return sum;
}

/* Ends (the bytes behind) of words without a bit of `has`. */
static inline uint64_t ends_without(uint64_t word, uint64_t has, uint64_t starts, uint64_t *carry)
{
    return add_carry(word & ~has, starts, carry) & ~word;
}

/* Bits moved up by one; the top one goes to the next block. */
static inline uint64_t moved(uint64_t bits, uint64_t *top)
{
    uint64_t out = bits << 1 | *top;

    *top = bits >> 63;
    return out;
}

static inline void sums_of_bits(const struct space_sums_args *a, struct space_sums *out)
{
    const struct space_bits *b = a->bits;
    uint64_t word_top = 0, wordy_top = 0, sign_top = 0, letter_carry = 0, alphabetic_carry = 0, mark_carry = 0;
    uint64_t no_letter = 0, no_alphabetic = 0, no_mark = 0;
    uint32_t conts = 0;

    *out = (struct space_sums){ 0 };
    for (size_t k = 0; k <= a->blocks; k++) {
        uint64_t word = ~b->space[k], starts = word & ~moved(word, &word_top);
        uint64_t wordy = b->wordy[k], sign = ~(wordy | b->gap[k]);

        out->words += ones(starts);
        out->word_chars += ones(word & ~b->cont[k]);
        out->tokens += ones(wordy & ~moved(wordy, &wordy_top)) + ones(sign & ~moved(sign, &sign_top));
        a->letterless[k] = ends_without(word, b->letter[k], starts, &letter_carry);
        no_letter += ones(a->letterless[k]);
        no_mark += ones(ends_without(word, b->mark[k], starts, &mark_carry));
        if (a->alphabetic)
            no_alphabetic += ones(ends_without(word, a->alphabetic[k], starts, &alphabetic_carry));
        a->conts_before[k] = conts;
        conts += (uint32_t)ones(b->cont[k]);
    }
    out->letter_words = out->words - no_letter;
    out->alphabetic_words = a->alphabetic ? out->words - no_alphabetic : out->letter_words;
    out->mark_words = out->words - no_mark;
}

static inline uint64_t load8(const char *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof x);
    return x;
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)a * b;

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

struct head {
    uint64_t lo, hi;               /* a word's first 16 bytes, zeros behind it */
};

/* Of a word of n bytes; 16 bytes are read. */
static inline struct head head_at(const char *p, size_t n)
{
#define LOW(n) (~UINT64_C(0) >> (64 - 8 * (n)))
#define ALL ~UINT64_C(0)
    static const struct head masks[17] = {
        { 0, 0 },
        { LOW(1), 0 }, { LOW(2), 0 }, { LOW(3), 0 }, { LOW(4), 0 }, { LOW(5), 0 }, { LOW(6), 0 }, { LOW(7), 0 },
        { ALL, 0 }, { ALL, LOW(1) }, { ALL, LOW(2) }, { ALL, LOW(3) }, { ALL, LOW(4) }, { ALL, LOW(5) },
        { ALL, LOW(6) }, { ALL, LOW(7) }, { ALL, ALL },
    };
#undef LOW
#undef ALL
    const struct head *mask = &masks[n < 16 ? n : 16];

    return (struct head){ load8(p) & mask->lo, load8(p + 8) & mask->hi };
}

/* A byte sequence as the processor loads it. */
#define LETTERS(a, b, c, d) \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

/* Each of the words has a place of its own in the table: every third word is one, so there is no branch. */
static inline bool is_common(uint64_t lo)
{
    static const uint32_t words[16] = {
        [1] = LETTERS('t', 'h', 'e', 0),
        [3] = LETTERS('t', 'o', 0, 0),
        [4] = LETTERS('h', 'a', 'v', 'e'),
        [5] = LETTERS('t', 'h', 'a', 't'),
        [7] = LETTERS('w', 'i', 't', 'h'),
        [12] = LETTERS('o', 'f', 0, 0),
        [14] = LETTERS('a', 'n', 'd', 0),
        [15] = LETTERS('b', 'e', 0, 0),
    };

    return words[(uint32_t)((uint32_t)lo * 0xCD613E31u) >> 28] == lo;
}

/* The hashes of words of at most 16 bytes, and of longer ones. */
static inline uint64_t hash_of_head(struct head h, size_t n)
{
    return fold(h.lo ^ UINT64_C(0xA0761D6478BD642F), h.hi ^ n ^ UINT64_C(0xE7037ED1A0B428DB));
}

static inline uint64_t hash_of_long(const char *p, size_t n) { return xxh3(p, n); }

/* The 64 bits from bit `at` on. */
static inline uint64_t window(const uint64_t *bits, size_t at)
{
    return bits[at / 64] >> at % 64 | bits[at / 64 + 1] << 1 << (63 - at % 64);
}

static inline uint32_t count_bits(const uint64_t *bits, size_t at, size_t n)
{
    uint32_t count = 0;

    for (; n > 64; at += 64, n -= 64)
        count += (uint32_t)ones(window(bits, at));
    return count + (uint32_t)ones(window(bits, at) & ~UINT64_C(0) >> (64 - n));
}

/* Characters of the words. */
static inline void measure_words(const struct space_words_args *a, struct space_words *out)
{
    const uint32_t *borders = a->borders;
    const uint64_t *cont = a->bits->cont;
    uint32_t *before = out->before, sum = 0, longest = 0;

    for (size_t i = 0; i < a->count; i++) {
        uint32_t at = borders[2 * i], to = borders[2 * i + 1], chars = to - at;

        before[i] = sum;
        if (a->high && (chars > 64 || (cont[at / 64] | cont[to / 64])))
            chars -= count_bits(cont, at, chars);
        sum += chars;
        longest = chars > longest ? chars : longest;
    }
    before[a->count] = sum;
    out->longest = longest;
}

/* Hashes of words 0 to count - 1; 16 bytes are read from where each begins. Returns how many are longer than that: their
 * numbers stand at the front of the borders, behind which reading already is. */
static inline size_t hash_words(const struct space_words_args *a, size_t count, struct space_words *out)
{
    const char *text = a->text.p;
    struct space_word *words = out->words;
    uint32_t *borders = a->borders;
    uint64_t common = 0;
    size_t many = 0;

    for (size_t i = 0; i < count; i++) {
        uint32_t at = borders[2 * i], n = borders[2 * i + 1] - at;
        struct head h = head_at(text + at, n);

        words[i] = (struct space_word){ hash_of_head(h, n), at, n };
        common += is_common(h.lo) & (n <= 4);
        borders[many] = (uint32_t)i;
        many += n > 16;
    }
    out->common = common;
    return many;
}

/* The last words of a text, from a copy with room behind it: they begin in its last 15 bytes. */
static inline void hash_last_words(const struct space_words_args *a, size_t first, struct space_words *out)
{
    uint32_t from = first < a->count ? a->borders[2 * first] : 0;
    char copy[48] = { 0 };

    if (first < a->count)
        memcpy(copy, a->text.p + from, a->text.n - from);
    for (size_t i = first; i < a->count; i++) {
        uint32_t at = a->borders[2 * i], n = a->borders[2 * i + 1] - at;
        struct head h = head_at(copy + (at - from), n);

        out->words[i] = (struct space_word){ hash_of_head(h, n), at, n };
        out->common += is_common(h.lo) & (n <= 4);
    }
}

/* From the borders to the words. */
static inline void words_of_borders(const struct space_words_args *a, struct space_words *out)
{
    size_t whole = a->count, many;

    while (whole > 0 && a->text.n - a->borders[2 * (whole - 1)] < 16)
        whole--;
    measure_words(a, out);
    many = hash_words(a, whole, out);
    for (size_t k = 0; k < many; k++) {
        struct space_word *w = &out->words[a->borders[k]];

        w->hash = hash_of_long(a->text.p + w->at, w->bytes);
    }
    hash_last_words(a, whole, out);
}

#endif
