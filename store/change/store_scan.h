/*
 * A search of a token store's documents, or of its tokens, on all threads and told in order: train
 * before validation, then by number. Memory is bounded by the threads and what a piece of the store
 * holds of finds.
 */
#ifndef TUNDISH_STORE_STORE_SCAN_H
#define TUNDISH_STORE_STORE_SCAN_H

#include "base/pool.h"
#include "store/tokens/tokens.h"

/* A document that was found; offset: the token of it where the sequence begins (searches for
 * tokens). */
struct store_find {
    enum token_part part;
    uint64_t index, offset;
    struct token_range document;
};
struct store_scan {
    const struct token_store *store;
    struct pool *pool;
    int part; /* -1: both */
    /* Called by any thread; NULL: every document. */
    bool (*wants)(void *ctx, const struct token_range *d);
    /* Called in order by the caller's thread; *enough ends the search. */
    enum status (*tell)(void *ctx, const struct store_find *f, bool *enough);
    void *ctx;
};
/* Every document that is wanted. */
MUST_USE enum status store_scan_documents(const struct store_scan *s);
/* Every place of a sequence of tokens that lies within one document that is wanted, n of 1 to
 * 65,536. At the speed of memory: blocks are searched as they lie in the map. */
MUST_USE enum status store_scan_tokens(const struct store_scan *s, const uint32_t *tokens,
                                       size_t n);

#endif
