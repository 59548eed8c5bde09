#include "curate/filter/c4.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/rng.h"
#include "curate/text/python_text.h"
#include "curate/text/words.h"

static const char *const profiles[] = { "c4@datatrove", NULL };

const struct opt c4_opts[] = {
    OPT_CHOICE(struct c4_cfg, profile, "profile", "c4@datatrove", profiles, "the set of rules"),
    OPT_BOOL(struct c4_cfg, quality, "quality", "true", "apply the line rules"),
    OPT_BOOL(struct c4_cfg, split_paragraph, "split-paragraph", "true", "judge lines; false: sentences"),
    OPT_BOOL(struct c4_cfg, remove_citations, "remove-citations", "true", "take [1], [edit] and [citation needed] out of lines"),
    OPT_BOOL(struct c4_cfg, terminal_punct, "filter-no-terminal-punct", "true",
             "leave out lines that do not end with . ? ! \" ' or end with ..."),
    OPT_INT(struct c4_cfg, min_sentences, "min-num-sentences", "5", -1, 1e9, "sentences that are left, at least; -1: off"),
    OPT_INT(struct c4_cfg, min_words_per_line, "min-words-per-line", "3", -1, 1e9,
            "leave out lines with less words; -1: off"),
    OPT_INT(struct c4_cfg, max_word_length, "max-word-length", "1000", -1, 1e9,
            "leave out lines with a word of more characters; -1: off"),
    OPT_BOOL(struct c4_cfg, lorem_ipsum, "filter-lorem-ipsum", "true", "drop documents with 'lorem ipsum'"),
    OPT_BOOL(struct c4_cfg, javascript, "filter-javascript", "true", "leave out lines with 'javascript'"),
    OPT_BOOL(struct c4_cfg, curly_bracket, "filter-curly-bracket", "true", "drop documents with '{'"),
    OPT_BOOL(struct c4_cfg, policy, "filter-policy", "true", "leave out lines about cookies, terms and policies"),
    OPT_BOOL(struct c4_cfg, paragraphs, "paragraphs", "false", "want some long lines, as mC4"),
    OPT_INT(struct c4_cfg, min_paragraphs, "min-paragraphs", "3", 1, 1000, "with `paragraphs`: so many lines, at least"),
    OPT_INT(struct c4_cfg, min_paragraph_length, "min-paragraph-length", "200", 0, 1e9, "characters of each of them, at least"),
    OPT_INPUT(struct c4_cfg, bad_words_path, "bad-words", "file of words, one a line, that drop a document", .value = "FILE"),
    OPT_REAL(struct c4_cfg, keep_fraction, "keep-fraction", "0", 0, 1, "share of documents with bad words that stay"),
    OPT_INT(struct c4_cfg, seed, "seed", "0", 0, 1e15, "of the choice of those"),
    OPT_STR(struct c4_cfg, default_language, "default-language", "en", "of documents without one, for `bad-words`"),
    OPT_CHOICE(struct c4_cfg, rules, "words", "en", gopher_words_rules,
               "how sentences' words are cut: spaCy's rules of English, or those it has for any language"),
    OPT_INPUT(struct c4_cfg, languages_path, "languages", "file with options of their own for some languages", .value = "FILE"),
    OPT_END
};

enum c4_rule { RULE_LOREM, RULE_CURLY, RULE_SENTENCES, RULE_PARAGRAPHS, RULE_BAD_WORDS };
static const struct drop_reason rules[] = {
    [RULE_LOREM] = { "lorem_ipsum", "a line has 'lorem ipsum' (lines)" },
    [RULE_CURLY] = { "curly_bracket", "a line has '{' (lines)" },
    [RULE_SENTENCES] = { "too_few_sentences", "too few sentences in the lines that are left" },
    [RULE_PARAGRAPHS] = { "< 3 paragraphs", "one of the longest lines is too short (characters)" },
    [RULE_BAD_WORDS] = { "document_removed_with_badwords", "the text has a word of the list" },
};
const struct drop_reason *const c4_reasons[] = {
    &drop_empty, &rules[RULE_LOREM], &rules[RULE_CURLY], &rules[RULE_SENTENCES], &rules[RULE_PARAGRAPHS], &rules[RULE_BAD_WORDS], NULL
};
const char *const c4_counters[] = {
    "line-total", "line-filter-too_long_word", "line-filter-no_terminal_punc", "line-filter-too_few_words",
    "line-filter-javascript", "line-filter-policy", "line-kept", NULL
};

/* ---- what the options name ---- */

static enum status read_bad_words(void *cfg)
{
    struct c4_cfg *c = cfg;

    return bad_words_read(c->bad_words_path, &c->bad_words);
}

static void free_bad_words(void *cfg)
{
    struct c4_cfg *c = cfg;

    bad_words_free(c->bad_words);
    c->bad_words = NULL;
}

enum status c4_load(void *cfg)
{
    struct c4_cfg *c = cfg;
    const struct filter_languages_args args = {
        .path = c->languages_path, .opts = c4_opts, .cfg = c, .cfg_size = sizeof *c,
        .finish = read_bad_words, .discard = free_bad_words,
    };
    enum status st = filter_languages_load(&args, &c->languages);

    if (st == ST_OK)
        st = read_bad_words(c);
    if (st != ST_OK)
        c4_unload(c);
    return st;
}

void c4_unload(void *cfg)
{
    struct c4_cfg *c = cfg;

    free_bad_words(c);
    filter_languages_free(c->languages);
    c->languages = NULL;
}

enum status c4_open(const void *cfg, void **state)
{
    *state = mem_alloc(sizeof(struct c4_state));
    return ST_OK;
}

void c4_close(void *state)
{
    struct c4_state *st = state;

    text_scan_release(&st->line);
    buf_release(&st->clean);
    buf_release(&st->lower);
    buf_release(&st->out);
    free(st);
}

/* ---- a document ---- */

static bool judge(struct doc *d, struct step_work *w, struct trace_value v)
{
    v.broken = v.side == TRACE_AT_MOST ? v.value > v.threshold : v.value < v.threshold;
    return doc_judge(d, &w->trace, &v);
}

static bool judge_lines(const struct c4_cfg *c, const struct c4_result *r, struct doc *d, struct step_work *w)
{
    const struct trace_value lorem = { &rules[RULE_LOREM], (double)r->lorem_lines, 0, TRACE_AT_MOST, false };
    const struct trace_value curly = { &rules[RULE_CURLY], (double)r->curly_lines, 0, TRACE_AT_MOST, false };
    const struct trace_value sentences = { &rules[RULE_SENTENCES], (double)r->sentences, (double)c->min_sentences, TRACE_AT_LEAST,
                                           false };

    if (judge(d, w, r->curly_first ? curly : lorem) || judge(d, w, r->curly_first ? lorem : curly))
        return true;
    return c->min_sentences >= 0 && judge(d, w, sentences);
}

/* Puts the lines that are left in the text's place. */
static void replace_text(struct doc *d, const struct text_scan *s, const struct buf *out)
{
    struct span left = word_strip(s->classes, (struct span){ out->p, out->n });

    if (left.n == d->text.n && memcmp(left.p, d->text.p, left.n) == 0)
        return;
    buf_clear(&d->text);
    buf_add(&d->text, left.p, left.n);
    d->edits++;
}

static bool each_lines(const struct c4_cfg *c, struct doc *d, struct step_work *w)
{
    struct text_scan *s = &gopher_scan(d, w, (enum words_rules)c->rules)->scan;
    struct c4_state *st = w->state;
    struct c4_result r = c4_lines(c, s, st, w->counts, w->trace.full);
    bool stop = judge_lines(c, &r, d, w);

    if (d->dropped == NULL)
        replace_text(d, s, &st->out);
    if (d->dropped == NULL && d->text.n == 0)
        doc_drop(d, &drop_empty, 0, 0);
    return stop || d->text.n == 0;
}

/* The length of the n-th longest line; 0 where there are less. */
static uint64_t nth_longest_line(struct span text, size_t n)
{
    uint64_t longest[1000] = { 0 };
    const char *p = text.p, *end = p + text.n;

    for (;;) {
        const char *stop = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        uint64_t chars = utf8_length(p, (size_t)((stop ? stop : end) - p));

        for (size_t i = 0; i < n; i++)
            if (chars > longest[i]) {
                uint64_t shorter = longest[i];

                longest[i] = chars;
                chars = shorter;
            }
        if (stop == NULL)
            return longest[n - 1];
        p = stop + 1;
    }
}

static bool judge_paragraphs(const struct c4_cfg *c, struct doc *d, struct step_work *w)
{
    double length = (double)nth_longest_line((struct span){ d->text.p, d->text.n }, (size_t)c->min_paragraphs);

    return judge(d, w, (struct trace_value){ &rules[RULE_PARAGRAPHS], length, (double)c->min_paragraph_length, TRACE_AT_LEAST, false });
}

static bool written_without_blanks(const char *language)
{
    return strncmp(language, "ja", 2) == 0 || strncmp(language, "th", 2) == 0 || strncmp(language, "zh", 2) == 0;
}

static void judge_bad_words(const struct c4_cfg *c, struct doc *d, struct step_work *w)
{
    struct c4_state *st = w->state;
    const char *language = d->language ? d->language : c->default_language;
    bool found, stays;

    buf_clear(&st->lower);
    python_lower(&st->lower, (struct span){ d->text.p, d->text.n });
    found = bad_words_found(c->bad_words, word_class_init(), (struct span){ st->lower.p, st->lower.n },
                            written_without_blanks(language));
    stays = found && rng_unit(xxh3_seed(d->text.p, d->text.n, (uint64_t)c->seed)) < c->keep_fraction;
    doc_judge(d, &w->trace, &(struct trace_value){ &rules[RULE_BAD_WORDS], found, 0, TRACE_AT_MOST, found && !stays });
}

enum status c4_each(const void *cfg, struct doc *d, struct step_work *w)
{
    const struct c4_cfg *own = cfg, *c = filter_languages_pick(own->languages, own, d);

    if (d->text.n == 0)
        return doc_drop(d, &drop_empty, 0, 0);
    if (c->quality && each_lines(c, d, w))
        return ST_OK;
    if (c->paragraphs && judge_paragraphs(c, d, w))
        return ST_OK;
    if (c->bad_words)
        judge_bad_words(c, d, w);
    return ST_OK;
}
