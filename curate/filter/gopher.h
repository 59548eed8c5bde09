/*
 * `filter: {profile: gopher@datatrove}`: the quality and repetition rules of Gopher (Rae et al., "Scaling
 * Language Models", 2021, appendix A.1.1, table A1) in the form, order, names and defaults of
 * datatrove 0.10.1 (GopherRepetitionFilter, then GopherQualityFilter). The first rule that is broken
 * drops the document; reasons are datatrove's strings. Every option of its two classes has one here, with its default;
 * `languages:` is a file with other ones for some languages (filter_languages.h), as FineWeb-2 has them.
 *
 * Words are those of curate/text/text_scan.h. A threshold of 0 turns its rule off. Fractions of
 * characters are taken of the whole text, white space included. The thresholds fit prose; for
 * documentation with tables and code, loosen `max-dup-line-fraction`, `max-dup-line-char-fraction`
 * and `min-alpha-words`.
 *
 * The rules in the order of their check, W the words, S those that are not punctuation alone:
 *   repetition
 *     dup_para_frac, dup_para_char_frac   paragraphs (split at 2+ line ends) that stood before:
 *                                         share of paragraphs, of characters
 *     dup_line_frac, dup_line_char_frac   the same for lines (split at 1+ line ends)
 *     top_N_gram                          N = 2, 3, 4: length of the commonest N-gram of W,
 *                                         joined by a space, times its count
 *     duplicated_N_n_grams                N = 5..10: N-grams that stood before;
 *                                         the scan jumps over one that it counts
 *   quality
 *     gopher_short_doc, gopher_long_doc                       |S|
 *     gopher_below_avg_threshold, gopher_above_avg_threshold  mean characters of S
 *     gopher_too_many_hashes, gopher_too_many_ellipsis        '#'; "..." and U+2026, each over |W|
 *     gopher_too_many_bullets, gopher_too_many_end_ellipsis   lines that begin with U+2022 or '-';
 *                                                             that end with an ellipsis
 *     gopher_below_alpha_threshold                            words of W with a letter over |W|
 *     gopher_enough_stop_words                                distinct ones of:
 *                                                             the be to of and that have with
 *                                                             (or of `stop-words`)
 */
#ifndef TUNDISH_CURATE_GOPHER_H
#define TUNDISH_CURATE_GOPHER_H

#include "curate/filter/filter_languages.h"
#include "curate/filter/space_rules.h"
#include "curate/filter/stop_words.h"
#include "curate/text/text_scan.h"

/*    field                 option                           default  most  reason */
#define GOPHER_REPETITION(X)                                                                       \
    X(dup_para,       "max-dup-paragraph-fraction",      "0.3",  "dup_para_frac",                  \
      "share of paragraphs that stood before in the document is too large")                        \
    X(dup_para_char,  "max-dup-paragraph-char-fraction", "0.2",  "dup_para_char_frac",             \
      "share of characters in paragraphs that stood before is too large")                          \
    X(dup_line,       "max-dup-line-fraction",           "0.3",  "dup_line_frac",                  \
      "share of lines that stood before in the document is too large")                             \
    X(dup_line_char,  "max-dup-line-char-fraction",      "0.2",  "dup_line_char_frac",             \
      "share of characters in lines that stood before is too large")                               \
    X(top_2, "max-top-2-gram", "0.2",  "top_2_gram",                                               \
      "share of characters in the commonest 2-gram is too large")                                  \
    X(top_3, "max-top-3-gram", "0.18", "top_3_gram",                                               \
      "share of characters in the commonest 3-gram is too large")                                  \
    X(top_4, "max-top-4-gram", "0.16", "top_4_gram",                                               \
      "share of characters in the commonest 4-gram is too large")                                  \
    X(dup_5, "max-dup-5-gram", "0.15", "duplicated_5_n_grams",                                     \
      "share of characters in repeated 5-grams is too large")                                      \
    X(dup_6, "max-dup-6-gram", "0.14", "duplicated_6_n_grams",                                     \
      "share of characters in repeated 6-grams is too large")                                      \
    X(dup_7, "max-dup-7-gram", "0.13", "duplicated_7_n_grams",                                     \
      "share of characters in repeated 7-grams is too large")                                      \
    X(dup_8, "max-dup-8-gram", "0.12", "duplicated_8_n_grams",                                     \
      "share of characters in repeated 8-grams is too large")                                      \
    X(dup_9, "max-dup-9-gram", "0.11", "duplicated_9_n_grams",                                     \
      "share of characters in repeated 9-grams is too large")                                      \
    X(dup_10, "max-dup-10-gram", "0.1", "duplicated_10_n_grams",                                   \
      "share of characters in repeated 10-grams is too large")

/* One reason a rule; two rules may share an option (a field). */
#define GOPHER_QUALITY(X)                                                                                       \
    X(short_doc,    min_words,      AT_LEAST, "gopher_short_doc",             "too few words")                  \
    X(long_doc,     max_words,      AT_MOST,  "gopher_long_doc",              "too many words")                 \
    X(short_words,  min_mean_word,  AT_LEAST, "gopher_below_avg_threshold",                                     \
      "the mean word is too short (characters)")                                                                \
    X(long_words,   max_mean_word,  AT_MOST,  "gopher_above_avg_threshold",                                     \
      "the mean word is too long (characters)")                                                                 \
    X(hashes,       max_symbols,    AT_MOST,  "gopher_too_many_hashes",                                         \
      "too many '#' for the number of words")                                                                   \
    X(ellipses,     max_symbols,    AT_MOST,  "gopher_too_many_ellipsis",                                       \
      "too many ellipses for the number of words")                                                              \
    X(bullets,      max_bullets,    AT_MOST,  "gopher_too_many_bullets",      "too many lines begin with a bullet") \
    X(ellipsis_ends, max_ellipsis_lines, AT_MOST, "gopher_too_many_end_ellipsis",                               \
      "too many lines end with an ellipsis")                                                                    \
    X(alpha,        min_alpha_words, AT_LEAST, "gopher_below_alpha_threshold", "too few words have a letter")   \
    X(stop_words,   min_stop_words, AT_LEAST, "gopher_enough_stop_words",     "too few distinct stop words")

enum gopher_repetition_rule {
#define X(field, option, fallback, key, meaning) GOPHER_##field,
    GOPHER_REPETITION(X)
#undef X
    GOPHER_REPETITION_RULES
};
enum gopher_quality_rule {
#define X(rule, field, side, key, meaning) GOPHER_##rule,
    GOPHER_QUALITY(X)
#undef X
};

struct gopher_cfg {
    int profile, rules;
    bool repetition, quality;
    double most[GOPHER_REPETITION_RULES];
    int64_t min_words, max_words, min_stop_words;
    double min_mean_word, max_mean_word;
    double max_symbols, max_bullets, max_ellipsis_lines, min_alpha_words;
    struct opt_list stop_words;
    const char *languages_path;
    /* made by gopher_load() */
    struct stop_words *stops;
    struct filter_languages *languages;
};
extern const struct opt gopher_opts[];
extern const struct space_rule gopher_repetition_rules[], gopher_quality_rules[];
extern const struct drop_reason *const gopher_reasons[];
/* What `words:` may be, for the profiles of this family: by enum words_rules. */
extern const char *const gopher_words_rules[];

MUST_USE enum status gopher_load(void *cfg);
void gopher_unload(void *cfg);
/* Runs both sets on a document's text. */
MUST_USE enum status gopher_each(const void *cfg, struct doc *d, struct step_work *w);

/* --- the inside --- */

/* Equal n-grams: where the first begins, and how many. (Also a key and a place, where n-grams are looked for.) */
struct gram_group {
    uint64_t hash;
    uint32_t first, count;
};
struct gopher_scratch {
    struct text_scan scan;            /* kept from filter to filter, of the same family */
    uint64_t *grams;                  /* hash of the n-gram at each word */
    uint32_t *repeated;               /* words with an n-gram that may be repeated */
    uint32_t *limits;                 /* bytes that a repeated n-gram at each of those does not reach */
    uint32_t *shorter;                /* those of them that one rule looks at */
    struct gram_group *groups;
    uint8_t *again;                   /* of each word: may a repeated one begin there? */
    uint32_t *starts;                 /* of each word, in `joined` */
    size_t gram_cap;
    char *joined;                     /* the words without anything between */
    size_t joined_cap;
    uint8_t *marks;                   /* by hash: is there one, are there more? */
    int mark_shift;
    size_t mark_cap;
    uint64_t *slots;                  /* a hash table, made anew by each rule */
    size_t slot_cap;
};
void gopher_scratch_free(struct gopher_scratch *g);
/* The worker's scratch, made at the first call, with the scan of d's text. */
struct gopher_scratch *gopher_scan(struct doc *d, struct step_work *w, enum words_rules rules);
/* Adds hashes to a set: begin() has room for n; add() tells whether one was there. */
int gopher_set_begin(struct gopher_scratch *g, size_t n);
bool gopher_set_add(struct gopher_scratch *g, int bits, uint64_t hash);

/* Judge the rules of a set; true: the filter may stop. */
bool gopher_repetition(const struct gopher_cfg *c, struct gopher_scratch *g, struct doc *d, struct trace *t);
bool gopher_quality(const struct gopher_cfg *c, const struct text_scan *s, struct doc *d, struct trace *t);

#endif
