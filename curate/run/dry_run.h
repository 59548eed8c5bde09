/*
 * What a run would do, before it is begun: what would be read, by which steps, and, from a sample, how much would be
 * left, how large, and after how long. Writes nothing.
 *
 * The sample: of many small files some, chosen by a hash of their paths, are read whole; a file that is large, or large
 * for the sample (where there are few, each of them), is read from its beginning up to ten times its share, and of its documents
 * some, drawn by a hash of their number, pass the steps, so that these make up the share. Of 64 MB and less of such files all
 * is read: what reading costs is little beside the steps, and then each document of the input had the same chance. Else the cost
 * goes by the share and not by the input; the price is that what stands at the end of large files is not seen. The
 * documents pass the chain's steps over single documents, by all threads, a file a thread; steps over all documents
 * (dedup) and orders (shuffle) are left out and named, for what they would drop does not show in a part; so are sources
 * that are programs: nobody knows how much they will write, and to run one may be dear.
 *
 * Estimates are sums over the sample in which each file stands for as many as there are like it: a file that was
 * chosen for bytes of all that could have been over those of the chosen, a beginning for the file's bytes over its own, a
 * document that was drawn for as many more. What is kept is a share of what passed the steps, times what would be read.
 * The interval of the kept share is Wilson's at 95 %, of as many independent documents as tell as much as the files do:
 * documents of one file resemble each other, which the spread of the files' shares shows.
 * It knows nothing of what stands further on in a file that was only begun: how many those are is told ("begun").
 */
#ifndef TUNDISH_CURATE_DRY_RUN_H
#define TUNDISH_CURATE_DRY_RUN_H

#include "curate/report/report.h"

struct dry_run_args {
    const struct yaml *sources;        /* as source_open() takes it */
    struct source_limits limits;
    const struct chain *chain;
    double share;                      /* of the bytes on disk, up to 1; 0: no sample; only the files that steps name are opened */
    int threads;                       /* 0: all */
    uint64_t seed;
};
/* *out, owned by the caller: {"files", "programs", "bytes", "endings": [{"ending", "files", "bytes"}], "steps": [{"step",
 * "options", "sees": "one document" or "all documents"}]}, and of a sample "sample", "kept", "estimate", "costs",
 * "drops", "not_read", "kinds", "not_estimated". */
MUST_USE enum status dry_run(const struct dry_run_args *args, json_t **out);
/* The same for people, appended. (dry_run_text.c) */
void dry_run_text(struct buf *out, const json_t *json);

/* "1%", "0.01": a share above 0, up to 1. */
MUST_USE enum status dry_run_share(const char *text, double *out);

/* The interval at 95 % of a share of which `hits` of n were seen, n > 0. */
struct interval {
    double low, high;
};
struct interval wilson(double hits, double n);

#endif
