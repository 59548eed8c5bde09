/* The bits come from a level; characters that are not ASCII are put in one by one; words are what lies between the bits
 * of white space. */
#include "curate/text/space_scan.h"

#include "base/arena.h"
#include "base/status.h"
#include "curate/text/char_class.h"
#include "curate/text/space_class.h"
#include "curate/text/space_level_part.h"

/* ---- bits ---- */

enum {
#define X(name) BITS_##name,
    SPACE_BITS(X)
#undef X
    BIT_KINDS
};

static void grow_bits(struct space_scan *s, size_t blocks)
{
    uint64_t *p;

    if (blocks + 1 > s->bit_cap) {
        s->bit_cap = (blocks + 1) + (blocks >> 2);
        free(s->bit_words);
        s->bit_words = mem_array(s->bit_cap, (BIT_KINDS + 3) * sizeof *s->bit_words);
        s->conts_before = mem_grow(s->conts_before, s->bit_cap, sizeof *s->conts_before);
    }
    p = s->bit_words;
#define X(name) s->bits.name = p; p += s->bit_cap;
    SPACE_BITS(X)
#undef X
    s->alphabetic = p;
    s->letterless = p + s->bit_cap;
    s->found = p + 2 * s->bit_cap;
}

static struct space_bits bits_from(const struct space_bits *b, size_t k)
{
#define X(name) b->name + k,
    return (struct space_bits){ SPACE_BITS(X) };
#undef X
}

/* n from 1 to 4. */
static inline void set_bits(uint64_t *bits, size_t at, size_t n)
{
    uint64_t ones_here = (UINT64_C(1) << n) - 1;

    bits[at / 64] |= ones_here << at % 64;
    bits[at / 64 + 1] |= ones_here >> 1 >> (63 - at % 64);
}

/* A character that is not ASCII, n bytes at `at`. */
static inline void put_character(struct space_scan *s, uint32_t cp, size_t at, size_t n)
{
    unsigned f = space_class(cp);

    if (f & SPACE_WHITE) {
        set_bits(s->bits.space, at, n);
        set_bits(s->bits.gap, at, n);
    }
    if (f & SPACE_WORDY)
        set_bits(s->bits.wordy, at, n);
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
    if (s->counts.highs == 0)
        return;
    memcpy(s->alphabetic, s->bits.letter, blocks * sizeof *s->alphabetic);
    for (size_t k = 0; k < blocks; k++)
        for (uint64_t leads = s->bits.high[k] & ~s->bits.cont[k]; leads; leads &= leads - 1) {
            size_t at = 64 * k + (size_t)__builtin_ctzll(leads), n;
            uint32_t cp;

            n = char_decode(s->text.p + at, &cp);
            put_character(s, cp, at, n);
        }
}

static void clear_bits(struct space_scan *s, size_t block)
{
#define X(name) s->bits.name[block] = 0;
    SPACE_BITS(X)
#undef X
    s->alphabetic[block] = 0;
}

static void make_bits(struct space_scan *s)
{
    size_t n = s->text.n, whole = n ? (n - 1) / 64 : 0, rest = n - 64 * whole, blocks = whole + 1;
    unsigned char tail[72] = { 0 };
    struct space_bits last;

    grow_bits(s, blocks);
    last = bits_from(&s->bits, whole);
    s->blocks = blocks;
    s->counts = (struct space_counts){ 0 };
    s->level->bits((const unsigned char *)s->text.p, whole, &s->bits, &s->counts);
    if (rest)
        memcpy(tail, s->text.p + 64 * whole, rest);
    s->level->bits(tail, 1, &last, &s->counts);
    s->chars = n - s->counts.conts;
    clear_bits(s, blocks);
    put_characters(s, blocks);
    if (rest < 64) {                                       /* a word ends where the text does */
        s->bits.space[whole] |= ~UINT64_C(0) << rest;
        s->bits.gap[whole] |= ~UINT64_C(0) << rest;
    }
    s->bits.space[blocks] = s->bits.gap[blocks] = ~UINT64_C(0);
}

const uint64_t *space_triples(struct space_scan *s, const char want[3])
{
    size_t from = s->blocks > 2 ? s->blocks - 2 : 0;       /* from a copy: the level looks behind its last block */
    unsigned char tail[136] = { 0 };

    s->level->triples((const unsigned char *)s->text.p, from, want, s->found);
    if (s->text.n > 64 * from)
        memcpy(tail, s->text.p + 64 * from, s->text.n - 64 * from);
    s->level->triples(tail, s->blocks - from, want, s->found + from);
    return s->found;
}

/* ---- words ---- */

static void sum_words(struct space_scan *s)
{
    s->level->sums(&(struct space_sums_args){ .bits = &s->bits, .alphabetic = s->counts.highs ? s->alphabetic : NULL,
                                              .blocks = s->blocks, .letterless = s->letterless, .conts_before = s->conts_before }, &s->sums);
    s->word_count = s->sums.words;
}

static void grow_words(struct space_scan *s)
{
    if (s->list.words && s->word_count <= s->word_cap)
        return;
    s->word_cap = s->word_count + s->word_count / 4 + 256;
    s->list.words = mem_grow(s->list.words, s->word_cap, sizeof *s->list.words);
    s->list.before = mem_grow(s->list.before, s->word_cap + 1, sizeof *s->list.before);
    s->borders = mem_grow(s->borders, 2 * s->word_cap + SPACE_BORDERS_SPARE, sizeof *s->borders);
}

const struct space_words *space_words(struct space_scan *s)
{
    if (s->has_words)
        return &s->list;
    grow_words(s);
    s->level->words(&(struct space_words_args){ .text = s->text, .bits = &s->bits, .blocks = s->blocks, .count = s->word_count,
                                                .high = s->counts.highs > 0, .borders = s->borders }, &s->list);
    s->has_words = true;
    return &s->list;
}

uint64_t space_word_hash(const char *p, size_t n)
{
    char copy[32] = { 0 };

    memcpy(copy, p, n < 16 ? n : 16);
    if (n > 16)
        return hash_of_long(p, n);
    return n ? hash_of_head(head_at(copy, n), n) : 0;
}

/* ---- lines ---- */

struct span space_strip(struct span t)
{
    uint32_t cp;
    size_t n;

    while (t.n > 0 && !(*t.p > ' ')) {                     /* ASCII that is no white space: nothing to ask */
        n = char_decode(t.p, &cp);
        if (!(space_class(cp) & SPACE_WHITE))
            break;
        t.p += n;
        t.n -= n;
    }
    while (t.n > 0 && !(t.p[t.n - 1] > ' ')) {
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

static void cut_lines(struct space_scan *s)
{
    size_t from = 0;

    s->line_count = 0;
    for (size_t k = 0; k < s->blocks; k++)
        for (uint64_t ends = s->bits.newline[k]; ends; ends &= ends - 1) {
            size_t at = 64 * k + (size_t)__builtin_ctzll(ends);

            add_line(s, from, at);
            from = at + 1;
        }
    add_line(s, from, s->text.n);
}

/* ---- all of it ---- */

/* Bytes that continue a character, of the first n. */
static uint64_t conts_to(const struct space_scan *s, size_t n)
{
    return s->conts_before[n / 64] + ones(s->bits.cont[n / 64] & ((UINT64_C(1) << n % 64) - 1));
}

uint64_t space_chars(const struct space_scan *s, const char *p, size_t n)
{
    size_t at = (size_t)(p - s->text.p);

    return s->counts.highs ? n - (conts_to(s, at + n) - conts_to(s, at)) : n;
}

void space_scan_with(struct space_scan *s, struct span text, const struct space_level *level)
{
    BUG_IF(text.n >= UINT32_MAX);
    space_class_init();
    s->text = text;
    s->level = level;
    s->has_words = s->line_hashes = s->has_grams = false;
    memset(s->has_units, 0, sizeof s->has_units);
    make_bits(s);
    sum_words(s);
    cut_lines(s);
}

struct space_scan *space_scan_of(struct space_scan **at, struct space_key key)
{
    struct space_scan *s = *at ? *at : (*at = mem_alloc(sizeof *s));
    const struct space_level *level = space_level(0);

    if (s->valid && s->number == key.number && s->edits == key.edits && s->text.p == key.text.p &&
        s->text.n == key.text.n)
        return s;
    for (size_t i = 1; space_level(i); i++)
        level = space_level(i);
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
    free(s->conts_before);
    free(s->borders);
    free(s->list.words);
    free(s->list.before);
    free(s->lines);
    free(s->slots);
    free(s->gram_at);
    free(s->gram_group);
    free(s->gram_number);
    free(s->gram_count);
    free(s->gram_slots);
    free(s->gram_key);
    free(s->gram_seen);
    free(s);
}
