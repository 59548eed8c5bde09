/* A text becomes chunks, by its bits; those of letters alone, or of letters and one sign, are words here already. */
#include "base/arena.h"
#include "curate/text/words.h"

/* ---- words ---- */

static void grow_words(struct text_scan *s)
{
    s->word_cap = s->word_cap ? s->word_cap * 2 : 1024;
    s->words = mem_grow(s->words, s->word_cap, sizeof *s->words);
}

static inline struct text_word *new_word(struct text_scan *s)
{
    if (s->word_count == s->word_cap)
        grow_words(s);
    return &s->words[s->word_count++];
}

void word_mark(struct text_scan *s, size_t word)
{
    if (s->mark_count == s->mark_cap) {
        s->mark_cap = s->mark_cap ? s->mark_cap * 2 : 256;
        s->marks = mem_grow(s->marks, s->mark_cap, sizeof *s->marks);
    }
    s->marks[s->mark_count++] = word;
}

void word_append(struct text_scan *s, const char *p, const char *end)
{
    struct text_word *w;
    const char *start = p;
    unsigned any = 0, all = WORD_SYMBOL, first;
    size_t n;

    if (p == end)
        return;
    w = new_word(s);
    *w = (struct text_word){ word_hash(s, p, (size_t)(end - p)), (uint32_t)(p - s->text.p), (uint32_t)(end - p), 0, false, false };
    first = word_class_at(s->classes, p, &n);
    for (; p < end; p += n, w->chars++) {
        unsigned flags = word_class_at(s->classes, p, &n);

        any |= flags;
        all &= flags;
    }
    w->alpha = any & WORD_LETTER;
    w->symbol = all & WORD_SYMBOL;
    if (!(first & (WORD_LETTER | WORD_DIGIT)) && w->bytes <= WORD_PHRASE_TOKEN_MAX &&
        word_phrase_token(s->lookup, start, w->bytes, w->hash))
        word_mark(s, s->word_count - 1);
}

static inline void append_hashed(struct text_scan *s, uint64_t hash, const char *p, size_t n, bool letter)
{
    *new_word(s) = (struct text_word){ hash, (uint32_t)(p - s->text.p), (uint32_t)n, (uint32_t)n, letter, false };
}

void word_append_plain(struct text_scan *s, const char *p, const char *end, bool letter)
{
    append_hashed(s, word_hash(s, p, (size_t)(end - p)), p, (size_t)(end - p), letter);
}

/* ---- chunks ---- */

/* n ASCII letters: no rule cuts them, so only special texts are. False: it may be one. */
static inline bool add_letters(struct text_scan *s, const char *p, size_t n)
{
    uint64_t hash = word_hash(s, p, n);

    if (word_letters_may_be_special(s->lookup, hash) && word_special_find(s->lookup, p, n, hash, true))
        return false;
    append_hashed(s, hash, p, n, true);
    return true;
}

/* A sign of ASCII that is a token. */
static inline void add_sign(struct text_scan *s, const char *p)
{
    unsigned char sign = (unsigned char)*p;

    *new_word(s) = (struct text_word){ word_hash(s, p, 1), (uint32_t)(p - s->text.p), 1, 1, false,
                                       s->classes->ascii[sign] & WORD_SYMBOL };
    if (word_sign_in_phrase(s->lookup, sign))
        word_mark(s, s->word_count - 1);
}

/* Is what stands behind n letters at p, one byte at the end of the chunk, a token for sure? */
static inline bool is_tail(const struct text_scan *s, const char *p, size_t n)
{
    const uint16_t *ascii = s->classes->ascii;
    unsigned char sign = (unsigned char)p[n];

    if (sign == '.')
        return ascii[(unsigned char)p[n - 1]] & WORD_BEFORE_DOT;
    return sign < 0x80 && sign != '$' && (ascii[sign] & WORD_SUFFIX);
}

static inline bool may_be_special(const struct text_scan *s, const char *p, size_t n)
{
    return word_may_be_special(s->lookup, p, n) && word_hash_may_be_special(s->lookup, word_hash(s, p, n));
}

/* Letters and one sign behind them, n bytes. False: it takes a closer look. */
static inline bool add_letters_and_sign(struct text_scan *s, const char *p, size_t n)
{
    if (!is_tail(s, p, n - 1) || (word_tail_may_be_special(s->lookup, p, n) && may_be_special(s, p, n)) || !add_letters(s, p, n - 1))
        return false;
    add_sign(s, p + n - 1);
    return true;
}

/* A sign, letters behind it and perhaps one sign more. */
static bool add_wrapped(struct text_scan *s, const char *p, size_t n, bool tail)
{
    unsigned char head = (unsigned char)*p;

    if (head >= 0x80 || !(s->classes->ascii[head] & WORD_PREFIX) || may_be_special(s, p, n) || may_be_special(s, p + 1, n - 1) ||
        (tail && (!is_tail(s, p + 1, n - 2) || may_be_special(s, p, n - 1))))
        return false;
    add_sign(s, p);
    if (add_letters(s, p + 1, n - 1 - tail)) {
        if (tail)
            add_sign(s, p + n - 1);
        return true;
    }
    s->word_count--;
    s->mark_count -= word_sign_in_phrase(s->lookup, head);
    return false;
}

/* One byte, or digits alone: nothing to cut. */
static bool add_simple(struct text_scan *s, const char *p, size_t n)
{
    const char *end = p + n;

    if (n == 1 && (unsigned char)*p < 0x80 && !is_digit09(*p)) {
        add_sign(s, p);
        return true;
    }
    if (n > 16)
        return false;
    for (const char *q = p; q < end; q++)
        if (!is_digit09(*q))
            return false;
    if (word_hash_may_be_special(s->lookup, word_hash(s, p, n)))
        return false;
    word_append_plain(s, p, end, false);
    return true;
}

/* n bytes at p; signs: the bits of those that are no letters. */
static inline void add_chunk(struct text_scan *s, const char *p, size_t n, uint64_t signs)
{
    uint64_t last = UINT64_C(1) << (n - 1);
    bool done;

    if (signs == 0)
        done = add_letters(s, p, n);
    else if (n == 1 || signs == 2 * last - 1)
        done = add_simple(s, p, n);
    else if (signs == last)
        done = add_letters_and_sign(s, p, n);
    else
        done = (signs & ~last) == 1 && n > 2 - (signs == 1) && add_wrapped(s, p, n, signs & last);
    if (!done)
        words_of_chunk(s, p, p + n);
}

/* The 64 bits from bit `at` on. */
static inline uint64_t window(const uint64_t *bits, size_t at)
{
    return bits[at / 64] >> at % 64 | bits[at / 64 + 1] << 1 << (63 - at % 64);
}

/* Bytes from `at` on that are no white space. */
static size_t run_of(const uint64_t *space, size_t at, size_t end)
{
    size_t n = 0;

    while (at + n < end) {
        uint64_t w = window(space, at + n);

        if (w)
            return n + (size_t)__builtin_ctzll(w);
        n += 64;
    }
    return end - at;
}

void words_of_text(struct text_scan *s)
{
    const uint64_t *space = s->bits.space;
    const char *text = s->text.p;

    s->word_count = 0;
    s->mark_count = 0;
    for (size_t at = 0, end = s->text.n; at < end;) {
        uint64_t w = window(space, at);
        const char *p = text + at;
        size_t n;

        if (w & 1) {
            at += ~w ? (size_t)__builtin_ctzll(~w) : 64;
            continue;
        }
        if (w == 0) {
            n = run_of(space, at, end);
            words_of_chunk(s, p, p + n);
        } else {
            n = (size_t)__builtin_ctzll(w);
            add_chunk(s, p, n, window(s->signs, at) & ((UINT64_C(1) << n) - 1));
        }
        at += n + 1;
    }
}
