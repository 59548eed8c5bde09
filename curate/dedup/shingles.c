#include "curate/dedup/shingles.h"

#include <utf8proc.h>

#include "base/arena.h"
#include "curate/text/char_class.h"

#define K0 UINT64_C(0xA0761D6478BD642F)
#define K1 UINT64_C(0xE7037ED1A0B428DB)
#define K2 UINT64_C(0x8EBC6AF09C88C6E3)
#define SMALL UINT64_C(0x2020202020202020)   /* makes ASCII letters small and leaves digits */

/* ---- hashes of words ---- */

/* The two halves of a 128-bit product, folded. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 p = (unsigned __int128)a * b;

    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* 1 to 8 bytes, in an order of their own. */
static inline uint64_t load(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    uint32_t low, high;

    if (n < 4)
        return u[0] | (uint64_t)u[n / 2] << 8 | (uint64_t)u[n - 1] << 16;
    memcpy(&low, p, 4);
    memcpy(&high, p + n - 4, 4);
    return low | (uint64_t)high << 32;
}

/* n > 0; `or` goes over all bytes: SMALL for ASCII letters and digits of any case,
 * 0 for what is in small letters already. */
static inline uint64_t hash_word(const char *p, size_t n, uint64_t or)
{
    uint64_t h = K0 ^ n ^ or;

    for (; n > 8; p += 8, n -= 8)
        h = fold(h ^ (load(p, 8) | or), K1);
    return fold(h ^ (load(p, n) | or), K2);
}

/* ---- words ---- */

/* What a character is to a word. */
enum part { PART_NONE, PART_OF_WORD, PART_ALONE };

static enum part part_of(uint32_t cp)
{
    if (cp < 0x80)
        return (char_class_ascii[cp] & (CHAR_ALPHA | CHAR_DIGIT)) ? PART_OF_WORD : PART_NONE;
    /* scripts without spaces: Thai, Lao, Tibetan to Myanmar, Khmer, kana and ideographs */
    if ((cp >= 0xE00 && cp < 0x10A0) || (cp >= 0x1780 && cp < 0x1800) ||
        (cp >= 0x3040 && cp < 0x3100) || (cp >= 0x3400 && cp < 0xA000) ||
        (cp >= 0xF900 && cp < 0xFB00) || (cp >= 0x20000 && cp < 0x40000))
        return PART_ALONE;
    switch (utf8proc_category((utf8proc_int32_t)cp)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return PART_OF_WORD;
    default: return PART_NONE;
    }
}

/* A word with characters that are not ASCII, from p on. Small letters go to a piece of memory that
 * is hashed when it is full, so that a word may be of any length. Returns where it ends. */
static const char *wide_word(const char *p, const char *end, uint64_t *hash)
{
    char small[68];
    size_t n = 0;
    uint32_t cp;

    *hash = 0;
    while (p < end) {
        size_t bytes = char_decode(p, &cp);
        enum part part = part_of(cp);

        if (part == PART_NONE || (part == PART_ALONE && (n > 0 || *hash != 0)))
            break;
        p += bytes;
        n += utf8_encode((uint32_t)utf8proc_tolower((utf8proc_int32_t)cp), small + n);
        if (n > 64) {
            *hash = fold(*hash ^ hash_word(small, n, 0), K1) | 1;
            n = 0;
        }
        if (part == PART_ALONE)
            break;
    }
    if (n > 0)
        *hash ^= hash_word(small, n, 0);
    return p;
}

static void add(struct shingles *s, uint64_t h)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 1024;
        s->v = mem_grow(s->v, s->cap, sizeof *s->v);
    }
    s->v[s->count++] = h;
}

/* The hashes of the words, in order. */
static void scan_words(struct shingles *s, struct span text)
{
    const char *p = text.p, *end = p + text.n;

    s->count = 0;
    while (p < end) {
        const char *start = p;
        uint64_t hash;
        uint32_t cp;

        while (p < end && (unsigned char)*p < 0x80 &&
               (char_class_ascii[(unsigned char)*p] & (CHAR_ALPHA | CHAR_DIGIT)))
            p++;
        if (p < end && (unsigned char)*p >= 0x80) {
            enum part part;

            char_decode(p, &cp);
            part = part_of(cp);
            if (part == PART_OF_WORD || (part == PART_ALONE && p == start)) {
                p = wide_word(start, end, &hash);
                add(s, hash);
                continue;
            }
        }
        if (p > start)
            add(s, hash_word(start, (size_t)(p - start), SMALL));
        else
            p += char_decode(p, &cp);
    }
}

void shingles_of(struct shingles *s, struct span text, int n)
{
    size_t words;

    char_class_init();
    scan_words(s, text);
    words = s->count;
    s->count = words >= (size_t)n ? words - (size_t)n + 1 : 0;
    for (size_t i = 0; i < s->count; i++) {      /* in place: word i is not needed behind gram i */
        uint64_t h = s->v[i];

        for (int j = 1; j < n; j++)
            h = h * K1 + s->v[i + (size_t)j];
        s->v[i] = fold(h ^ K0, K2);
    }
}

void shingles_sample(struct shingles *s, uint64_t k)
{
    uint64_t below = UINT64_MAX / k;
    size_t n = 0;

    for (size_t i = 0; i < s->count; i++)
        if (fold(s->v[i], K1) <= below)
            s->v[n++] = s->v[i];
    s->count = n;
}

/* ---- sets ---- */

#define FEW 32             /* sorted by insertion */
#define BUCKETS_MAX 65536

static void sort_few(uint64_t *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint64_t x = v[i];
        size_t j = i;

        for (; j > 0 && v[j - 1] > x; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

static int by_size(const void *va, const void *vb)
{
    uint64_t a = *(const uint64_t *)va, b = *(const uint64_t *)vb;

    return a < b ? -1 : a > b;
}

/* Hashes are spread evenly: their highest bits put nearly every one where it belongs, and what
 * falls into one bucket is few, or many times the same. spare: room for n, and a number a
 * bucket behind it. */
static void sort_many(uint64_t *v, size_t n, uint64_t *spare, int bits)
{
    size_t buckets = (size_t)1 << bits, from = 0;
    uint32_t *ends = (uint32_t *)(spare + n), sum = 0;

    memset(ends, 0, buckets * sizeof *ends);
    for (size_t i = 0; i < n; i++)
        ends[v[i] >> (64 - bits)]++;
    for (size_t b = 0; b < buckets; b++) {
        uint32_t count = ends[b];
        ends[b] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        spare[ends[v[i] >> (64 - bits)]++] = v[i];
    memcpy(v, spare, n * sizeof *v);
    for (size_t b = 0; b < buckets; from = ends[b++]) {
        if (ends[b] - from <= FEW)
            sort_few(v + from, ends[b] - from);
        else
            qsort(v + from, ends[b] - from, sizeof *v, by_size);
    }
}

/* Buckets for n numbers: about four in each. */
static int bucket_bits(size_t n)
{
    int bits = 4;

    while (((size_t)4 << bits) < n && (1 << bits) < BUCKETS_MAX)
        bits++;
    return bits;
}

void shingles_set(struct shingles *s)
{
    size_t n = 0;

    if (s->count <= FEW) {
        sort_few(s->v, s->count);
    } else {
        int bits = bucket_bits(s->count);
        size_t want = s->count + ((size_t)1 << bits);

        if (s->spare_cap < want) {
            s->spare_cap = want;
            s->spare = mem_grow(s->spare, s->spare_cap, sizeof *s->spare);
        }
        sort_many(s->v, s->count, s->spare, bits);
    }
    for (size_t i = 0; i < s->count; i++)
        if (i == 0 || s->v[i] != s->v[i - 1])
            s->v[n++] = s->v[i];
    s->count = n;
}

void shingles_release(struct shingles *s)
{
    free(s->v);
    free(s->spare);
    *s = (struct shingles){ 0 };
}

double shingles_jaccard(const struct shingles *a, const struct shingles *b)
{
    size_t i = 0, j = 0, both = 0;

    while (i < a->count && j < b->count) {
        uint64_t x = a->v[i], y = b->v[j];

        both += x == y;
        i += x <= y;
        j += y <= x;
    }
    return a->count + b->count ? (double)both / (double)(a->count + b->count - both) : 0;
}
