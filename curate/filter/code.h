/*
 * `filter: {profile: code}`: rules for source files that need no model: the code filters of NeMo Curator 1.4
 * (stages/text/filters/heuristic/code), then the signals of Dolma's RedPajama tagger with RedPajama's thresholds.
 *
 * The language is that of the file's extension: the metadata's "ext", else what stands behind the last dot of the id.
 * Comments are measured in Python and in languages with C's comments, visible text in HTML; in others these rules have no
 * value. `extensions: FILE` has options of its own for some extensions (filter_languages.h, with an extension for a code).
 *
 * Left out: characters a token of a SentencePiece model (Curator's TokenizerFertilityFilter), stars and secrets (Dolma):
 * they ask for a model or for what is not in the text.
 *
 * Python is read by a small lexer, which cannot tell a syntax error from a program: the peer's ratio is 0 where Python's
 * own parser fails, ours only where a string or a bracket does not end.
 */
#ifndef TUNDISH_CURATE_CODE_H
#define TUNDISH_CURATE_CODE_H

#include "curate/filter/filter_languages.h"
#include "curate/filter/space_rules.h"

#define CODE_RULES(X)                                                                                               \
    X(few_comments, "min-comments", "0.01", TRACE_AT_LEAST, "code_comment_ratio_min",                               \
      "share of characters in comments and docstrings is too small")                                                \
    X(many_comments, "max-comments", "0.85", TRACE_AT_MOST, "code_comment_ratio_max",                               \
      "share of characters in comments and docstrings is too large, or a comment does not end")                     \
    X(few_lines, "min-lines", "10", TRACE_AT_LEAST, "code_num_lines_min", "too few lines")                          \
    X(many_lines, "max-lines", "20000", TRACE_AT_MOST, "code_num_lines_max", "too many lines")                      \
    X(xml_header, "max-xml-headers", "0.5", TRACE_AT_MOST, "code_xml_header",                                       \
      "'<?xml version=' in the first 100 characters (1) is too much")                                               \
    X(alphabetic, "min-alphabetic", "0.25", TRACE_AT_LEAST, "code_alpha_filter",                                    \
      "share of alphabetic characters is too small")                                                                \
    X(html_text, "min-html-text", "0.2", TRACE_AT_LEAST, "code_html_boilerplate",                                   \
      "share of visible text in HTML is too small (0: fewer than 100 characters)")                                  \
    X(max_line, "max-line-length", "1000", TRACE_AT_MOST, "code_max_line_length",                                   \
      "the longest line is too long (characters)")                                                                  \
    X(mean_line, "max-mean-line-length", "100", TRACE_AT_MOST, "code_avg_line_length",                              \
      "the mean line is too long (characters)")                                                                     \
    X(alnum, "min-alphanumeric", "0.25", TRACE_AT_LEAST, "code_alnum_prop",                                         \
      "share of letters and numbers is too small")                                                                  \
    X(letters, "min-letters-per-token", "1.5", TRACE_AT_LEAST, "code_alpha_token_prop",                             \
      "too few letters for the number of words and signs")

enum code_rule {
#define X(field, ...) CODE_##field,
    CODE_RULES(X)
#undef X
    CODE_RULE_COUNT
};

struct code_cfg {
    int profile;
    const char *extensions;
    struct filter_languages *languages;
    double limit[CODE_RULE_COUNT];
};
extern const struct opt code_opts[];
extern const struct drop_reason *const code_reasons[];
MUST_USE enum status code_load(void *cfg);
void code_unload(void *cfg);
MUST_USE enum status code_each(const void *cfg, struct doc *d, struct step_work *w);

/* --- the inside --- */

/* Characters of comments and docstrings of a Python program; -1: a string or a bracket does not end. Docstrings count as
 * inspect.cleandoc() leaves them, with a line end between two; comments with their '#'. */
double code_python_comments(struct span text, struct buf *spare);
/* Characters inside of comments as in C, with a blank between two; -1: one does not end. */
double code_c_comments(const struct space_scan *s);
/* Characters of HTML that are neither tags nor comments, scripts or styles; a reference counts as one. */
uint64_t code_html_chars(struct span text);

#endif
