/* The bits come from a level; characters that are not ASCII are put in one by one; words are what lies between the bits
 * of white space. */
#include "curate/text/space_scan.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/status.h"
#include "curate/text/char_class.h"
#include "curate/text/space_class.h"

/* ---- bits ---- */

static void grow_bits(struct space_scan *s, size_t blocks)
{
    uint64_t *p;

    if (blocks + 1 > s->bit_cap) {
        s->bit_cap = (blocks + 1) + (blocks >> 2);
        free(s->bit_words);
        s->bit_words = mem_array(s->bit_cap, 9 * sizeof *s->bit_words);
    }
    p = s->bit_words;
#define X(name) s->bits.name = p; p += s->bit_cap;
    SPACE_BITS(X)
#undef X
    s->alphabetic = p;
}

static struct space_bits bits_from(const struct space_bits *b, size_t k)
{
#define X(name) b->name + k,
    return (struct space_bits){ SPACE_BITS(X) };
#undef X
}

static inline void set_bits(uint64_t *bits, size_t at, size_t n)
{
    for (size_t i = at; i < at + n; i++)
        bits[i / 64] |= UINT64_C(1) << i % 64;
}

/* A character that is not ASCII, n bytes at `at`. */
static inline void put_character(struct space_scan *s, uint32_t cp, size_t at, size_t n)
{
    unsigned f = space_class(cp);

    if (f & SPACE_WHITE)
        set_bits(s->bits.space, at, n);
    if (f & SPACE_LETTER)
        set_bits(s->bits.letter, at, 1);
    if (f & SPACE_ALPHABETIC)
        set_bits(s->alphabetic, at, 1);
    if (cp == 0x2026)
        set_bits(s->bits.mark, at, 1);
    s->more_letters += f >> 1 & 1;
    s->more_alphabetics += f >> 2 & 1;
    s->more_alnums += (f & (SPACE_LETTER | SPACE_NUMBER)) != 0;
    s->angles += f >> 4 & 1;
}

static void put_characters(struct space_scan *s, size_t blocks)
{
    s->more_letters = s->more_alphabetics = s->more_alnums = s->angles = 0;
    memcpy(s->alphabetic, s->bits.letter, blocks * sizeof *s->alphabetic);
    if (s->counts.highs == 0)
        return;
    for (size_t k = 0; k < blocks; k++)
        for (uint64_t leads = s->bits.high[k] & ~s->bits.cont[k]; leads; leads &= leads - 1) {
            size_t at = 64 * k + (size_t)__builtin_ctzll(leads), n;
            uint32_t cp;

            n = char_decode(s->text.p + at, &cp);
            put_character(s, cp, at, n);
        }
}

/* Returns the number of blocks. */
static size_t make_bits(struct space_scan *s, space_bits_fn *level)
{
    size_t n = s->text.n, whole = n ? (n - 1) / 64 : 0, rest = n - 64 * whole, blocks = whole + 1;
    unsigned char tail[72] = { 0 };
    struct space_bits last;

    grow_bits(s, blocks);
    last = bits_from(&s->bits, whole);
    s->counts = (struct space_counts){ 0 };
    level((const unsigned char *)s->text.p, whole, &s->bits, &s->counts);
    if (rest)
        memcpy(tail, s->text.p + 64 * whole, rest);
    level(tail, 1, &last, &s->counts);
    s->chars = n - s->counts.conts;
    put_characters(s, blocks);
    if (rest < 64)                                         /* a word ends where the text does */
        s->bits.space[whole] |= ~UINT64_C(0) << rest;
#define X(name) s->bits.name[blocks] = 0;
    SPACE_BITS(X)
#undef X
    s->alphabetic[blocks] = 0;
    s->bits.space[blocks] = ~UINT64_C(0);
    return blocks;
}

/* ---- words ---- */

static void grow_words(struct space_scan *s, size_t more)
{
    if (s->word_count + more > s->word_cap) {
        s->word_cap = 2 * s->word_cap + more + 256;
        s->words = mem_grow(s->words, s->word_cap, sizeof *s->words);
    }
}

/* Beginnings and ends, by the places where white space begins and ends. */
static void cut_words(struct space_scan *s, size_t blocks)
{
    uint64_t was_space = 1;                                /* of the byte before */
    size_t begun = 0, ended = 0;

    s->word_count = 0;
    for (size_t k = 0; k < blocks; k++) {
        uint64_t space = s->bits.space[k], before = space << 1 | was_space;
        uint64_t starts = ~space & before, ends = space & ~before;
        uint32_t base = (uint32_t)(64 * k);

        s->word_count = begun;
        grow_words(s, 33);
        for (; starts; starts &= starts - 1)
            s->words[begun++].at = base + (uint32_t)__builtin_ctzll(starts);
        for (; ends; ends &= ends - 1)
            s->words[ended++].bytes = base + (uint32_t)__builtin_ctzll(ends);
        was_space = space >> 63;
    }
    if (ended < begun)                                     /* a text that fills its last block */
        s->words[ended].bytes = (uint32_t)s->text.n;
    s->word_count = begun;
}

static inline uint64_t load8(const char *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof x);
    return x;
}

/* The low n bytes of x, n from 1 to 8. */
static inline uint64_t low_bytes(uint64_t x, size_t n) { return x & (~UINT64_C(0) >> (64 - 8 * n)); }

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)a * b;

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

struct head {
    uint64_t lo, hi;               /* a word's first 16 bytes, zeros behind it */
};

static inline struct head head_of(const struct space_scan *s, const struct space_word *w)
{
    const char *p = s->text.p + w->at;
    char copy[16] = { 0 };
    size_t n = w->bytes < 16 ? w->bytes : 16;

    if (s->text.n - w->at < 16)
        p = memcpy(copy, p, n);
    return (struct head){ low_bytes(load8(p), n < 8 ? n : 8), n > 8 ? low_bytes(load8(p + 8), n - 8) : 0 };
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

/* The 64 bits from bit `at` on. */
static inline uint64_t window(const uint64_t *bits, size_t at)
{
    return bits[at / 64] >> at % 64 | bits[at / 64 + 1] << 1 << (63 - at % 64);
}

static inline bool any_bit(const uint64_t *bits, size_t at, size_t n)
{
    for (; n > 64; at += 64, n -= 64)
        if (window(bits, at))
            return true;
    return (window(bits, at) & ~UINT64_C(0) >> (64 - n)) != 0;
}

static inline uint32_t count_bits(const uint64_t *bits, size_t at, size_t n)
{
    uint32_t count = 0;

    for (; n > 64; at += 64, n -= 64)
        count += (uint32_t)__builtin_popcountll(window(bits, at));
    return count + (uint32_t)__builtin_popcountll(window(bits, at) & ~UINT64_C(0) >> (64 - n));
}

static inline uint64_t hash_of(struct head h, const char *p, size_t n)
{
    uint64_t hash = n > 16 ? xxh3(p, n)
                           : fold(h.lo ^ UINT64_C(0xA0761D6478BD642F), h.hi ^ n ^ UINT64_C(0xE7037ED1A0B428DB));

    return hash + (hash == 0);
}

uint64_t space_word_hash(const char *p, size_t n)
{
    const struct space_scan s = { .text = { p, n } };
    const struct space_word w = { .bytes = (uint32_t)n };

    return n ? hash_of(head_of(&s, &w), p, n) : 0;
}

struct sums {
    uint64_t letter, alphabetic, mark, common;
    size_t odd;
};

/* Reads word number i, returns its characters. */
static inline uint32_t read_word(const struct space_scan *s, size_t i, bool high, struct sums *sums)
{
    struct space_word *w = &s->words[i];
    size_t at = w->at, n = w->bytes - at;                  /* was its end */
    bool letter = any_bit(s->bits.letter, at, n), mark = any_bit(s->bits.mark, at, n);
    struct head h;

    w->bytes = (uint32_t)n;
    h = head_of(s, w);
    w->hash = hash_of(h, s->text.p + at, n);
    sums->common += is_common(h.lo) & (n <= 4);
    sums->letter += letter;
    sums->mark += mark;
    s->odd[sums->odd] = (uint32_t)i;
    sums->odd += !letter | mark;
    if (!high)
        return (uint32_t)n;
    sums->alphabetic += any_bit(s->alphabetic, at, n);
    return (uint32_t)n - count_bits(s->bits.cont, at, n);
}

static void grow_read(struct space_scan *s)
{
    if (s->before && s->word_count <= s->read_cap)
        return;
    s->read_cap = s->word_cap;
    s->before = mem_grow(s->before, s->read_cap + 1, sizeof *s->before);
    s->odd = mem_grow(s->odd, s->read_cap + 1, sizeof *s->odd);
}

static void read_words(struct space_scan *s)
{
    struct sums sums = { 0 };
    uint32_t sum = 0, longest = 0;
    struct space_scan own;                                 /* which nobody else's stores can change */

    grow_read(s);
    own = *s;
    for (size_t i = 0; i < own.word_count; i++) {
        uint32_t chars = read_word(&own, i, own.counts.highs, &sums);

        own.before[i] = sum;
        sum += chars;
        longest = chars > longest ? chars : longest;
    }
    s->before[s->word_count] = sum;
    s->odd_count = sums.odd;
    s->letter_words = sums.letter;
    s->alphabetic_words = s->counts.highs ? sums.alphabetic : sums.letter;
    s->mark_words = sums.mark;
    s->common_words = sums.common;
    s->longest_word = longest;
}

/* ---- lines ---- */

struct span space_strip(struct span t)
{
    uint32_t cp;
    size_t n;

    while (t.n > 0) {
        n = char_decode(t.p, &cp);
        if (!(space_class(cp) & SPACE_WHITE))
            break;
        t.p += n;
        t.n -= n;
    }
    while (t.n > 0) {
        n = char_decode_back(t.p, t.p + t.n, &cp);
        if (!(space_class(cp) & SPACE_WHITE))
            break;
        t.n -= n;
    }
    return t;
}

static void add_line(struct space_scan *s, size_t from, size_t to)
{
    struct span core = space_strip((struct span){ s->text.p + from, to - from });

    if (s->line_count == s->line_cap) {
        s->line_cap = s->line_cap ? 2 * s->line_cap : 256;
        s->lines = mem_grow(s->lines, s->line_cap, sizeof *s->lines);
    }
    s->lines[s->line_count++] = (struct space_line){ 0, (uint32_t)from, (uint32_t)(to - from),
                                                     (uint32_t)(core.p - s->text.p), (uint32_t)core.n };
}

static void cut_lines(struct space_scan *s, size_t blocks)
{
    size_t from = 0;

    s->line_count = 0;
    for (size_t k = 0; k < blocks; k++)
        for (uint64_t ends = s->bits.newline[k]; ends; ends &= ends - 1) {
            size_t at = 64 * k + (size_t)__builtin_ctzll(ends);

            add_line(s, from, at);
            from = at + 1;
        }
    add_line(s, from, s->text.n);
}

/* ---- all of it ---- */

uint64_t space_chars(const struct space_scan *s, const char *p, size_t n)
{
    return s->counts.highs ? utf8_length(p, n) : n;
}

void space_scan_with(struct space_scan *s, struct span text, space_bits_fn *level)
{
    size_t blocks;

    BUG_IF(text.n >= UINT32_MAX);
    space_class_init();
    s->text = text;
    s->line_hashes = s->has_grams = false;
    memset(s->has_units, 0, sizeof s->has_units);
    blocks = make_bits(s, level);
    cut_words(s, blocks);
    read_words(s);
    cut_lines(s, blocks);
}

struct space_scan *space_scan_of(struct space_scan **at, struct space_key key)
{
    struct space_scan *s = *at ? *at : (*at = mem_alloc(sizeof *s));
    space_bits_fn *level = space_bits_level(0);

    if (s->valid && s->number == key.number && s->edits == key.edits && s->text.p == key.text.p &&
        s->text.n == key.text.n)
        return s;
    for (size_t i = 1; space_bits_level(i); i++)
        level = space_bits_level(i);
    space_scan_with(s, key.text, level);
    s->number = key.number;
    s->edits = key.edits;
    s->valid = true;
    return s;
}

void space_scan_free(struct space_scan *s)
{
    if (s == NULL)
        return;
    free(s->bit_words);
    free(s->words);
    free(s->before);
    free(s->odd);
    free(s->lines);
    free(s->slots);
    free(s->gram_at);
    free(s->gram_group);
    free(s->gram_number);
    free(s->gram_count);
    free(s->gram_slots);
    free(s->gram_key);
    free(s);
}
