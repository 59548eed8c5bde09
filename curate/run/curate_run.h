/*
 * The run: documents go through the chain into a corpus folder, by all threads of all ranks, and go on where they were
 * whatever ended it.
 *
 * The work is divided by input, so that no byte depends on who does it: the input comes in groups, a group's documents
 * make spools or shards (chain_phases.h), and group g is rank g mod ranks'. A rank works on several groups at a time where
 * it has many threads, because one reader feeds only so many. What a group gave stands in the work folder, in stretches
 * of about a shard, each a folder of its own that gets its name when it is whole and synced (FORMATS.md, "A corpus that
 * is not finished"); who finds some there passes over their documents, or over the group. In the end rank 0 adds up the reports, makes the ids unique, and gives the shards
 * their numbers by hard links.
 *
 *   chain_phases.h  the chain, cut into what is done one after the other
 *   curate_work.h   what the files of this folder share
 *   group_pass.c    one group through one pass; group_stretch.h: in stretches; group_sink.h: where its documents go
 *   run_lanes.c     a rank's groups, several at a time
 *   all_steps.c     steps over all documents; verdict.h: what they decided
 *   spool.h         documents that wait; key_merge.h: in the order of their keys
 *   unique_ids.h    one name for one document, over all groups
 */
#ifndef TUNDISH_CURATE_CURATE_RUN_H
#define TUNDISH_CURATE_CURATE_RUN_H

#include "comm/comm.h"
#include "curate/report/report.h"

/* What is read, in groups. Each lane has a reader of its own. */
struct curate_input {
    void *ctx;
    size_t groups;
    uint64_t bytes;                                          /* of all, for the progress; 0: not known */
    enum status (*open)(void *ctx, void **reader);
    enum status (*begin)(void *reader, size_t group);        /* from now on that group's documents */
    enum status (*next)(void *reader, struct raw_document **out);    /* NULL at the group's end */
    const struct source_stats *(*stats)(void *reader);       /* of the group, as far as it was read */
    uint64_t (*bytes_read)(void *reader);                    /* the same, in the unit of `bytes` */
    void (*close)(void *reader);
};

struct artifact;
struct curate_args {
    const struct curate_input *input;
    const struct chain *chain;
    struct comm *comm;                     /* NULL: one rank */
    const char *work;                      /* existing; what is done of this run */
    const char *folder;                    /* rank 0's: existing; gets the shards and the reports */
    struct artifact *artifact;             /* rank 0's: gets to know the shards' digests; NULL: nobody wants them */
    int threads;                           /* 0: all */
    int samples;                           /* a reason, in the report */
    uint64_t memory, shard_bytes, seed;
    uint64_t range_bytes;                  /* of text, of a group behind a shuffle */
    uint64_t spool_bytes;                  /* of text, of a stretch that is no shard */
    bool scores;                           /* what rules measured goes into the metadata */
    bool keep_dropped;                     /* dropped documents make a part, with the reasons */
};

struct curate_result {
    struct report *report;
    struct source_stats stats;
    json_t *counts;                        /* for the manifest: "documents" and "bytes" of the corpus itself, and "parts" */
    bool nothing_left;                     /* why it failed */
};
/* What rank 0 finds, released by the caller also after a failure; the other ranks' is empty. A corpus without documents
 * is ST_FAILED. */
MUST_USE enum status curate_run(const struct curate_args *args, struct curate_result *out);
void curate_result_release(struct curate_result *r);

#endif
