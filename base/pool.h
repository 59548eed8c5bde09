/*
 * The one thread pool, made by a command and passed down. Two shapes of work:
 *   pool_for      n independent items, any order;
 *   pool_ordered  a stream: produce in order, work in parallel, consume in order, with a bounded
 *                 number of items in flight. Results are the same for any number of threads.
 * A failure in any item stops the rest and becomes the caller's failure (the lowest item's, so that
 * it is the same whatever the threads did): every item before it is still done (and, in a stream,
 * consumed); of those behind it some may be.
 *
 * Both are called from outside the pool: an item, or a stream's callback, that calls one is a
 * BUG_IF. Calls from several threads take turns. Workers block all signals.
 */
#ifndef TUNDISH_BASE_POOL_H
#define TUNDISH_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct pool;
/* threads 0: as many as this process may use. The calling thread counts as one. */
struct pool *pool_new(int threads);
void pool_free(struct pool *p);
int pool_threads(const struct pool *p);
/* Does this thread run an item, or a stream's callback? Then it must do its work alone. */
bool pool_inside(void);

/* fn(ctx, item, worker): worker in [0, pool_threads), 0 being the calling thread; no two items run
 * at once under one number. Items are begun in order. Returns when all items are done. */
typedef enum status pool_fn(void *ctx, size_t item, int worker);
MUST_USE enum status pool_for(struct pool *p, size_t n, pool_fn *fn, void *ctx);

struct pool_stream {
    /* Sets *item, or leaves it NULL at the end. Called by one thread, which is not the caller's
     * if there are others. */
    enum status (*produce)(void *ctx, void **item);
    enum status (*work)(void *ctx, void *item, int worker);
    /* Called in the order of produce, by the calling thread; owns the item from then on,
     * whatever it returns. */
    enum status (*consume)(void *ctx, void *item);
    void (*discard)(void *ctx, void *item);    /* frees an item not consumed after a
                                                  failure; may be NULL */
    void *ctx;
    size_t in_flight;                          /* 0: four a thread */
};
MUST_USE enum status pool_ordered(struct pool *p, const struct pool_stream *s);

#endif
