/*
 * `language`: which language a document is in, and whether that is wanted.
 *
 *     - language                                             # CLD2; labels, drops nothing
 *     - language: {keep: [en, de], thresholds: {de: 0.4}}
 *     - language: {method: fasttext, model: lid.176.ftz, keep: en}
 *
 * The document's language and score are set (codes as language_code.h makes them; "und" where there is none). The
 * score is fastText's probability of the likeliest label, or with CLD2 the share of the letters that are in the
 * language that most of them are in; what CLD2 calls unreliable is no language. Without `keep`, `threshold` and
 * `thresholds` nothing is dropped. Else a document is dropped, in this order:
 *   language_unknown     there is none
 *   language_not_kept    it is not one of `keep`, if there is such a list
 *   language_score_low   its score is below the language's of `thresholds`, or else below `threshold`
 *
 * Only the likeliest language is looked at. datatrove's LanguageFilter takes a document if any wanted language has
 * more than the threshold: the same while that is 0.5 or more. A line end counts as a blank, as datatrove and Curator
 * have it; case stays (dolma's taggers lower it first).
 */
#ifndef TUNDISH_CURATE_LANGUAGE_STEP_H
#define TUNDISH_CURATE_LANGUAGE_STEP_H

#include "curate/chain/step.h"

enum language_method { LANGUAGE_CLD2, LANGUAGE_FASTTEXT };

struct language_rules;
struct language_cfg {
    int method;
    const char *model;
    struct opt_list keep;
    double threshold;                  /* -1: the method's own */
    struct yaml *thresholds;           /* NULL: none */
    struct language_rules *rules;      /* made by language_load() */
};
extern const struct opt language_opts[];
extern const struct drop_reason *const language_reasons[];
MUST_USE enum status language_check(const void *cfg, const struct yaml *at);
MUST_USE enum status language_load(void *cfg);
void language_unload(void *cfg);
MUST_USE enum status language_open(const void *cfg, void **state);
void language_close(void *state);
MUST_USE enum status language_each(const void *cfg, struct doc *d, struct step_work *w);

#endif
