/*
 * The stage `curate` around its run (curate_run.h): the sources cut into groups, ranks, OUT.work, the artifact.
 *
 * OUT.work (store/artifact/unfinished.h; FORMATS.md, "A corpus that is not finished") stays whatever ends the process,
 * and the same command goes on with it; only where the inputs leave no document it goes.
 */
#ifndef TUNDISH_CURATE_CURATE_STAGE_H
#define TUNDISH_CURATE_CURATE_STAGE_H

#include "base/command.h"
#include "curate/run/curate_run.h"

struct curate_stage {
    const struct command *command;         /* and its config, for the manifest */
    const void *cfg;
    const char *out;
    const struct yaml *sources;            /* the list */
    struct source_limits limits;
    uint64_t group_bytes;
    struct curate_args run;                /* all but what the stage knows itself: input, comm, folders, range_bytes */
};
/* The whole of it, with the summary on stderr. Opens the ranks. */
MUST_USE enum status curate_stage(const struct curate_stage *args);

#endif
