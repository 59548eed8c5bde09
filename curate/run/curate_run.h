/*
 * The run: documents from a feed through the chain into a corpus folder.
 *
 * The chain is cut at its steps over all documents. Each stretch of steps over single documents is
 * one pass: a feed (at first the sources, then a spool), workers, and a sink (a spool, or at last
 * the corpus), in the order of the documents. So a document is in memory only while it passes, and
 * the result is the same for any number of threads.
 */
#ifndef TUNDISH_CURATE_CURATE_RUN_H
#define TUNDISH_CURATE_CURATE_RUN_H

#include "curate/report/report.h"

struct curate_feed {
    enum status (*next)(void *ctx, struct raw_document **out);   /* NULL at the end */
    void *ctx;
};

struct curate_args {
    struct curate_feed feed;
    const struct source_stats *stats;      /* what the feed tells of itself, read at the end */
    const struct chain *chain;
    const char *folder;                    /* existing; gets the shards and the reports */
    int threads;                           /* 0: all */
    int samples;                           /* a reason, in the report */
    uint64_t memory, shard_bytes, seed;
};

/* *out is the report, owned by the caller, also after a failure (then it may be NULL).
 * A corpus without documents is ST_FAILED. */
MUST_USE enum status curate_run(const struct curate_args *args, struct report **out);

#endif
