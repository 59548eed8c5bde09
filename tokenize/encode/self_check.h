/*
 * Which entries of a vocabulary do not encode to themselves: the text of such a token becomes other
 * tokens, so it never comes up, but as a whole piece where the file says ignore_merges. A few are usual
 * (Llama 3 has 844, whose merges were learned in another order than they are applied in); many
 * mean that vocabulary and merges are not of one training.
 *
 * Where symbols are bytes the answer is in the trees (bpe_tree.h), in no time; else each entry is merged.
 * Added tokens and bytes of byte_fallback are not asked: they do not come of merging.
 */
#ifndef TUNDISH_TOKENIZE_SELF_CHECK_H
#define TUNDISH_TOKENIZE_SELF_CHECK_H

#include <stdbool.h>

#include "tokenize/tokenizer.h"

struct self_check_item {
    uint32_t id;
    bool made;               /* there are merges that make it, but its text is merged otherwise */
    uint32_t becomes;        /* how many tokens its text becomes instead; 0: none, it has no symbols */
};
struct self_check {
    size_t entries;          /* that were asked */
    struct self_check_item *v;       /* [count] by id */
    size_t count;
    bool whole;              /* ignore_merges: as whole pieces they come up nevertheless */
};
/* *out is the caller's to release. */
void self_check(const struct tokenizer *t, struct self_check *out);
void self_check_release(struct self_check *c);

#endif
