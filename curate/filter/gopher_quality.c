/* The quality half of curate/filter/gopher.h. */
#include "curate/text/char_class.h"
#include "curate/filter/gopher.h"

#define PASS (struct gopher_verdict){ .rule = -1 }
#define BROKEN(name, seen, bound) (struct gopher_verdict){ GOPHER_##name, (seen), (bound) }

/* Non-overlapping occurrences, as Python's str.count(). */
static size_t count_of(struct span text, const char *what)
{
    size_t n = strlen(what), count = 0;
    const char *p = text.p, *end = p + text.n;

    while ((p = memmem(p, (size_t)(end - p), what, n)) != NULL) {
        count++;
        p += n;
    }
    return count;
}

/* ---- lines ---- */

struct line_counts {
    size_t lines, bullets, ellipses;
};

static bool space_at(const char *p, size_t *n)
{
    uint32_t cp;

    *n = char_decode(p, &cp);
    return char_class(cp) & CHAR_SPACE;
}

static bool begins_with_bullet(const char *p, const char *end)
{
    size_t n;

    while (p < end && space_at(p, &n))
        p += n;
    return p < end && (*p == '-' || (end - p >= 3 && memcmp(p, "\xE2\x80\xA2", 3) == 0));
}

static bool ends_with_ellipsis(const char *p, const char *end)
{
    uint32_t cp = 0;

    while (p < end) {
        size_t n = char_decode_back(p, end, &cp);

        if (!(char_class(cp) & CHAR_SPACE))
            break;
        end -= n;
    }
    return end - p >= 3 &&
           (memcmp(end - 3, "...", 3) == 0 || memcmp(end - 3, "\xE2\x80\xA6", 3) == 0);
}

static void count_line(struct line_counts *c, const char *p, const char *end)
{
    c->lines++;
    c->bullets += begins_with_bullet(p, end);
    c->ellipses += ends_with_ellipsis(p, end);
}

/* Length of a line end at p as Python's splitlines() has them, 0: none. */
static size_t line_end(const char *p, const char *end)
{
    const unsigned char *u = (const unsigned char *)p;

    if (*u == '\r')
        return p + 1 < end && p[1] == '\n' ? 2 : 1;
    if ((*u >= '\n' && *u <= '\f') || (*u >= 0x1C && *u <= 0x1E))
        return 1;
    if (*u == 0xC2 && u[1] == 0x85)
        return 2;
    return *u == 0xE2 && u[1] == 0x80 && (u[2] == 0xA8 || u[2] == 0xA9) ? 3 : 0;
}

static struct line_counts count_odd_lines(struct span text)
{
    struct line_counts c = { 0 };
    const char *start = text.p, *end = start + text.n;

    for (const char *p = start; p < end;) {
        size_t n = line_end(p, end);

        if (n > 0) {
            count_line(&c, start, p);
            start = p + n;
        }
        p += n ? n : 1;
    }
    if (start < end)
        count_line(&c, start, end);
    return c;
}

static struct line_counts count_lines(const struct text_scan *s)
{
    struct line_counts c = { 0 };

    if (s->odd_lines)
        return count_odd_lines(s->text);
    for (size_t i = 0; i < s->line_count; i++) {
        const struct text_line *l = &s->lines[i];

        if (i + 1 < s->line_count || l->bytes > 0)
            count_line(&c, s->text.p + l->at, s->text.p + l->at + l->bytes);
    }
    return c;
}

/* ---- words ---- */

struct word_counts {
    size_t real, alpha, stop_words;   /* not punctuation alone; with a letter;
                                       * distinct stop words */
    uint64_t real_chars;
};

/* Up to four bytes as one number. */
#define PACK(a, b, c, d)                                                                           \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

static unsigned stop_word_bit(const char *p, size_t n)
{
    if (n < 2 || n > 4)
        return 0;
    switch (PACK(p[0], p[1], n > 2 ? p[2] : 0, n > 3 ? p[3] : 0)) {
    case PACK('t', 'h', 'e', 0): return 1;
    case PACK('b', 'e', 0, 0): return 2;
    case PACK('t', 'o', 0, 0): return 4;
    case PACK('o', 'f', 0, 0): return 8;
    case PACK('a', 'n', 'd', 0): return 16;
    case PACK('t', 'h', 'a', 't'): return 32;
    case PACK('h', 'a', 'v', 'e'): return 64;
    case PACK('w', 'i', 't', 'h'): return 128;
    default: return 0;
    }
}

static struct word_counts count_words(const struct text_scan *s)
{
    struct word_counts c = { 0 };
    unsigned seen = 0;

    for (size_t i = 0; i < s->word_count; i++) {
        const struct text_word *w = &s->words[i];

        c.real += !w->symbol;
        c.real_chars += w->symbol ? 0 : w->chars;
        c.alpha += w->alpha;
        seen |= stop_word_bit(s->text.p + w->at, w->bytes);
    }
    c.stop_words = (size_t)__builtin_popcount(seen);
    return c;
}

/* ---- the rules, in their order ---- */

static struct gopher_verdict check_lengths(const struct gopher_cfg *c, const struct word_counts *n)
{
    double mean = n->real ? (double)n->real_chars / (double)n->real : 0;

    if (c->min_words && (int64_t)n->real < c->min_words)
        return BROKEN(short_doc, (double)n->real, (double)c->min_words);
    if (c->max_words && (int64_t)n->real > c->max_words)
        return BROKEN(long_doc, (double)n->real, (double)c->max_words);
    if (c->min_mean_word != 0 && mean < c->min_mean_word)
        return BROKEN(short_words, mean, c->min_mean_word);
    if (c->max_mean_word != 0 && mean > c->max_mean_word)
        return BROKEN(long_words, mean, c->max_mean_word);
    return PASS;
}

static struct gopher_verdict check_symbols(const struct gopher_cfg *c, const struct text_scan *s,
                                           double words)
{
    double hashes, ellipses;

    if (c->max_symbols == 0)
        return PASS;
    hashes = (double)count_of(s->text, "#") / words;
    if (hashes > c->max_symbols)
        return BROKEN(hashes, hashes, c->max_symbols);
    ellipses = (double)(count_of(s->text, "...") + count_of(s->text, "\xE2\x80\xA6")) / words;
    if (ellipses > c->max_symbols)
        return BROKEN(ellipses, ellipses, c->max_symbols);
    return PASS;
}

static struct gopher_verdict check_lines(const struct gopher_cfg *c, const struct text_scan *s)
{
    struct line_counts l = count_lines(s);
    double lines = l.lines ? (double)l.lines : 1;

    if (c->max_bullets != 0 && (double)l.bullets / lines > c->max_bullets)
        return BROKEN(bullets, (double)l.bullets / lines, c->max_bullets);
    if (c->max_ellipsis_lines != 0 && (double)l.ellipses / lines > c->max_ellipsis_lines)
        return BROKEN(ellipsis_ends, (double)l.ellipses / lines, c->max_ellipsis_lines);
    return PASS;
}

struct gopher_verdict gopher_quality(const struct gopher_cfg *c, const struct text_scan *s)
{
    struct word_counts n = count_words(s);
    struct gopher_verdict v = check_lengths(c, &n);
    double words = s->word_count ? (double)s->word_count : 1;      /* no word: all shares are 0 */

    if (v.rule < 0)
        v = check_symbols(c, s, words);
    if (v.rule < 0)
        v = check_lines(c, s);
    if (v.rule >= 0)
        return v;
    if (c->min_alpha_words != 0 && (double)n.alpha / words < c->min_alpha_words)
        return BROKEN(alpha, (double)n.alpha / words, c->min_alpha_words);
    if (c->min_stop_words && (int64_t)n.stop_words < c->min_stop_words)
        return BROKEN(stop_words, (double)n.stop_words, (double)c->min_stop_words);
    return PASS;
}
