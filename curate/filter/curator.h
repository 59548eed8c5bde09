/*
 * `filter: {profile: curator-en}`: the 28 heuristics that NeMo Curator applies to English
 * (nemo_curator/config/text/heuristic_filter_english_pipeline.yaml of version 1.4), in its order and with its thresholds.
 * Two of the heuristics have a bound on either side; each side is a rule of its own here.
 *
 * Words are what white space separates; "sentences" are lines that are not blank; paragraphs are what two line ends
 * separate, empty ones too. Shares of characters are of all of the text.
 *
 * Where the peer has no answer of its own: of several commonest n-grams it takes the one that its process's random seed
 * for hashes makes the first, here it is the one that stands first in the text; on a text of white space alone nine of
 * its heuristics raise an exception, here shares of nothing are 0 and it is too few words that drop the document.
 */
#ifndef TUNDISH_CURATE_CURATOR_H
#define TUNDISH_CURATE_CURATOR_H

#include "curate/filter/filter_languages.h"
#include "curate/filter/space_rules.h"

#define CURATOR_RULES(X)                                                                                            \
    X(signs, "max-non-alphanumeric", "0.25", TRACE_AT_MOST, "curator_alpha_numeric",                                \
      "share of characters that are not a-z A-Z 0-9 ? ! , . or a line end is too large")                            \
    X(symbols, "max-symbol-words", "0.1", TRACE_AT_MOST, "curator_symbol_to_word",                                  \
      "share of words that are an ellipsis or mostly '#' is too large")                                             \
    X(numbers, "max-digits", "0.15", TRACE_AT_MOST, "curator_numbers_ratio", "share of digits 0-9 is too large")    \
    X(urls, "max-url-chars", "0.2", TRACE_AT_MOST, "curator_urls_ratio",                                            \
      "share of characters in web addresses is too large")                                                          \
    X(blanks, "max-white-space", "0.25", TRACE_AT_MOST, "curator_white_space",                                      \
      "share of white space is too large")                                                                          \
    X(brackets, "max-parentheses", "0.1", TRACE_AT_MOST, "curator_parentheses_ratio",                               \
      "share of parentheses and brackets is too large")                                                             \
    X(phrases, "max-boilerplate-paragraphs", "0.4", TRACE_AT_MOST, "curator_boilerplate_string_ratio",              \
      "share of paragraphs with words of privacy policies and the like is too large (lorem ipsum: 1)")              \
    X(lines, "min-distinct-lines", "0.7", TRACE_AT_LEAST, "curator_repeated_lines",                                 \
      "too few distinct lines for their number")                                                                    \
    X(paragraphs, "min-distinct-paragraphs", "0.7", TRACE_AT_LEAST, "curator_repeated_paragraphs",                  \
      "too few distinct paragraphs for their number")                                                               \
    X(line_chars, "min-distinct-line-chars", "0.8", TRACE_AT_LEAST, "curator_repeated_lines_char",                  \
      "too few characters in distinct lines")                                                                       \
    X(paragraph_chars, "min-distinct-paragraph-chars", "0.8", TRACE_AT_LEAST, "curator_repeated_paragraphs_char",   \
      "too few characters in distinct paragraphs")                                                                  \
    X(few_words, "min-words", "50", TRACE_AT_LEAST, "curator_word_count_min", "too few words")                      \
    X(many_words, "max-words", "100000", TRACE_AT_MOST, "curator_word_count_max", "too many words")                 \
    X(endings, "max-lines-without-end", "0.85", TRACE_AT_MOST, "curator_punctuation",                               \
      "share of lines that do not end with . ? ! or a straight quote is too large")                                 \
    X(letters, "min-alpha-words", "0.8", TRACE_AT_LEAST, "curator_words_without_alphabets",                         \
      "share of words with an alphabetic character is too small")                                                   \
    X(common, "min-common-words", "2", TRACE_AT_LEAST, "curator_common_english_words",                              \
      "too few of: the be to of and that have with (each time counts)")                                             \
    X(short_words, "min-mean-word-length", "3", TRACE_AT_LEAST, "curator_mean_word_length_min",                     \
      "the mean word is too short (characters)")                                                                    \
    X(long_words, "max-mean-word-length", "10", TRACE_AT_MOST, "curator_mean_word_length_max",                      \
      "the mean word is too long (characters)")                                                                     \
    X(longest, "max-word-length", "1000", TRACE_AT_MOST, "curator_max_word_length",                                 \
      "the longest word is too long (characters)")                                                                  \
    X(ellipses, "max-ellipsis-lines", "0.3", TRACE_AT_MOST, "curator_ellipsis",                                     \
      "share of lines that end with an ellipsis or 'read more' is too large")                                       \
    X(top_2, "max-top-2-gram", "0.2", TRACE_AT_MOST, "curator_repeating_top_2grams",                                \
      "share of characters in the commonest 2-gram, wherever it stands, is too large")                              \
    X(top_3, "max-top-3-gram", "0.18", TRACE_AT_MOST, "curator_repeating_top_3grams",                               \
      "share of characters in the commonest 3-gram, wherever it stands, is too large")                              \
    X(top_4, "max-top-4-gram", "0.16", TRACE_AT_MOST, "curator_repeating_top_4grams",                               \
      "share of characters in the commonest 4-gram, wherever it stands, is too large")                              \
    X(dup_5, "max-dup-5-gram", "0.15", TRACE_AT_MOST, "curator_repeating_dup_5gram",                                \
      "share of characters in 5-grams that stood before is too large")                                              \
    X(dup_6, "max-dup-6-gram", "0.14", TRACE_AT_MOST, "curator_repeating_dup_6gram",                                \
      "share of characters in 6-grams that stood before is too large")                                              \
    X(dup_7, "max-dup-7-gram", "0.13", TRACE_AT_MOST, "curator_repeating_dup_7gram",                                \
      "share of characters in 7-grams that stood before is too large")                                              \
    X(dup_8, "max-dup-8-gram", "0.12", TRACE_AT_MOST, "curator_repeating_dup_8gram",                                \
      "share of characters in 8-grams that stood before is too large")                                              \
    X(dup_9, "max-dup-9-gram", "0.11", TRACE_AT_MOST, "curator_repeating_dup_9gram",                                \
      "share of characters in 9-grams that stood before is too large")                                              \
    X(dup_10, "max-dup-10-gram", "0.1", TRACE_AT_MOST, "curator_repeating_dup_10gram",                              \
      "share of characters in 10-grams that stood before is too large")                                             \
    X(bullets, "max-bullet-lines", "0.9", TRACE_AT_MOST, "curator_bullet_ratio",                                    \
      "share of lines that begin with a bullet is too large")

enum curator_rule {
#define X(field, ...) CURATOR_##field,
    CURATOR_RULES(X)
#undef X
    CURATOR_RULE_COUNT
};

struct curator_cfg {
    int profile;
    const char *file;                  /* of languages; NULL: none */
    struct filter_languages *languages;
    struct opt_list stop_words;        /* none: the eight of the peer */
    double limit[CURATOR_RULE_COUNT];
};
extern const struct opt curator_opts[];
extern const struct drop_reason *const curator_reasons[];
MUST_USE enum status curator_check(const void *cfg, const struct yaml *at);
MUST_USE enum status curator_load(void *cfg);
void curator_unload(void *cfg);
MUST_USE enum status curator_each(const void *cfg, struct doc *d, struct step_work *w);

/* --- what rules look for in the text (curator_text.c) --- */

/* Characters in web addresses. */
uint64_t curator_url_chars(const struct space_scan *s);
/* Share of paragraphs with one of the phrases. */
double curator_phrase_share(struct space_scan *s);
/* Words that are an ellipsis, or more than half of whose characters begin a run of '#'. */
uint64_t curator_symbol_words(const struct space_scan *s);
/* Characters of the n-gram that begins with word `first`, joined by single blanks, times how often these very bytes stand
 * in the text without overlap, in the middle of words, too. */
uint64_t curator_gram_chars(struct space_scan *s, size_t first, size_t n);

struct curator_lines {
    uint64_t filled, without_end, ellipses, bullets;
};
struct curator_lines curator_line_edges(const struct space_scan *s);

#endif
