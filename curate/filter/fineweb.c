#include "curate/filter/fineweb.h"

#include <string.h>

#include "curate/text/words.h"

static const char *const profiles[] = { "fineweb", NULL };

const struct opt fineweb_opts[] = {
    OPT_CHOICE(struct fineweb_cfg, profile, "profile", "fineweb", profiles, "the set of rules"),
    OPT_REAL(struct fineweb_cfg, line_punct, "line-punct-thr", "0.12", 0, 1, "share of lines that end a sentence, at least"),
    OPT_BOOL(struct fineweb_cfg, exclude_zero, "line-punct-exclude-zero", "false", "no line that does is well, too"),
    OPT_LIST(struct fineweb_cfg, stop_chars, "stop-chars", "what ends a sentence; none given: the sentence ends of all scripts",
             .value = "TEXT"),
    OPT_REAL(struct fineweb_cfg, short_line, "short-line-thr", "0.67", 0, 1, "share of short lines, at most"),
    OPT_INT(struct fineweb_cfg, short_line_length, "short-line-length", "30", 0, 1e9, "characters of a short line, at most"),
    OPT_REAL(struct fineweb_cfg, char_duplicates, "char-duplicates-ratio", "0.01", 0, 1,
             "share of characters in lines that stood before, at most"),
    OPT_REAL(struct fineweb_cfg, new_line, "new-line-ratio", "0.3", 0, 1e6, "line ends a word, at most"),
    OPT_CHOICE(struct fineweb_cfg, rules, "words", "en", gopher_words_rules,
               "how words are cut: spaCy's rules of English, or those it has for any language"),
    OPT_INPUT(struct fineweb_cfg, languages_path, "languages", "file with options of their own for some languages", .value = "FILE"),
    OPT_END
};

enum fineweb_rule { RULE_PUNCT, RULE_SHORT, RULE_DUP, RULE_LIST };
static const struct drop_reason rules[] = {
    [RULE_PUNCT] = { "line_punct_ratio", "too few lines end with a sentence's end" },
    [RULE_SHORT] = { "short_line_ratio", "too many lines are short" },
    [RULE_DUP] = { "char_dup_ratio", "too many characters in lines that stood before" },
    [RULE_LIST] = { "list_ratio", "too many line ends for the number of words" },
};
const struct drop_reason *const fineweb_reasons[] = {
    &drop_empty, &rules[RULE_PUNCT], &rules[RULE_SHORT], &rules[RULE_DUP], &rules[RULE_LIST], NULL
};

enum status fineweb_load(void *cfg)
{
    struct fineweb_cfg *c = cfg;
    const struct filter_languages_args args = {
        .path = c->languages_path, .opts = fineweb_opts, .cfg = c, .cfg_size = sizeof *c,
    };

    return filter_languages_load(&args, &c->languages);
}

void fineweb_unload(void *cfg)
{
    struct fineweb_cfg *c = cfg;

    filter_languages_free(c->languages);
    c->languages = NULL;
}

/* ---- lines ---- */

struct fineweb_lines {
    size_t lines, ended, shorter;
    uint64_t repeated_chars;
};

static bool ends_sentence(const struct fineweb_cfg *c, const struct word_classes *classes, struct span line)
{
    size_t n;

    if (c->stop_chars.count == 0)
        return word_class_before(classes, line.p, line.p + line.n, &n) & WORD_TERMINAL;
    for (size_t i = 0; i < c->stop_chars.count; i++) {
        n = strlen(c->stop_chars.v[i]);
        if (n <= line.n && memcmp(line.p + line.n - n, c->stop_chars.v[i], n) == 0)
            return true;
    }
    return false;
}

static struct fineweb_lines count_lines(const struct fineweb_cfg *c, struct gopher_scratch *g)
{
    const struct text_scan *s = &g->scan;
    struct fineweb_lines r = { 0 };
    int bits = gopher_set_begin(g, s->line_count);

    for (size_t i = 0; i < s->line_count; i++) {
        const struct text_line *l = &s->lines[i];
        struct span line = { s->text.p + l->at, l->bytes };

        if (word_strip(s->classes, line).n == 0)
            continue;
        r.lines++;
        r.ended += ends_sentence(c, s->classes, line);
        r.shorter += l->chars <= (uint64_t)c->short_line_length;
        if (gopher_set_add(g, bits, l->hash))
            r.repeated_chars += l->chars;
    }
    return r;
}

/* ---- a document ---- */

static bool judge(struct doc *d, struct step_work *w, struct trace_value v)
{
    v.broken |= v.side == TRACE_AT_MOST && v.value > v.threshold;
    return doc_judge(d, &w->trace, &v);
}

enum status fineweb_each(const void *cfg, struct doc *d, struct step_work *w)
{
    const struct fineweb_cfg *own = cfg, *c = filter_languages_pick(own->languages, own, d);
    struct gopher_scratch *g;
    struct fineweb_lines l;
    double ended, all;
    uint64_t ends;

    if (d->text.n == 0)
        return doc_drop(d, &drop_empty, 0, 0);
    g = gopher_scan(d, w, (enum words_rules)c->rules);
    l = count_lines(c, g);
    if (l.lines == 0)
        return doc_drop(d, &drop_empty, (double)l.lines, 0);
    ends = g->scan.line_count - 1;
    all = (double)(g->scan.chars - ends);
    ended = (double)l.ended / (double)l.lines;
    if (judge(d, w, (struct trace_value){ &rules[RULE_PUNCT], ended, c->line_punct, TRACE_AT_LEAST,
                                          ended < c->line_punct && !(l.ended == 0 && c->exclude_zero) }) ||
        judge(d, w, (struct trace_value){ &rules[RULE_SHORT], (double)l.shorter / (double)l.lines, c->short_line, TRACE_AT_MOST, false }) ||
        judge(d, w, (struct trace_value){ &rules[RULE_DUP], (double)l.repeated_chars / all, c->char_duplicates, TRACE_AT_MOST, false }))
        return ST_OK;
    judge(d, w, (struct trace_value){ &rules[RULE_LIST], (double)ends / (double)g->scan.word_count, c->new_line, TRACE_AT_MOST, false });
    return ST_OK;
}
