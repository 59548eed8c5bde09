/* What the files of a run share; private to this folder. */
#ifndef TUNDISH_CURATE_CURATE_WORK_H
#define TUNDISH_CURATE_CURATE_WORK_H

#include <stdatomic.h>

#include "curate/run/curate_run.h"
#include "curate/run/chain_phases.h"
#include "curate/run/verdict.h"

struct curate_work {
    const struct curate_args *args;
    struct phases phases;
    int rank, ranks;
    /* The phase that goes on: */
    size_t phase, groups;            /* its number; its groups, if it is a pass */
    struct spool *spool;             /* what it reads, but for the sources; shared by lanes */
    struct verdict verdict;          /* on those */
    _Atomic bool over;               /* a lane has failed: the others stop */
};

/* Paths in the work folder, in the arena: "phase-0/group-00012", the record of a stretch of it (group_stretch.h),
 * "phase-1/verdict", and the record that a phase is done, "phase-0/done.json". */
const char *work_group_path(struct arena *a, const struct curate_work *w, size_t phase, size_t group);
const char *work_record_path(struct arena *a, const char *stretch);
const char *work_verdict_path(struct arena *a, const struct curate_work *w, size_t phase);
const char *work_done_path(struct arena *a, const struct curate_work *w, size_t phase);

/* One lane of a rank: threads with what they keep, and a reader. */
struct lane_tools {
    struct pool *pool;
    struct step_work *works;         /* one a worker */
    void *reader;                    /* NULL: no sources in this phase */
};

/* group_pass.c: one group from where it is, if an earlier run has left stretches of it, to its end. A failure leaves
 * those that are done. */
MUST_USE enum status group_pass(struct curate_work *w, struct lane_tools *tools, size_t group);
/* run_lanes.c: this rank's groups of the phase that goes on. */
MUST_USE enum status lanes_of_phase(struct curate_work *w);
/* all_steps.c: the steps over all documents of the phase that goes on; *record, owned by the caller, is their partial
 * report. What they decide stands in the spool and, where dropped documents are kept, in w->verdict. */
MUST_USE enum status all_steps(struct curate_work *w, json_t **record);
/* curate_finish.c: rank 0, when all phases are done. */
MUST_USE enum status curate_finish(struct curate_work *w, struct curate_result *out);

/* Appends what a dropped document says of itself to its scores. */
void mark_dropped(struct doc *d, const struct chain *chain);

#endif
