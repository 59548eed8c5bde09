/*
 * A token store for a benchmark to read, made as the stage `tokenize` makes one.
 */
#ifndef TUNDISH_STORE_BENCH_TOKENS_H
#define TUNDISH_STORE_BENCH_TOKENS_H

#include "store/tokens/tokens.h"

struct bench_tokens {
    const char *path; /* of the artifact */
    uint32_t vocab;
    uint64_t shard_tokens;
    enum status (*add)(void *ctx, struct token_writer *w); /* the documents */
    /* What is done in the folder behind them; NULL: nothing. */
    enum status (*behind)(void *ctx, const char *folder);
    void *ctx;
};
MUST_USE enum status bench_tokens_make(const struct bench_tokens *t);

#endif
