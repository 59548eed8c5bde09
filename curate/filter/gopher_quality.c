/* The quality half of curate/filter/gopher.h. */
#include "curate/filter/gopher.h"
#include "curate/text/python_text.h"
#include "curate/text/words.h"


/* Non-overlapping occurrences, as Python's str.count(). Most texts have few bytes like the first one. */
static size_t count_of(struct span text, const char *what)
{
    size_t n = strlen(what), count = 0;
    const char *p = text.p, *end = p + text.n;

    while ((p = memchr(p, what[0], (size_t)(end - p))) != NULL) {
        bool found = (size_t)(end - p) >= n && memcmp(p, what, n) == 0;

        count += found;
        p += found ? n : 1;
    }
    return count;
}

/* ---- lines ---- */

struct line_counts {
    size_t lines, bullets, ellipses;
};

static bool begins_with_bullet(struct span l)
{
    return l.n > 0 && (*l.p == '-' || (l.n >= 3 && memcmp(l.p, "\xE2\x80\xA2", 3) == 0));
}

static bool ends_with_ellipsis(struct span l)
{
    const char *end = l.p + l.n;

    return l.n >= 3 && (memcmp(end - 3, "...", 3) == 0 || memcmp(end - 3, "\xE2\x80\xA6", 3) == 0);
}

static void count_line(struct line_counts *c, const struct text_scan *s, const char *p, const char *end)
{
    struct span line = word_strip(s->classes, (struct span){ p, (size_t)(end - p) });

    c->lines++;
    c->bullets += begins_with_bullet(line);
    c->ellipses += ends_with_ellipsis(line);
}

static struct line_counts count_odd_lines(const struct text_scan *s)
{
    struct line_counts c = { 0 };
    struct span rest = s->text, line;

    while (python_line(&rest, &line))
        count_line(&c, s, line.p, line.p + line.n);
    return c;
}

static struct line_counts count_lines(const struct text_scan *s)
{
    struct line_counts c = { 0 };

    if (s->odd_lines)
        return count_odd_lines(s);
    for (size_t i = 0; i < s->line_count; i++) {
        const struct text_line *l = &s->lines[i];

        if (i + 1 < s->line_count || l->bytes > 0)
            count_line(&c, s, s->text.p + l->at, s->text.p + l->at + l->bytes);
    }
    return c;
}

/* ---- words ---- */

struct word_counts {
    size_t real, alpha, stop_words;   /* not punctuation alone; with a letter;
                                       * distinct stop words */
    uint64_t real_chars;
};

static struct word_counts count_words(const struct gopher_cfg *c, const struct text_scan *s)
{
    struct word_counts n = { 0 };

    for (size_t i = 0; i < s->word_count; i++) {
        const struct text_word *w = &s->words[i];

        n.real += !w->symbol;
        n.real_chars += w->chars * (uint64_t)!w->symbol;
        n.alpha += w->alpha;
    }
    n.stop_words = stop_words_distinct(c->stops, s);
    return n;
}

/* ---- the rules, in their order ---- */

const struct space_rule gopher_quality_rules[] = {
#define X(rule, field, side, key, meaning) SPACE_RULE(rule, field, 0, TRACE_##side, key, meaning)
    GOPHER_QUALITY(X)
#undef X
};

static double threshold_of(const struct gopher_cfg *c, enum gopher_quality_rule rule)
{
    switch (rule) {
#define X(rule, field, side, key, meaning)                                                                      \
    case GOPHER_##rule:                                                                                         \
        return (double)c->field;
        GOPHER_QUALITY(X)
#undef X
    }
    return 0;
}

bool gopher_quality(const struct gopher_cfg *c, const struct text_scan *s, struct doc *d, struct trace *t)
{
    struct word_counts n = count_words(c, s);
    double words = s->word_count ? (double)s->word_count : 1;      /* no word: all shares are 0 */
    double mean = n.real ? (double)n.real_chars / (double)n.real : c->min_mean_word;
    struct line_counts l = { 0 };

#define JUDGE(rule, value)                                                                                      \
    (space_rule_on(threshold_of(c, GOPHER_##rule), t) &&                                                        \
     space_judge(d, t, &gopher_quality_rules[GOPHER_##rule], (value), threshold_of(c, GOPHER_##rule)))
    if (JUDGE(short_doc, (double)n.real) || JUDGE(long_doc, (double)n.real) || JUDGE(short_words, mean) ||
        JUDGE(long_words, mean) || JUDGE(hashes, (double)count_of(s->text, "#") / words) ||
        JUDGE(ellipses, (double)(count_of(s->text, "...") + count_of(s->text, "\xE2\x80\xA6")) / words))
        return true;
    if (space_rule_on(c->max_bullets, t) || space_rule_on(c->max_ellipsis_lines, t))
        l = count_lines(s);
    return JUDGE(bullets, (double)l.bullets / (l.lines ? (double)l.lines : 1)) ||
           JUDGE(ellipsis_ends, (double)l.ellipses / (l.lines ? (double)l.lines : 1)) ||
           JUDGE(alpha, (double)n.alpha / words) || JUDGE(stop_words, (double)n.stop_words);
#undef JUDGE
}
