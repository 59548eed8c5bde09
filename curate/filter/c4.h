/*
 * `filter: {profile: c4@datatrove}`: the line rules of C4 (Raffel et al., 2020) as datatrove 0.10.1 has them (C4QualityFilter;
 * C4ParagraphFilter and C4BadWordsFilter by option). It changes the text: lines that break a rule go, the others are joined by
 * '\n'. Every option of the three classes has one here, with its default.
 *
 * A line (str.splitlines(), stripped) is left out, the first that holds:
 *     a word between white space is longer than `max-word-length`
 *     then citations are taken out of it: "[12]", "[]", "[edit]", "[citation needed]"
 *     it does not end with . ? ! " ' or ends with "..."
 *     it has less than `min-words-per-line` words (those of before)
 *     it has "javascript", or one of the phrases about cookies and policies, in any case
 * A line that comes so far and has "lorem ipsum" or "{" drops the whole document: `lorem_ipsum`, `curly_bracket`. So does less than
 * `min-sentences` sentences in the lines that are left (spaCy's sentencizer on each line): `too_few_sentences`; the text is then as
 * it was. `paragraphs: true` wants three lines of 200 characters of what is left (`< 3 paragraphs`).
 *
 * `bad-words: FILE` (a line a word or phrase; none is shipped) drops what has one of them between what are no letters and digits:
 * `document_removed_with_badwords`; in ja, th and zh anywhere. `keep-fraction` of such documents stay, chosen by a hash of their
 * text and the seed (datatrove draws in the order of documents, which would differ from run to run).
 *
 * With `split-paragraph: false` "lines" are spaCy's sentences, and they are joined by a blank.
 */
#ifndef TUNDISH_CURATE_C4_H
#define TUNDISH_CURATE_C4_H

#include "curate/filter/bad_words.h"
#include "curate/filter/gopher.h"

struct c4_cfg {
    int profile, rules;
    bool quality, split_paragraph, remove_citations, terminal_punct, lorem_ipsum, javascript, curly_bracket, policy, paragraphs;
    int64_t min_sentences, min_words_per_line, max_word_length, min_paragraphs, min_paragraph_length, seed;
    double keep_fraction;
    const char *bad_words_path, *default_language, *languages_path;
    /* made by c4_load() */
    struct bad_words *bad_words;
    struct filter_languages *languages;
};
extern const struct opt c4_opts[];
extern const struct drop_reason *const c4_reasons[];
extern const char *const c4_counters[];

MUST_USE enum status c4_load(void *cfg);
void c4_unload(void *cfg);
MUST_USE enum status c4_open(const void *cfg, void **state);
void c4_close(void *state);
/* Wants w->state from c4_open(). */
MUST_USE enum status c4_each(const void *cfg, struct doc *d, struct step_work *w);

/* --- the inside --- */

struct c4_state {
    struct text_scan line;       /* of a line that lost citations */
    struct buf clean, lower, out;
};
/* What the line rules made of a text. */
struct c4_result {
    uint64_t sentences, lorem_lines, curly_lines;
    bool curly_first;
};
/* Puts the lines that are left into st->out; counts: by c4_counters. full: goes on behind what drops the document. */
struct c4_result c4_lines(const struct c4_cfg *c, const struct text_scan *s, struct c4_state *st, uint64_t *counts, bool full);

#endif
