#include "curate/text/text_scan.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/status.h"
#include "curate/text/words.h"

uint64_t text_hash(const char *p, size_t n)
{
    char copy[16] = { 0 };

    if (n == 0 || n > sizeof copy)
        return xxh3(p, n);
    return word_hash_short(memcpy(copy, p, n), n);
}

/* ---- bits ---- */

/* Room for the bits of so many blocks, and one block behind them. */
static void grow_bits(struct text_scan *s, size_t blocks)
{
    uint64_t *p;

    if (blocks + 1 > s->bit_cap) {
        s->bit_cap = blocks + 1 + (blocks >> 2);
        free(s->bit_words);
        s->bit_words = mem_array(s->bit_cap, 9 * sizeof *s->bit_words);
    }
    p = s->bit_words;
#define X(name) s->bits.name = p; p += s->bit_cap;
    SPACE_BITS(X)
#undef X
    s->signs = p;
}

/* Is white space of several bytes the end of a line to Python? */
static bool odd_line_end(uint32_t cp) { return cp == 0x85 || cp == 0x2028 || cp == 0x2029; }

static void put_space(struct text_scan *s, size_t at)
{
    uint32_t cp;
    size_t n = char_decode(s->text.p + at, &cp);

    s->odd_letters |= cp == 0x212A;
    if (!(word_class(s->classes, cp) & WORD_SPACE))
        return;
    s->odd_lines |= odd_line_end(cp);
    for (size_t i = at; i < at + n; i++)
        s->bits.space[i / 64] |= UINT64_C(1) << i % 64;
}

/* White space that is not ASCII begins with one of few bytes; so do odd letters. */
static void put_spaces(struct text_scan *s, size_t blocks)
{
    for (size_t k = 0; k < blocks; k++)
        for (uint64_t leads = s->bits.high[k] & ~s->bits.cont[k]; leads; leads &= leads - 1) {
            size_t at = 64 * k + (size_t)__builtin_ctzll(leads);
            unsigned char lead = (unsigned char)s->text.p[at];

            if (lead == 0xC2 || (lead >= 0xE1 && lead <= 0xE3))
                put_space(s, at);
            if (lead == 0xC4)
                s->odd_letters |= (unsigned char)s->text.p[at + 1] == 0xB0;
        }
}

/* Is there one of \v \f \r 0x1C 0x1D 0x1E? */
static bool has_odd_end(struct span text)
{
    unsigned odd = 0;

    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        odd |= (unsigned)((unsigned char)(c - '\v') < 3) | (unsigned)((unsigned char)(c - 0x1C) < 3);
    }
    return odd;
}

/* Bits behind the text are white space. Sets odd_lines, high and chars, too. */
static size_t make_bits(struct text_scan *s)
{
    size_t n = s->text.n, whole = n ? (n - 1) / 64 : 0, rest = n - 64 * whole, blocks = whole + 1;
    space_bits_fn *level = space_level(0)->bits;
    struct space_counts counts = { 0 };
    unsigned char tail[72] = { 0 };

    for (size_t i = 1; space_level(i); i++)
        level = space_level(i)->bits;
    grow_bits(s, blocks);
    level((const unsigned char *)s->text.p, whole, &s->bits, &counts);
    if (rest)
        memcpy(tail, s->text.p + 64 * whole, rest);
#define X(name) s->bits.name + whole,
    level(tail, 1, &(struct space_bits){ SPACE_BITS(X) }, &counts);
#undef X
    s->odd_lines = has_odd_end(s->text);
    s->odd_letters = false;
    s->high = counts.highs != 0;
    s->chars = n - counts.conts;
    if (s->high)
        put_spaces(s, blocks);
    if (rest < 64)
        s->bits.space[whole] |= ~UINT64_C(0) << rest;
    s->bits.space[blocks] = ~UINT64_C(0);
    s->signs[blocks] = 0;
    for (size_t k = 0; k < blocks; k++)
        s->signs[k] = ~(s->bits.space[k] | s->bits.letter[k]);
    return blocks;
}

/* ---- lines ---- */

static void add_line(struct text_scan *s, size_t from, size_t to)
{
    const char *p = s->text.p + from;
    size_t n = to - from;

    if (s->line_count == s->line_cap) {
        s->line_cap = s->line_cap ? s->line_cap * 2 : 256;
        s->lines = mem_grow(s->lines, s->line_cap, sizeof *s->lines);
    }
    s->lines[s->line_count++] = (struct text_line){ xxh3(p, n), (uint32_t)from, (uint32_t)n,
                                                    (uint32_t)(s->high ? utf8_length(p, n) : n) };
}

static void cut_lines(struct text_scan *s, size_t blocks)
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

struct span word_strip(const struct word_classes *c, struct span text)
{
    size_t n;

    while (text.n > 0 && (word_class_at(c, text.p, &n) & WORD_SPACE)) {
        text.p += n;
        text.n -= n;
    }
    while (text.n > 0 && (word_class_before(c, text.p, text.p + text.n, &n) & WORD_SPACE))
        text.n -= n;
    return text;
}

/* ---- a text ---- */

void text_scan_by(struct text_scan *s, struct span text, enum words_rules rules)
{
    BUG_IF(text.n >= UINT32_MAX);
    s->classes = word_class_init();
    s->lookup = word_lookup_init();
    s->rules = rules;
    s->text = text;
    cut_lines(s, make_bits(s));
    words_of_text(s);
    words_join_phrases(s);
}

void text_scan(struct text_scan *s, struct span text) { text_scan_by(s, text, WORDS_ENGLISH); }

void text_scan_shared(struct text_scan *s, struct span text, enum words_rules rules)
{
    uint64_t key[2] = { xxh3(text.p, text.n), text.n };

    if (s->made && s->rules == rules && memcmp(s->key, key, sizeof key) == 0) {
        s->text = text;
        return;
    }
    text_scan_by(s, text, rules);
    memcpy(s->key, key, sizeof key);
    s->made = true;
}

void text_scan_release(struct text_scan *s)
{
    free(s->words);
    free(s->lines);
    free(s->bit_words);
    free(s->tail);
    free(s->marks);
    free(s->edits);
    free(s->other);
    *s = (struct text_scan){ 0 };
}
