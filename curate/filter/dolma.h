/*
 * `filter: {profile: gopher@dolma}`: Gopher's rules in the form of Dolma's tagger gopher_v1, with the thresholds and in
 * the order of Dolma 1.6's mixer (configs/dolma-v1_6/mixing/cc-middle.yaml).
 *
 * Words are what white space separates. What differs from gopher@datatrove: the median word length instead of the mean;
 * a share of words with '#' or U+2026 instead of signs a word; every copy of a repeated line or n-gram counts, not only
 * those behind the first; shares of characters are of those in words, white space left out.
 *
 * The published configuration asks for ..._most_common_2gram, the tagger writes ..._most_common_2grams: the three rules
 * for the commonest n-grams never dropped a document. They are off here, too, so that decisions are the published ones;
 * `top-n-grams: true` turns them on. `lines: filled` is gopher_v2: runs of line ends are one.
 */
#ifndef TUNDISH_CURATE_DOLMA_H
#define TUNDISH_CURATE_DOLMA_H

#include "curate/filter/filter_languages.h"
#include "curate/filter/space_rules.h"

#define DOLMA_RULES(X)                                                                                              \
    X(few_words, "min-words", "50", TRACE_AT_LEAST, "dolma_word_count_min", "too few words")                        \
    X(many_words, "max-words", "100000", TRACE_AT_MOST, "dolma_word_count_max", "too many words")                   \
    X(short_words, "min-median-word-length", "3", TRACE_AT_LEAST, "dolma_median_word_length_min",                   \
      "the median word is too short (characters)")                                                                  \
    X(long_words, "max-median-word-length", "10", TRACE_AT_MOST, "dolma_median_word_length_max",                    \
      "the median word is too long (characters)")                                                                   \
    X(symbols, "max-symbol-words", "0.1", TRACE_AT_MOST, "dolma_symbol_to_word_ratio",                              \
      "share of words with '#' or an ellipsis sign is too large")                                                   \
    X(letters, "min-alpha-words", "0.8", TRACE_AT_LEAST, "dolma_words_with_alpha_character",                        \
      "share of words with a letter is too small")                                                                  \
    X(required, "min-required-words", "2", TRACE_AT_LEAST, "dolma_required_word_count",                             \
      "too few of: the be to of and that have with (each time counts)")                                             \
    X(bullets, "max-bullet-lines", "0.9", TRACE_AT_MOST, "dolma_lines_starting_with_bullet_point",                  \
      "share of lines that begin with '*' or '-' is too large")                                                     \
    X(ellipses, "max-ellipsis-lines", "0.3", TRACE_AT_MOST, "dolma_lines_ending_with_ellipsis",                     \
      "share of lines that end with an ellipsis sign is too large")                                                 \
    X(lines, "max-dup-lines", "0.3", TRACE_AT_MOST, "dolma_duplicate_lines",                                        \
      "share of lines that stand there more than once (all copies) is too large")                                   \
    X(line_chars, "max-dup-line-chars", "0.3", TRACE_AT_MOST, "dolma_characters_in_duplicate_lines",                \
      "characters of such lines, over those in words, are too many")                                                \
    X(top_2, "max-top-2-gram", "0.2", TRACE_AT_MOST, "dolma_most_common_2grams",                                    \
      "share of characters in the commonest 2-gram is too large")                                                   \
    X(top_3, "max-top-3-gram", "0.18", TRACE_AT_MOST, "dolma_most_common_3grams",                                   \
      "share of characters in the commonest 3-gram is too large")                                                   \
    X(top_4, "max-top-4-gram", "0.16", TRACE_AT_MOST, "dolma_most_common_4grams",                                   \
      "share of characters in the commonest 4-gram is too large")                                                   \
    X(dup_5, "max-dup-5-gram", "0.15", TRACE_AT_MOST, "dolma_duplicate_5grams",                                     \
      "share of characters in repeated 5-grams (all copies) is too large")                                          \
    X(dup_6, "max-dup-6-gram", "0.14", TRACE_AT_MOST, "dolma_duplicate_6grams",                                     \
      "share of characters in repeated 6-grams (all copies) is too large")                                          \
    X(dup_7, "max-dup-7-gram", "0.13", TRACE_AT_MOST, "dolma_duplicate_7grams",                                     \
      "share of characters in repeated 7-grams (all copies) is too large")                                          \
    X(dup_8, "max-dup-8-gram", "0.12", TRACE_AT_MOST, "dolma_duplicate_8grams",                                     \
      "share of characters in repeated 8-grams (all copies) is too large")                                          \
    X(dup_9, "max-dup-9-gram", "0.11", TRACE_AT_MOST, "dolma_duplicate_9grams",                                     \
      "share of characters in repeated 9-grams (all copies) is too large")                                          \
    X(dup_10, "max-dup-10-gram", "0.1", TRACE_AT_MOST, "dolma_duplicate_10grams",                                   \
      "share of characters in repeated 10-grams (all copies) is too large")

enum dolma_rule {
#define X(field, ...) DOLMA_##field,
    DOLMA_RULES(X)
#undef X
    DOLMA_RULE_COUNT
};

struct dolma_cfg {
    int profile, lines;
    bool top_grams;
    const char *file;                  /* of languages; NULL: none */
    struct filter_languages *languages;
    struct opt_list stop_words;        /* none: the eight of the peer */
    double limit[DOLMA_RULE_COUNT];
};
extern const struct opt dolma_opts[];
extern const struct drop_reason *const dolma_reasons[];
MUST_USE enum status dolma_check(const void *cfg, const struct yaml *at);
MUST_USE enum status dolma_load(void *cfg);
void dolma_unload(void *cfg);
MUST_USE enum status dolma_each(const void *cfg, struct doc *d, struct step_work *w);

#endif
