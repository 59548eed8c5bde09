/*
 * What the profiles share whose words are what white space separates: their list of rules, and how one is judged.
 *
 * A profile is one X-list: a row is a rule with its field, option, default, side, reason and meaning. Options, reasons and
 * the places of thresholds derive from it, in the order in which the rules are asked. A threshold of 0 turns a rule off.
 * "At the threshold" passes, as with all peers.
 */
#ifndef TUNDISH_CURATE_SPACE_RULES_H
#define TUNDISH_CURATE_SPACE_RULES_H

#include "curate/chain/step.h"
#include "curate/text/space_scan.h"

struct space_rule {
    struct drop_reason reason;
    enum trace_side side;
};
#define SPACE_RULE(field, option, fallback, side, key, meaning) { { key, meaning }, side },

/* Is there anything to measure for a rule with this threshold? */
static inline bool space_rule_on(double threshold, const struct trace *t) { return threshold != 0 || t->full; }
/* True: the filter may stop. */
bool space_judge(struct doc *d, struct trace *t, const struct space_rule *r, double value, double threshold);
/* The scan of d's text. */
struct space_scan *space_scan_of_doc(const struct doc *d, struct step_work *w);
/* Words of the list, each as often as it stands in the text, by case; an empty list is the scan's own. */
uint64_t space_count_words(struct space_scan *s, const struct opt_list *words);
#define SPACE_STOP_WORDS_MAX 256
/* Not more than that, and none empty. */
MUST_USE enum status space_check_words(const struct opt_list *words, const struct yaml *at);
/* a / b; 0 of 0 is `none`. */
static inline double space_share(uint64_t a, uint64_t b, double none) { return b ? (double)a / (double)b : none; }

#endif
