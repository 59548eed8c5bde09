#include "curate/filter/gopher.h"

#include <stdlib.h>

static const char *const profiles[] = { "gopher@datatrove", NULL };
const char *const gopher_words_rules[] = { "en", "any", NULL };

const struct opt gopher_opts[] = {
    OPT_CHOICE(struct gopher_cfg, profile, "profile", "gopher@datatrove", profiles, "the set of rules"),
    OPT_BOOL(struct gopher_cfg, repetition, "repetition", "true", "apply the repetition rules"),
    OPT_BOOL(struct gopher_cfg, quality, "quality", "true", "apply the quality rules"),
#define X(field, option, value, key, meaning)                                                      \
    OPT_REAL(struct gopher_cfg, most[GOPHER_##field], option, value, 0, 1,                         \
             "at most this " key "; 0: off"),
    GOPHER_REPETITION(X)
#undef X
    OPT_INT(struct gopher_cfg, min_words, "min-words", "50", 0, 1e9,
            "at least so many words; 0: off"),
    OPT_INT(struct gopher_cfg, max_words, "max-words", "100000", 0, 1e9,
            "at most so many words; 0: off"),
    OPT_REAL(struct gopher_cfg, min_mean_word, "min-mean-word-length", "3", 0, 1e6,
             "mean characters of a word, at least; 0: off"),
    OPT_REAL(struct gopher_cfg, max_mean_word, "max-mean-word-length", "10", 0, 1e6,
             "mean characters of a word, at most; 0: off"),
    OPT_REAL(struct gopher_cfg, max_symbols, "max-symbol-ratio", "0.1", 0, 1e6,
             "'#' a word, and ellipses a word, at most; 0: off"),
    OPT_REAL(struct gopher_cfg, max_bullets, "max-bullet-lines", "0.9", 0, 1,
             "share of lines that begin with a bullet, at most; 0: off"),
    OPT_REAL(struct gopher_cfg, max_ellipsis_lines, "max-ellipsis-lines", "0.3", 0, 1,
             "share of lines that end with an ellipsis, at most; 0: off"),
    OPT_REAL(struct gopher_cfg, min_alpha_words, "min-alpha-words", "0.8", 0, 1,
             "share of words with a letter, at least; 0: off"),
    OPT_INT(struct gopher_cfg, min_stop_words, "min-stop-words", "2", 0, 1000000,
            "distinct stop words, at least; 0: off"),
    OPT_LIST(struct gopher_cfg, stop_words, "stop-words",
             "the stop words; none given: the be to of and that have with", .value = "WORD"),
    OPT_CHOICE(struct gopher_cfg, rules, "words", "en", gopher_words_rules,
               "how words are cut: spaCy's rules of English, or those it has for any language"),
    OPT_INPUT(struct gopher_cfg, languages_path, "languages",
              "file with options of their own for some languages", .value = "FILE"),
    OPT_END
};

const struct drop_reason *const gopher_reasons[] = {
    &drop_empty,
#define X(field, option, value, key, meaning) &gopher_repetition_rules[GOPHER_##field].reason,
    GOPHER_REPETITION(X)
#undef X
#define X(rule, field, side, key, meaning) &gopher_quality_rules[GOPHER_##rule].reason,
    GOPHER_QUALITY(X)
#undef X
    NULL
};

/* ---- what the options name ---- */

static enum status make_stop_words(void *cfg)
{
    static const char *common[] = { "the", "be", "to", "of", "and", "that", "have", "with" };
    const struct opt_list own = { .v = common, .count = sizeof common / sizeof common[0] };
    struct gopher_cfg *c = cfg;

    return stop_words_make(c->stop_words.count ? &c->stop_words : &own, &c->stops);
}

static void free_stop_words(void *cfg)
{
    struct gopher_cfg *c = cfg;

    free(c->stops);
    c->stops = NULL;
}

enum status gopher_load(void *cfg)
{
    struct gopher_cfg *c = cfg;
    const struct filter_languages_args args = {
        .path = c->languages_path, .opts = gopher_opts, .cfg = c, .cfg_size = sizeof *c,
        .finish = make_stop_words, .discard = free_stop_words,
    };
    enum status st = filter_languages_load(&args, &c->languages);

    if (st == ST_OK)
        st = make_stop_words(c);
    if (st != ST_OK)
        gopher_unload(c);
    return st;
}

void gopher_unload(void *cfg)
{
    struct gopher_cfg *c = cfg;

    free_stop_words(c);
    filter_languages_free(c->languages);
    c->languages = NULL;
}

/* ---- a document ---- */

void gopher_scratch_free(struct gopher_scratch *g)
{
    if (g == NULL)
        return;
    text_scan_release(&g->scan);
    free(g->grams);
    free(g->repeated);
    free(g->limits);
    free(g->shorter);
    free(g->groups);
    free(g->again);
    free(g->starts);
    free(g->joined);
    free(g->marks);
    free(g->slots);
    free(g);
}

struct gopher_scratch *gopher_scan(struct doc *d, struct step_work *w, enum words_rules rules)
{
    if (w->gopher == NULL)
        w->gopher = mem_alloc(sizeof *w->gopher);
    text_scan_shared(&w->gopher->scan, (struct span){ d->text.p, d->text.n }, rules);
    return w->gopher;
}

enum status gopher_each(const void *cfg, struct doc *d, struct step_work *w)
{
    const struct gopher_cfg *own = cfg, *c = filter_languages_pick(own->languages, own, d);
    struct gopher_scratch *g;

    BUG_IF(c->stops == NULL);
    if (d->text.n == 0)
        return doc_drop(d, &drop_empty, 0, 0);
    g = gopher_scan(d, w, (enum words_rules)c->rules);
    if (c->repetition && gopher_repetition(c, g, d, &w->trace))
        return ST_OK;
    if (c->quality)
        gopher_quality(c, &g->scan, d, &w->trace);
    return ST_OK;
}
