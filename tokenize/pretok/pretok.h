/*
 * Pre-tokenization: text is cut into the pieces that BPE never merges across, by hand-made scanners where the pattern is
 * one of those that have a name (scan.h), else by regular expressions (PCRE2, JIT).
 *
 * One or more cuts follow each other; each cuts every piece of the one before, which it sees
 * as a text of its own. What becomes of the matches and of the text between them is the rule's
 * behavior. The pieces together always are the text: those that a tokenizer leaves out are handed
 * out too, with a mark.
 * A pattern that backtracks too much is stopped by a limit on its steps and gives an error,
 * never a wait without end.
 * A struct pretok is shared by threads; each thread matches with its own struct pretok_run.
 */
#ifndef TUNDISH_TOKENIZE_PRETOK_H
#define TUNDISH_TOKENIZE_PRETOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

/* The patterns that have a name, in Hugging Face's dialect (regex_dialect.h). One list;
 * ends with name NULL. */
struct pretok_pattern {
    const char *name, *text;
};
extern const struct pretok_pattern pretok_patterns[];
/* DeepSeek's chain of cuts, each of them Isolated, which has a scanner as a whole. */
#define PRETOK_DEEPSEEK_CUTS 3
extern const char *const pretok_deepseek[PRETOK_DEEPSEEK_CUTS];
/* The text of a named pattern, or NULL. */
const char *pretok_pattern_text(const char *name);
/* The name of a pattern's text, or NULL. */
const char *pretok_pattern_name(const char *text);

struct pretok;
struct pretok *pretok_new(void);
void pretok_free(struct pretok *p);
/* The Unicode version whose letters, marks, numbers, ... the patterns mean, times ten (unicode_table.h): 140, 150, 151,
 * 160, 170. Before the first cut is added; 160 where it is not called, as Hugging Face's tokenizers since 0.21.2 and
 * tiktoken 0.14 have it. ST_LIMIT: another. */
MUST_USE enum status pretok_set_unicode(struct pretok *p, int version);
/* For tests and measurements: named patterns are matched in this way instead of the best. Before the first cut is added.
 * False: this machine cannot. */
enum pretok_matcher { PRETOK_REGEX, PRETOK_PORTABLE, PRETOK_AVX2, PRETOK_AVX512 };
MUST_USE bool pretok_force(struct pretok *p, enum pretok_matcher matcher);
/* What becomes of the matches and of the text between them, in Hugging Face's words ("-" in
 * "a--b"): Isolated a,-,-,b; Removed a,b; MergedWithPrevious a-,-,b; MergedWithNext a,-,-b;
 * Contiguous a,--,b. invert: the text between matches is taken for the matches, and these for what
 * is between. */
enum pretok_behavior {
    PRETOK_ISOLATED,
    PRETOK_REMOVED,
    PRETOK_MERGED_WITH_PREVIOUS,
    PRETOK_MERGED_WITH_NEXT,
    PRETOK_CONTIGUOUS,
};
struct pretok_rule {
    const char *what;                /* names the rule in errors */
    const char *pattern;             /* in Hugging Face's dialect */
    enum pretok_behavior behavior;
    bool invert;
};
/* Appends a cut. ST_UNSUPPORTED, ST_FORMAT: the pattern (regex_dialect.h). */
MUST_USE enum status pretok_add(struct pretok *p, const struct pretok_rule *rule);
/* Whether pieces may be marked PRETOK_DROPPED; where not, nobody needs to look. */
bool pretok_drops(const struct pretok *p);

/* The cuts, for people: the pattern of cut i as it was given, NULL behind the last. */
const char *pretok_cut(const struct pretok *p, size_t i);

/* Calls fn for each range of characters that the categories in the patterns (\p{L}, \p{Lu}, \d, ...) take in one of two Unicode
 * versions only: the one in use and another (unicode_table.h). Scripts and other properties are not looked at: they are PCRE2's own. */
void pretok_unicode_difference(const struct pretok *p, int other_version,
                               void (*fn)(void *ctx, uint32_t first, uint32_t last), void *ctx);

struct pretok_run;
struct pretok_run *pretok_run_new(const struct pretok *p);
void pretok_run_free(struct pretok_run *r);

/* Cuts a text (well-formed UTF-8, at most PRETOK_TEXT_MAX bytes, the caller's until all is cut):
 * pretok_begin(), then pretok_next() until *n is 0. It hands out the ends of the next pieces, a few
 * thousand at most, as offsets in the text; a piece begins where the one before ends, and none is
 * empty. An end with the bit PRETOK_DROPPED is that of a piece which PRETOK_REMOVED leaves out. *ends
 * is valid until the next call. Memory does not grow with the text. ST_LIMIT: the pattern
 * backtracks too much; nothing more comes. */
#define PRETOK_DROPPED 0x80000000u
#define PRETOK_TEXT_MAX ((size_t)0x7FFFFFFF)
void pretok_begin(struct pretok_run *r, struct span text);
MUST_USE enum status pretok_next(struct pretok_run *r, const uint32_t **ends, size_t *n);

/* Length of the well-formed UTF-8 that text begins with. */
size_t pretok_well_formed(struct span text);

/* Where a long text may be cut in two that are split apart with the same result: the greatest such place in (0, limit], or 0 if none
 * is known. There are some when the first cut is a named pattern, or the first cuts are DeepSeek's: before white space, behind a single line end, before
 * punctuation behind a letter, also of Chinese and Japanese (pretok_safe_cut.c has the proofs). Bytes that are not UTF-8 do no harm. */
size_t pretok_safe_cut(const struct pretok *p, struct span text, size_t limit);

/* Whether a text without U+0020 is cut before runs of U+2581, and nowhere else. */
bool pretok_cuts_at_marks(const struct pretok *p);

#endif
