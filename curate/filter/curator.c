#include "curate/filter/curator.h"

static const char *const profiles[] = { "curator-en", NULL };

const struct opt curator_opts[] = {
    OPT_CHOICE(struct curator_cfg, profile, "profile", "curator-en", profiles, "the set of rules"),
    OPT_INPUT(struct curator_cfg, file, "languages", "YAML file with thresholds and words by language, as `de: {max-words: 5000}`"),
    OPT_LIST(struct curator_cfg, stop_words, "stop-words", "words that are counted, at most 256; none: the be to of and that have with"),
#define X(field, option, value, side, key, meaning)                                                                \
    OPT_REAL(struct curator_cfg, limit[CURATOR_##field], option, value, 0, 1e9, "threshold of " key "; 0: off"),
    CURATOR_RULES(X)
#undef X
    OPT_END
};

static const struct space_rule rules[] = { CURATOR_RULES(SPACE_RULE) };

const struct drop_reason *const curator_reasons[] = {
    &drop_empty,
#define X(field, ...) &rules[CURATOR_##field].reason,
    CURATOR_RULES(X)
#undef X
    NULL
};

static double unit_value(struct space_scan *s, int rule)
{
    bool lines = rule == CURATOR_lines || rule == CURATOR_line_chars;
    const struct space_units *u = space_units(s, lines ? SPACE_SENTENCES : SPACE_PARAGRAPHS);

    if (rule == CURATOR_lines || rule == CURATOR_paragraphs)
        return space_share(u->distinct, u->count, 1);
    return space_share(u->distinct_chars, u->chars, 1);
}

/* A text, and what more than one rule asks of it. */
struct curator_text {
    struct space_scan *scan;
    struct curator_lines lines;
    bool has_lines;
};

static double line_value(struct curator_text *t, int rule)
{
    struct curator_lines *l = &t->lines;

    if (!t->has_lines)
        *l = curator_line_edges(t->scan);
    t->has_lines = true;
    switch (rule) {
    case CURATOR_endings: return space_share(l->without_end, l->filled, 0);
    case CURATOR_ellipses: return space_share(l->ellipses, l->filled, 0);
    default: return space_share(l->bullets, l->filled, 0);
    }
}

/* Fewer than n words have no n-gram: 1. */
static double gram_value(struct space_scan *s, int rule)
{
    int n = rule - CURATOR_top_2 + 2;
    const struct space_grams *g;

    if (s->word_count < (size_t)n)
        return 1;
    g = space_grams(s, n);
    return space_share(rule < CURATOR_dup_5 ? curator_gram_chars(s, g->first, (size_t)n) : g->covered_chars, s->chars, 1);
}

static double value_of(const struct curator_cfg *c, struct curator_text *t, int rule)
{
    struct space_scan *s = t->scan;
    uint64_t words = s->word_count, chars = s->chars;

    switch (rule) {
    case CURATOR_signs: return space_share(chars - s->counts.plain, chars, 1);
    case CURATOR_symbols: return space_share(curator_symbol_words(s), words, 0);
    case CURATOR_numbers: return space_share(s->counts.digits, chars, 1);
    case CURATOR_urls: return space_share(curator_url_chars(s), chars, 1);
    case CURATOR_blanks: return space_share(s->counts.blanks, chars, 1);
    case CURATOR_brackets: return space_share(s->counts.brackets + s->angles, chars, 1);
    case CURATOR_phrases: return curator_phrase_share(s);
    case CURATOR_lines:
    case CURATOR_paragraphs:
    case CURATOR_line_chars:
    case CURATOR_paragraph_chars: return unit_value(s, rule);
    case CURATOR_few_words:
    case CURATOR_many_words: return (double)words;
    case CURATOR_endings:
    case CURATOR_ellipses:
    case CURATOR_bullets: return line_value(t, rule);
    case CURATOR_letters: return space_share(s->sums.alphabetic_words, words, 0);
    case CURATOR_common: return (double)space_count_words(s, &c->stop_words);
    case CURATOR_short_words:
    case CURATOR_long_words: return space_share(s->sums.word_chars, words, 0);
    case CURATOR_longest: return (double)space_words(s)->longest;
    default: return gram_value(s, rule);
    }
}

enum status curator_check(const void *cfg, const struct yaml *at)
{
    const struct curator_cfg *c = cfg;

    return space_check_words(&c->stop_words, at);
}

enum status curator_load(void *cfg)
{
    struct curator_cfg *c = cfg;

    return filter_languages_load(&(struct filter_languages_args){ .path = c->file, .opts = curator_opts, .cfg = c,
                                                                  .cfg_size = sizeof *c, .check = curator_check },
                                 &c->languages);
}

void curator_unload(void *cfg)
{
    struct curator_cfg *c = cfg;

    filter_languages_free(c->languages);
    c->languages = NULL;
}

enum status curator_each(const void *cfg, struct doc *d, struct step_work *w)
{
    const struct curator_cfg *own = cfg, *c = filter_languages_pick(own->languages, own, d);
    struct curator_text t = { 0 };

    if (d->text.n == 0)
        return doc_drop(d, &drop_empty, 0, 0);
    t.scan = space_scan_of_doc(d, w);
    for (int i = 0; i < CURATOR_RULE_COUNT; i++)
        if (space_rule_on(c->limit[i], &w->trace) &&
            space_judge(d, &w->trace, &rules[i], value_of(c, &t, i), c->limit[i]))
            return ST_OK;
    return ST_OK;
}
