/* A rank's groups, several at a time. */
#include "base/lanes.h"
#include "tokenize/stage/group_work.h"

#define LANE_THREADS 8               /* about as many encoders as one reader feeds */

static enum status encode_groups(void *ctx, struct lane *l)
{
    struct tokenize_work *w = ctx;
    struct sealer sealer = { 0 };
    struct group_args args = { .work = w, .sealer = &sealer, .pool = pool_new(lane_threads(l)) };
    enum status st = ST_OK, sealed;

    while (st == ST_OK && lane_next(l, &args.group))
        st = group_encode(&args);
    sealed = sealer_wait(&sealer);   /* nothing is there to wait for after a failure */
    sealer_release(&sealer);
    pool_free(args.pool);
    return st == ST_OK ? sealed : st;
}

enum status groups_encode(struct tokenize_work *w)
{
    const struct lanes lanes = {
        .items = w->groups.count, .rank = w->rank, .ranks = w->ranks, .threads = (int)w->o->threads,
        .lane_threads = LANE_THREADS, .over = &w->over, .run = encode_groups, .ctx = w,
    };

    return lanes_run(&lanes);
}
