/*
 * Pre-tokenization in stages, for files whose pre-tokenizer rewrites text on the way (Metaspace's
 * marks, a space in front of each piece).
 *
 * A stage cuts a text and rewrites each piece; the next one cuts that again. What comes out of the
 * last stage goes to the tokenizer's own struct pretok (tokenizer_part.h), which is all there is
 * where nothing is rewritten.
 */
#ifndef TUNDISH_TOKENIZE_STAGES_H
#define TUNDISH_TOKENIZE_STAGES_H

#include "tokenize/encode/normalizer.h"
#include "tokenize/pretok/pretok.h"

struct stage {
    struct pretok *cuts;             /* NULL: the text is one piece */
    struct normalizer *rewrite;      /* of each piece */
};
struct stage_run;                    /* one thread's own */
/* Borrows the stages. */
struct stage_run *stage_run_new(const struct stage *stages, size_t count);
void stage_run_free(struct stage_run *r);

/* Takes a piece of the last stage; it is valid during the call. */
typedef enum status stage_fn(void *ctx, struct span text);
/* Hands the pieces of text to take, in order. first: the text begins where the whole text
 * does. */
MUST_USE enum status stage_run_text(struct stage_run *r, struct span text, bool first,
                                    stage_fn *take, void *ctx);

#endif
