/*
 * The tokens of samples: windows of T + 1 tokens of the training stream, in the order of
 * store/token_order.h. Documents stand one after the other, each ended by the end-of-text token.
 */
#ifndef TUNDISH_TRAIN_LOADER_H
#define TUNDISH_TRAIN_LOADER_H

#include "base/status.h"
#include "store/token_order.h"
#include "store/tokens.h"

struct loader {
    const struct token_store *store;
    enum token_part part;
    int64_t length; /* T */
    struct token_order order;
};
/* ST_CONFIG when the part holds fewer than 2 T + 1 tokens. */
MUST_USE enum status loader_init(struct loader *l, const struct token_store *store, int64_t length,
                                 uint64_t seed);
/* Samples [first, first + count): tokens and targets, i32 [count * T]. */
MUST_USE enum status loader_read(const struct loader *l, uint64_t first, int64_t count,
                                 int32_t *tokens, int32_t *targets);

/* The validation part in order, without overlap or shuffle: windows that a forward pass scores. */
uint64_t loader_validation_windows(const struct token_store *store, int64_t length);
MUST_USE enum status loader_read_validation(const struct token_store *store, int64_t length,
                                            uint64_t first, int64_t count, int32_t *tokens,
                                            int32_t *targets);

#endif
