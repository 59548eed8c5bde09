#include "curate/filter/gopher.h"

static const char *const profiles[] = { "gopher@datatrove", NULL };

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
    OPT_INT(struct gopher_cfg, min_stop_words, "min-stop-words", "2", 0, 8,
            "distinct ones of: the be to of and that have with, at least; 0: off"),
    OPT_END
};

static const struct drop_reason repetition_reasons[] = {
#define X(field, option, value, key, meaning) { key, meaning },
    GOPHER_REPETITION(X)
#undef X
};
static const struct drop_reason quality_reasons[] = {
#define X(field, key, meaning) { key, meaning },
    GOPHER_QUALITY(X)
#undef X
};
const struct drop_reason *const gopher_reasons[] = {
    &drop_empty,
#define X(field, option, value, key, meaning) &repetition_reasons[GOPHER_##field],
    GOPHER_REPETITION(X)
#undef X
#define X(field, key, meaning) &quality_reasons[GOPHER_##field],
    GOPHER_QUALITY(X)
#undef X
    NULL
};

void gopher_scratch_free(struct gopher_scratch *g)
{
    if (g == NULL)
        return;
    text_scan_release(&g->scan);
    free(g->grams);
    free(g->repeated);
    free(g->bits);
    free(g->slots);
    free(g);
}

enum status gopher_each(const void *cfg, struct doc *d, struct step_work *w)
{
    const struct gopher_cfg *c = cfg;
    struct gopher_verdict v = { .rule = -1 };

    if (w->gopher == NULL)
        w->gopher = mem_alloc(sizeof *w->gopher);
    if (d->text.n == 0)
        return doc_drop(d, &drop_empty, 0, 0);
    text_scan(&w->gopher->scan, (struct span){ d->text.p, d->text.n });
    if (c->repetition)
        v = gopher_repetition(c, w->gopher);
    if (v.rule >= 0)
        return doc_drop(d, &repetition_reasons[v.rule], v.value, v.threshold);
    if (c->quality)
        v = gopher_quality(c, &w->gopher->scan);
    if (v.rule >= 0)
        return doc_drop(d, &quality_reasons[v.rule], v.value, v.threshold);
    return ST_OK;
}
