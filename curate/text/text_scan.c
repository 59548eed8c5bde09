#include "curate/text/text_scan.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/status.h"
#include "curate/text/words.h"

/* ---- hashes ---- */

static uint64_t power_slow(size_t n)
{
    uint64_t r = 1, b = HASH_BASE;

    for (; n > 0; n >>= 1, b *= b)
        if (n & 1)
            r *= b;
    return r;
}

uint64_t text_hash_power(size_t n)
{
    static const uint64_t small[] = { 1, HASH_POWER_1, HASH_POWER_2, HASH_POWER_3, HASH_POWER_4, HASH_POWER_5, HASH_POWER_6,
                                      HASH_POWER_7, HASH_POWER_8, HASH_POWER_8 * HASH_POWER_1, HASH_POWER_8 * HASH_POWER_2,
                                      HASH_POWER_8 * HASH_POWER_3, HASH_POWER_8 * HASH_POWER_4, HASH_POWER_8 * HASH_POWER_5,
                                      HASH_POWER_8 * HASH_POWER_6, HASH_POWER_8 * HASH_POWER_7, HASH_POWER_8 * HASH_POWER_8 };

    return n < sizeof small / sizeof small[0] ? small[n] : power_slow(n);
}

uint64_t text_hash(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    uint64_t h = 0;

    for (; n >= 8; n -= 8, u += 8) {
        uint64_t x;

        memcpy(&x, u, 8);
        h = h * HASH_POWER_8 + hash_of_eight(le64toh(x));
    }
    for (; n > 0; n--, u++)
        h = h * HASH_BASE + *u;
    return h;
}

/* ---- tokens ---- */

static struct text_word *new_word(struct text_scan *s)
{
    if (s->word_count == s->word_cap) {
        s->word_cap = s->word_cap ? s->word_cap * 2 : 1024;
        s->words = mem_grow(s->words, s->word_cap, sizeof *s->words);
    }
    return &s->words[s->word_count++];
}

/* A token with a sign may be part of a phrase: joined later (words_phrases.c). */
static void mark(struct text_scan *s, const struct text_word *w)
{
    const char *p = s->text.p + w->at;

    if (w->bytes > WORD_PHRASE_TOKEN_MAX || !word_phrase_token(s->lookup, p, w->bytes, w->hash))
        return;
    if (s->mark_count == s->mark_cap) {
        s->mark_cap = s->mark_cap ? s->mark_cap * 2 : 256;
        s->marks = mem_grow(s->marks, s->mark_cap, sizeof *s->marks);
    }
    s->marks[s->mark_count++] = (size_t)(w - s->words);
}

void word_append(struct text_scan *s, const char *p, const char *end)
{
    struct text_word *w;
    unsigned any = 0, all = WORD_SYMBOL, first;
    size_t n;

    if (p == end)
        return;
    w = new_word(s);
    w->at = (uint32_t)(p - s->text.p);
    w->bytes = (uint32_t)(end - p);
    w->hash = word_hash(s, p, (size_t)(end - p));
    w->power = text_hash_power((size_t)(end - p));
    w->chars = 0;
    first = word_class_at(s->classes, p, &n);
    for (; p < end; p += n, w->chars++) {
        unsigned flags = word_class_at(s->classes, p, &n);

        any |= flags;
        all &= flags;
    }
    w->alpha = any & WORD_LETTER;
    w->symbol = all & WORD_SYMBOL;
    if (!(first & (WORD_LETTER | WORD_DIGIT)))
        mark(s, w);
}

void word_append_plain(struct text_scan *s, const char *p, const char *end, unsigned any)
{
    size_t n = (size_t)(end - p);

    *new_word(s) = (struct text_word){ word_hash(s, p, n), text_hash_power(n), (uint32_t)(p - s->text.p), (uint32_t)n, (uint32_t)n,
                                       any & WORD_LETTER, false };
}

/* A chunk of ASCII letters alone, or digits alone: no rule cuts it, so only special texts are. */
static void add_calm(struct text_scan *s, const char *p, const char *end, unsigned any)
{
    const struct text_word *w;

    word_append_plain(s, p, end, any);
    w = &s->words[s->word_count - 1];
    if (word_hash_may_be_special(s->lookup, w->hash) && w->bytes <= WORD_SPECIAL_MAX) {
        s->word_count--;
        words_of_chunk(s, p, end);
    }
}

/* Is white space of several bytes the end of a line to Python? */
static bool odd_line_end(const char *p)
{
    uint32_t cp;

    char_decode(p, &cp);
    return cp == 0x85 || cp == 0x2028 || cp == 0x2029;
}

static void scan_words(struct text_scan *s)
{
    const uint16_t *ascii = s->classes->ascii;
    const char *p = s->text.p, *end = p + s->text.n;

    s->word_count = 0;
    s->mark_count = 0;
    while (p < end) {
        const char *start = p;
        unsigned any = 0, all = WORD_W, space = 0;
        size_t n = 1;

        while (p < end) {
            unsigned flags;

            if ((unsigned char)*p < 0x80) {
                n = 1;
                flags = ascii[(unsigned char)*p];
            } else {
                flags = word_class_at(s->classes, p, &n) & ~(unsigned)WORD_W;
            }
            if (flags & WORD_SPACE) {
                space = 1;
                break;
            }
            any |= flags;
            all &= flags;
            p += n;
        }
        if (p > start && all && (any & (WORD_PUNCT | WORD_LETTER | WORD_DIGIT)) != (any & (WORD_LETTER | WORD_DIGIT)))
            all = 0;        /* '_' */
        if (p > start && all && (any & (WORD_LETTER | WORD_DIGIT)) != (WORD_LETTER | WORD_DIGIT))
            add_calm(s, start, p, any);
        else if (p > start)
            words_of_chunk(s, start, p);
        if (space) {
            s->odd_lines |= n > 1 ? odd_line_end(p) : (*p > '\n' && *p < ' ' && *p != 0x1F);
            p += n;
        }
    }
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

/* ---- lines ---- */

/* Code points of well-formed text: bytes that do not continue one. */
static uint32_t chars_of(const char *p, size_t n)
{
    uint32_t chars = 0;

    for (size_t i = 0; i < n; i++)
        chars += (p[i] & 0xC0) != 0x80;
    return chars;
}

static void scan_lines(struct text_scan *s)
{
    const char *p = s->text.p, *end = p + s->text.n;

    s->line_count = 0;
    s->chars = 0;
    for (;;) {
        const char *stop = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        size_t n = (size_t)((stop ? stop : end) - p);
        struct text_line *l;

        if (s->line_count == s->line_cap) {
            s->line_cap = s->line_cap ? s->line_cap * 2 : 256;
            s->lines = mem_grow(s->lines, s->line_cap, sizeof *s->lines);
        }
        l = &s->lines[s->line_count++];
        *l = (struct text_line){ text_hash(p, n), (uint32_t)(p - s->text.p), (uint32_t)n,
                                 chars_of(p, n) };
        s->chars += l->chars + (stop != NULL);
        if (stop == NULL)
            return;
        p = stop + 1;
    }
}

void text_scan_by(struct text_scan *s, struct span text, enum words_rules rules)
{
    BUG_IF(text.n > UINT32_MAX);
    s->classes = word_class_init();
    s->lookup = word_lookup_init();
    s->rules = rules;
    s->text = text;
    s->odd_lines = false;
    scan_lines(s);
    scan_words(s);
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
    free(s->tail);
    free(s->marks);
    free(s->edits);
    free(s->other);
    *s = (struct text_scan){ 0 };
}
