/*
 * What the two files behind base/pool.h share: running one function on the whole team.
 */
#ifndef TUNDISH_BASE_POOL_PART_H
#define TUNDISH_BASE_POOL_PART_H

#include "base/pool.h"

/* Calls fn(ctx, 0) on this thread, and fn(ctx, w) on worker w if it comes in time: a worker that
 * wakes after fn(ctx, 0) returned stays out. At least `helpers` workers are woken, all if there are
 * not so many. Returns when all that came have left. */
void pool_team(struct pool *p, size_t helpers, void (*fn)(void *ctx, int worker), void *ctx);

#endif
