/*
 * The bits that a model needs for a stream of tokens.
 *
 * Every token is predicted once, from at least half a window of tokens before it (from all there
 * are at the start; before the first one stands the end-of-text token): windows of T tokens begin
 * every T/2, and each but the first is scored on its second half. Results do not depend on the
 * number of threads.
 */
#ifndef TUNDISH_EVALUATE_SCORE_H
#define TUNDISH_EVALUATE_SCORE_H

#include "base/pool.h"
#include "model/model.h"

struct score_args {
    struct model *model;
    struct pool *pool;
    const int32_t *tokens;
    int64_t count;
    int32_t before; /* what stands before the first token */
    int64_t length; /* T, even, at most the model's context */
};
/* nats[i] = -log p(tokens[i] | what the window shows before it). Ctrl-C: ST_INTERRUPTED, and nats
 * is half filled. */
MUST_USE enum status score_tokens(const struct score_args *args, float *nats);

#endif
