/*
 * Texts that the user of training names: special tokens, and pieces that must be one token.
 */
#ifndef TUNDISH_TOKENIZE_TRAIN_TEXTS_H
#define TUNDISH_TOKENIZE_TRAIN_TEXTS_H

#include "base/opt.h"
#include "base/str.h"
#include "tokenize/pretok/pretok.h"

/* ST_CONFIG: too many, too long, twice, or no room in the vocabulary. */
MUST_USE enum status train_texts_check_special(const struct opt_list *special, uint64_t vocab);

struct train_texts_args {
    const struct opt_list *texts;
    const char *file;        /* more of them, one a line, empty lines left out; NULL: none */
    const struct pretok *pretok;
    bool nfc;                /* text is normalized to NFC before it is cut */
    size_t max_length;       /* bytes; 0: unbounded */
};
struct train_texts {
    struct span *v;          /* followed by readable bytes, as pieces are */
    size_t count;
};
/* Different texts, in the order of their lengths, so that a long one can build on a short one.
 * ST_CONFIG: one is not a single piece of the pre-tokenizer's, so that no merge can make it,
 * or not as text is normalized. */
MUST_USE enum status train_texts_required(struct arena *a, const struct train_texts_args *args,
                                          struct train_texts *out);

#endif
