#include "curate/filter/dolma.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const profiles[] = { "gopher@dolma", NULL };
static const char *const line_kinds[] = { "all", "filled", NULL };

const struct opt dolma_opts[] = {
    OPT_CHOICE(struct dolma_cfg, profile, "profile", "gopher@dolma", profiles, "the set of rules"),
    OPT_CHOICE(struct dolma_cfg, lines, "lines", "all", line_kinds,
               "which lines count: all (gopher_v1), or with runs of line ends as one (gopher_v2)"),
    OPT_BOOL(struct dolma_cfg, top_grams, "top-n-grams", "false",
             "apply the rules for the commonest n-grams, which the published configuration misspells"),
    OPT_INPUT(struct dolma_cfg, file, "languages", "YAML file with thresholds and words by language, as `de: {max-words: 5000}`"),
    OPT_LIST(struct dolma_cfg, stop_words, "stop-words", "words that are counted, at most 256; none: the be to of and that have with"),
#define X(field, option, value, side, key, meaning)                                                                \
    OPT_REAL(struct dolma_cfg, limit[DOLMA_##field], option, value, 0, 1e9, "threshold of " key "; 0: off"),
    DOLMA_RULES(X)
#undef X
    OPT_END
};

static const struct space_rule rules[] = { DOLMA_RULES(SPACE_RULE) };

const struct drop_reason *const dolma_reasons[] = {
    &drop_empty,
#define X(field, ...) &rules[DOLMA_##field].reason,
    DOLMA_RULES(X)
#undef X
    NULL
};

#define SMALL 256

/* The length that `rank` words are shorter than or as long as, from counts of lengths below SMALL and a look at all words
 * for longer ones: each of those takes room in the text for SMALL characters, so there are few. */
static uint64_t length_at(const struct space_scan *s, const uint32_t counts[SMALL + 1], uint64_t rank)
{
    uint64_t least = SMALL, most = s->list.longest;

    for (uint64_t length = 0; length < SMALL; length++) {
        if (rank < counts[length])
            return length;
        rank -= counts[length];
    }
    while (least < most) {                                 /* the least length that enough words do not exceed */
        uint64_t middle = least + (most - least) / 2, below = 0;

        for (size_t i = 0; i < s->word_count; i++) {
            uint64_t length = space_word_chars(&s->list, i, 1);

            below += length >= SMALL && length <= middle;
        }
        if (below > rank)
            most = middle;
        else
            least = middle + 1;
    }
    return least;
}

/* Counted in two tables by turns: neighbours of one length need not wait for each other. */
static double median_length(struct space_scan *s)
{
    const struct space_words *w = space_words(s);
    uint32_t counts[2][SMALL + 1] = { 0 };
    uint64_t n = s->word_count;

    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t length = space_word_chars(w, i, 1);

        counts[i & 1][length < SMALL ? length : SMALL]++;
    }
    for (size_t length = 0; length < SMALL; length++)
        counts[0][length] += counts[1][length];
    return (double)(length_at(s, counts[0], (n - 1) / 2) + length_at(s, counts[0], n / 2)) / 2;
}

struct edges {
    uint64_t lines, bullets, ellipses;
};

static struct edges line_edges(const struct space_scan *s, bool filled)
{
    struct edges e = { 0 };

    for (size_t i = 0; i < s->line_count; i++) {
        const struct space_line *l = &s->lines[i];
        const char *p = s->text.p + l->at;

        if (filled && l->bytes == 0 && i > 0 && i + 1 < s->line_count)
            continue;
        e.lines++;
        e.bullets += l->bytes > 0 && (*p == '*' || *p == '-');
        e.ellipses += l->bytes >= 3 && memcmp(p + l->bytes - 3, "\xE2\x80\xA6", 3) == 0;
    }
    return e;
}

/* Rules over n-grams have no value where there are fewer than n words. */
static bool has_value(const struct space_scan *s, int rule)
{
    if (rule < DOLMA_top_2)
        return true;
    return s->word_count >= (size_t)(rule - DOLMA_top_2 + 2);
}

static double gram_value(struct space_scan *s, int rule)
{
    int n = rule - DOLMA_top_2 + 2;
    const struct space_grams *g = space_grams(s, n);

    if (rule < DOLMA_dup_5)
        return space_share(g->most * space_word_chars(&s->list, g->first, (size_t)n), s->sums.word_chars, 0);
    return space_share(g->repeated_chars, g->all_chars, 0);
}

struct dolma_text {
    struct space_scan *scan;
    double median;                 /* length of words; below 0: nobody has asked yet */
    struct edges edges;            /* no lines: likewise */
};

static double edge_value(const struct dolma_cfg *c, struct dolma_text *t, int rule)
{
    struct edges *e = &t->edges;

    if (e->lines == 0)
        *e = line_edges(t->scan, c->lines);
    return space_share(rule == DOLMA_bullets ? e->bullets : e->ellipses, e->lines, 0);
}

static double value_of(const struct dolma_cfg *c, struct dolma_text *t, int rule)
{
    struct space_scan *s = t->scan;
    enum space_unit kind = c->lines ? SPACE_FILLED : SPACE_LINES;
    uint64_t words = s->word_count;

    switch (rule) {
    case DOLMA_few_words:
    case DOLMA_many_words: return (double)words;
    case DOLMA_short_words:
    case DOLMA_long_words:
        t->median = t->median < 0 ? median_length(s) : t->median;
        return t->median;
    case DOLMA_symbols: return space_share(s->sums.mark_words, words, 0);
    case DOLMA_letters: return space_share(s->sums.letter_words, words, 0);
    case DOLMA_required: return (double)space_count_words(s, &c->stop_words);
    case DOLMA_bullets:
    case DOLMA_ellipses: return edge_value(c, t, rule);
    case DOLMA_lines: return space_share(space_units(s, kind)->repeated, space_units(s, kind)->count, 0);
    case DOLMA_line_chars: {
        uint64_t chars = s->sums.word_chars;

        return (double)space_units(s, kind)->repeated_chars / (double)(chars ? chars : 1);
    }
    default: return gram_value(s, rule);
    }
}

/* `dolma tag` writes scores with five digits behind the point and `dolma mix` judges those; it matters near the threshold only. */
static double as_written(double value, double limit)
{
    char digits[64];

    if (!(fabs(value - limit) < 1e-5))
        return value;
    snprintf(digits, sizeof digits, "%.5f", value);
    return strtod(digits, NULL);
}

enum status dolma_check(const void *cfg, const struct yaml *at)
{
    const struct dolma_cfg *c = cfg;

    return space_check_words(&c->stop_words, at);
}

enum status dolma_load(void *cfg)
{
    struct dolma_cfg *c = cfg;

    return filter_languages_load(&(struct filter_languages_args){ .path = c->file, .opts = dolma_opts, .cfg = c,
                                                                  .cfg_size = sizeof *c, .check = dolma_check },
                                 &c->languages);
}

void dolma_unload(void *cfg)
{
    struct dolma_cfg *c = cfg;

    filter_languages_free(c->languages);
    c->languages = NULL;
}

enum status dolma_each(const void *cfg, struct doc *d, struct step_work *w)
{
    const struct dolma_cfg *own = cfg, *c = filter_languages_pick(own->languages, own, d);
    struct dolma_text t = { .median = -1 };

    if (d->text.n == 0)
        return doc_drop(d, &drop_empty, 0, 0);
    t.scan = space_scan_of_doc(d, w);
    for (int i = 0; i < DOLMA_RULE_COUNT; i++) {
        bool top = i >= DOLMA_top_2 && i <= DOLMA_top_4;
        double limit = top && !c->top_grams ? 0 : c->limit[i];

        if (!space_rule_on(limit, &w->trace) || !has_value(t.scan, i))
            continue;
        if (space_judge(d, &w->trace, &rules[i], as_written(value_of(c, &t, i), limit), limit))
            return ST_OK;
    }
    return ST_OK;
}
