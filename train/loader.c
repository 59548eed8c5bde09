#include "train/loader.h"

enum status loader_init(struct loader *l, const struct token_store *store, int64_t length,
                        uint64_t seed)
{
    uint64_t tokens = token_store_tokens(store, TOKENS_TRAIN), T = (uint64_t)length;

    if (tokens < 2 * T + 1)
        return fail(
            ST_CONFIG, "the store has %llu training tokens; sequences of %llu need at least %llu",
            (unsigned long long)tokens, (unsigned long long)T, (unsigned long long)(2 * T + 1));
    *l = (struct loader){ store, TOKENS_TRAIN, length, token_order_of(tokens, T, seed) };
    return ST_OK;
}

/* One window of T + 1 tokens as T tokens and T targets. */
static enum status read_window(const struct token_store *store, enum token_part part,
                               uint64_t start, int64_t T, int32_t *tokens, int32_t *targets)
{
    int32_t last;

    TRY(token_store_read(store, part, start, (uint64_t)T, tokens));
    TRY(token_store_read(store, part, start + (uint64_t)T, 1, &last));
    for (int64_t t = 0; t + 1 < T; t++)
        targets[t] = tokens[t + 1];
    targets[T - 1] = last;
    return ST_OK;
}

enum status loader_read(const struct loader *l, uint64_t first, int64_t count, int32_t *tokens,
                        int32_t *targets)
{
    int64_t T = l->length;

    for (int64_t i = 0; i < count; i++)
        TRY(read_window(l->store, l->part, token_order_start(&l->order, first + (uint64_t)i), T, tokens + i * T,
                        targets + i * T));
    return ST_OK;
}

uint64_t loader_validation_windows(const struct token_store *store, int64_t length)
{
    uint64_t tokens = token_store_tokens(store, TOKENS_VALIDATION);

    return tokens == 0 ? 0 : (tokens - 1) / (uint64_t)length;
}

enum status loader_read_validation(const struct token_store *store, int64_t length, uint64_t first,
                                   int64_t count, int32_t *tokens, int32_t *targets)
{
    for (int64_t i = 0; i < count; i++)
        TRY(read_window(store, TOKENS_VALIDATION, (first + (uint64_t)i) * (uint64_t)length, length,
                        tokens + i * length, targets + i * length));
    return ST_OK;
}
