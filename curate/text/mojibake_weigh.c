#include <utf8proc.h>

#include "curate/text/mojibake_part.h"

/* ---- sequences ---- */

static unsigned byte_of(const struct piece *p, size_t i, int encoding)
{
    return i < p->n ? p->bytes[i][encoding] : 0;
}

struct sequence mojibake_sequence(const struct piece *p, size_t i, int encoding)
{
    unsigned lead = byte_of(p, i, encoding);
    size_t n = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char utf8[4] = { (char)lead };
    uint32_t becomes;

    for (size_t k = 1; k < n; k++) {
        unsigned b = byte_of(p, i + k, encoding);

        if (b < 0x80 || b > 0xbf)
            return (struct sequence){ 0, 0 };
        utf8[k] = (char)b;
    }
    if (n == 0 || utf8_decode(utf8, utf8 + n, &becomes) != n)
        return (struct sequence){ 0, 0 };
    return (struct sequence){ n, becomes };
}

/* ---- characters ---- */

enum look {
    LOOK_OTHER,        /* white space, digits, ASCII signs, the ends of the piece */
    LOOK_LOWER,
    LOOK_UPPER,
    LOOK_LETTER,       /* without case */
    LOOK_CLOSING,      /* what stands behind words: quotes, dashes, dots, small figures */
    LOOK_SIGN,         /* other signs beyond ASCII */
    LOOK_CONTROL,
};

static bool closes(uint32_t c)
{
    static const uint16_t list[] = { 0xa0, 0xa9, 0xaa, 0xab, 0xae, 0xb0, 0xb2, 0xb3, 0xb4, 0xb7, 0xb9, 0xba, 0xbb, 0x2013,
                                     0x2014, 0x2015, 0x2018, 0x2019, 0x201a, 0x201c, 0x201d, 0x201e, 0x2020, 0x2022,
                                     0x2026, 0x2039, 0x203a, 0x2122 };

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (list[i] == c)
            return true;
    return false;
}

static enum look look(uint32_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z' ? LOOK_LOWER : c >= 'A' && c <= 'Z' ? LOOK_UPPER : LOOK_OTHER;
    if (c < 0xa0)
        return LOOK_CONTROL;
    if (closes(c))
        return LOOK_CLOSING;
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LT:
        return LOOK_UPPER;
    case UTF8PROC_CATEGORY_LL:
        return LOOK_LOWER;
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
        return LOOK_LETTER;
    default:
        return LOOK_SIGN;
    }
}

static enum look look_of(const struct piece *p, size_t i) { return look(i < p->n ? p->c[i] : ' '); }

static bool is_letter(enum look l) { return l == LOOK_LOWER || l == LOOK_UPPER || l == LOOK_LETTER; }

bool mojibake_is_letter(uint32_t c) { return is_letter(look(c)); }

/* Latin, Greek and Cyrillic letters as numbers; 0: none of them. */
static int alphabet(uint32_t c)
{
    if ((c | 32) >= 'a' && (c | 32) <= 'z')
        return 1;
    if (c >= 0xc0 && c < 0x250 && c != 0xd7 && c != 0xf7)
        return 1;
    return c >= 0x386 && c < 0x400 ? 2 : c >= 0x400 && c < 0x530 ? 3 : 0;
}

/* ---- what a sequence would become ---- */

enum result { RESULT_BAD, RESULT_MARK, RESULT_LATIN, RESULT_SIGN, RESULT_SCRIPT, RESULT_EMOJI };

static bool within(uint32_t c, const uint32_t (*ranges)[2])
{
    for (; (*ranges)[1] != 0; ranges++)
        if (c >= (*ranges)[0] && c <= (*ranges)[1])
            return true;
    return false;
}

static enum result result_of(uint32_t c)
{
    static const uint32_t latin[][2] = { { 0xc0, 0xd6 }, { 0xd8, 0xf6 }, { 0xf8, 0x2ff },
                                         { 0x1e00, 0x1eff }, { 0xfb01, 0xfb02 }, { 0, 0 } };
    static const uint32_t signs[][2] = { { 0xa0, 0xbf }, { 0xd7, 0xd7 }, { 0xf7, 0xf7 }, { 0x2009, 0x2027 },
                                         { 0x202f, 0x205e }, { 0x20a0, 0x20bf }, { 0x2100, 0x214f }, { 0x2190, 0x22ff },
                                         { 0x2500, 0x27bf }, { 0x3000, 0x3003 }, { 0x3008, 0x3011 }, { 0xfeff, 0xfeff },
                                         { 0xff01, 0xff5e }, { 0xfffd, 0xfffd }, { 0, 0 } };
    static const uint32_t scripts[][2] = { { 0x386, 0x3ce }, { 0x401, 0x45f }, { 0x490, 0x4ff }, { 0x531, 0x587 },
                                           { 0x5b0, 0x5ea }, { 0x61b, 0x6d5 }, { 0x7c0, 0x7fa }, { 0x900, 0xe5b }, { 0xe81, 0x109f },
                                           { 0x10d0, 0x10ff }, { 0x1200, 0x167f }, { 0x1780, 0x18af },
                                           { 0x1f00, 0x1ffc }, { 0x2d30, 0x2dde }, { 0x3041, 0x30ff },
                                           { 0x3400, 0xabf9 },
                                           { 0xac00, 0xd7a3 }, { 0, 0 } };
    static const uint32_t emoji[][2] = { { 0x1f000, 0x1faff }, { 0x20000, 0x2ffff }, { 0, 0 } };

    if (c >= 0x300 && c < 0x370)
        return RESULT_MARK;
    if (within(c, latin))
        return RESULT_LATIN;
    if (within(c, signs))
        return RESULT_SIGN;
    if (within(c, emoji))
        return RESULT_EMOJI;
    if (within(c, scripts) && utf8proc_category((utf8proc_int32_t)c) != UTF8PROC_CATEGORY_CN)
        return RESULT_SCRIPT;
    return RESULT_BAD;
}

/* Scripts whose letters stand beside each other: Chinese, kana and their signs are one. */
static uint32_t script_of(uint32_t c)
{
    static const uint32_t starts[] = { 0x386, 0x400, 0x530, 0x590, 0x600, 0x900, 0x980, 0xa00, 0xa80, 0xb00, 0xb80, 0xc00,
                                       0xc80, 0xd00, 0xd80, 0xe00, 0xe80, 0xf00, 0x10a0, 0x1200, 0x1400, 0x1780, 0x1800, 0x1f00, 0x2d30, 0x3000, 0xa000,
                                       0xac00 };
    uint32_t script = 0;

    for (size_t i = 0; i < sizeof starts / sizeof starts[0] && c >= starts[i]; i++)
        script = (uint32_t)i + 1;
    return c >= 0x1f00 && c < 0x2000 ? 1 : script;      /* Greek with accents */
}

/* ---- weighing ---- */

/* How odd the characters i to i+n-1 stand there, 0 to 5. */
static int oddness(const struct piece *p, size_t i, size_t n)
{
    enum look before = i > 0 ? look_of(p, i - 1) : LOOK_OTHER, after = look_of(p, i + n), lead = look_of(p, i);
    enum look last = look_of(p, i + n - 1), previous = lead;
    int odd = n > 2 ? 1 : 0, signs = 0, alphabets = alphabet(p->c[i]);
    bool all_close = true;

    for (size_t k = 1; k < n; k++) {
        enum look l = look_of(p, i + k);

        if (l == LOOK_CONTROL)
            odd += 3;
        signs += !is_letter(l);
        all_close = all_close && l == LOOK_CLOSING;
        odd += previous == LOOK_LOWER && l == LOOK_UPPER;
        previous = l;
    }
    odd += before == LOOK_LOWER && lead == LOOK_UPPER ? 2 : 0;
    odd += last == LOOK_LOWER && after == LOOK_UPPER;
    if (i > 0 && is_letter(before) && alphabets > 0 && alphabet(p->c[i - 1]) != alphabets)
        odd += 2;
    else if (i + n < p->n && is_letter(after) && signs == 0 && alphabets > 0 && alphabet(p->c[i + n]) != alphabets)
        odd += 2;
    if (!is_letter(lead) && !is_letter(before) && !is_letter(after))
        return odd > 1 && lead != LOOK_CONTROL ? 1 : odd;      /* signs among signs: formulas */
    if (signs > 0 && is_letter(after))
        odd += 3;
    else if (signs > 0 && !all_close)
        odd += 2;
    else if (signs > 0)
        odd += !(before == LOOK_UPPER && lead == LOOK_UPPER);
    if (signs > 0 && i > 0 && p->c[i - 1] >= '0' && p->c[i - 1] <= '9' && is_letter(lead))
        odd++;
    if (!is_letter(lead) && is_letter(before))
        odd += is_letter(after) ? 3 : 1;
    return odd < 5 ? odd : 5;
}

/* A letter that would stand in the wrong case between its neighbours. */
static bool case_clashes(const struct piece *p, size_t i, size_t n, uint32_t becomes)
{
    enum look before = i > 0 ? look_of(p, i - 1) : LOOK_OTHER, after = look_of(p, i + n);
    bool upper = utf8proc_category((utf8proc_int32_t)becomes) == UTF8PROC_CATEGORY_LU;

    if (upper)
        return before == LOOK_LOWER;
    return before == LOOK_UPPER && after == LOOK_UPPER;
}

struct weighing {
    const struct piece *p;
    int encoding;
    bool *mend;
    int gain, sequences;
    bool whole;           /* all characters beyond ASCII are parts of sequences */
    size_t last;          /* where the last sequence that gave a letter of a script began; SIZE_MAX: none */
    size_t last_end;
    uint32_t script;
};

static void weigh_script(struct weighing *w, size_t i, struct sequence s)
{
    bool chained = w->last != SIZE_MAX && script_of(s.becomes) == w->script && i - w->last_end <= 1;

    for (size_t k = w->last_end; chained && k < i; k++)
        chained = w->p->c[k] < 0x80;
    if (chained) {
        w->gain += w->mend[w->last] ? 2 : 3;
        w->mend[w->last] = w->mend[i] = true;
    } else if (s.n > 2 && oddness(w->p, i, s.n) > 3) {
        w->gain++;
    }
    w->last = i;
    w->last_end = i + s.n;
    w->script = script_of(s.becomes);
}

static void weigh_sequence(struct weighing *w, size_t i, struct sequence s)
{
    int odd;

    switch (result_of(s.becomes)) {
    case RESULT_BAD:
        w->gain -= 3;
        return;
    case RESULT_SCRIPT:
        weigh_script(w, i, s);
        return;
    case RESULT_EMOJI:
        w->gain += 4;
        w->mend[i] = true;
        return;
    case RESULT_MARK:
        if (i == 0 || !is_letter(look_of(w->p, i - 1)))
            return;
        break;
    case RESULT_LATIN:
        if (case_clashes(w->p, i, s.n, s.becomes) && mojibake_sequence(w->p, i + s.n, w->encoding).n == 0)
            return;      /* in front of another sequence it may be half of a letter that was mangled twice */
        break;
    case RESULT_SIGN:
        break;
    }
    odd = oddness(w->p, i, s.n);
    w->gain += odd > 1 ? odd : 0;      /* a little odd is no proof, but goes with the others */
    w->mend[i] = odd > 0;
}

/* A run [start, end) of characters beyond ASCII: is each letter in it part of a sequence? */
static bool is_covered(const struct weighing *w, size_t start, size_t end)
{
    for (size_t i = start; i < end;) {
        struct sequence s = mojibake_sequence(w->p, i, w->encoding);

        if (s.n == 0 && is_letter(look_of(w->p, i)))
            return false;
        i += s.n > 0 ? s.n : 1;
    }
    return true;
}

/* One run of characters beyond ASCII. */
static void weigh_run(struct weighing *w, size_t start, size_t end)
{
    if (!is_covered(w, start, end)) {
        w->whole = false;
        return;
    }
    for (size_t i = start; i < end;) {
        struct sequence s = mojibake_sequence(w->p, i, w->encoding);

        if (s.n > 0)
            weigh_sequence(w, i, s);
        else
            w->whole = false;
        w->sequences += s.n > 0;
        i += s.n > 0 ? s.n : 1;
    }
}

/* The piece is mojibake: what else in it may be, though it would prove nothing by itself. */
static void mark_others(struct weighing *w)
{
    const struct piece *p = w->p;

    for (size_t i = 0, end; i < p->n; i = end > i ? end : i + 1) {
        for (end = i; end < p->n && p->c[end] >= 0x80;)
            end++;
        for (size_t k = is_covered(w, i, end) ? i : end; k < end;) {
            struct sequence s = mojibake_sequence(p, k, w->encoding);

            if (s.n > 0 && (w->whole || result_of(s.becomes) != RESULT_BAD))
                w->mend[k] = true;
            k += s.n > 0 ? s.n : 1;
        }
    }
}

int mojibake_weigh(const struct piece *p, int encoding, bool *mend)
{
    struct weighing w = { .p = p, .encoding = encoding, .mend = mend, .last = SIZE_MAX, .whole = true };

    for (size_t i = 0, end; i < p->n; i = end > i ? end : i + 1) {
        for (end = i; end < p->n && p->c[end] >= 0x80;)
            end++;
        if (end > i)
            weigh_run(&w, i, end);
    }
    if (w.whole)      /* by chance hardly more than once */
        w.gain += w.sequences > 4 ? 4 : w.sequences > 0 ? w.sequences - 1 : 0;
    if (w.gain >= MOJIBAKE_BETTER)
        mark_others(&w);
    return w.gain;
}
