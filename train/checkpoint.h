/*
 * Checkpoints: artifacts of kind "checkpoint" (store/FORMATS.md) that hold everything a run needs
 * to go on, and that are a model folder at the same time (config.json, model.safetensors,
 * tokenizer.json).
 *
 * Nothing in a checkpoint depends on when or how often a run was interrupted. Where a run's own
 * checkpoints stand: work.h.
 */
#ifndef TUNDISH_TRAIN_CHECKPOINT_H
#define TUNDISH_TRAIN_CHECKPOINT_H

#include "base/arena.h"
#include "base/str.h"
#include "store/sampling/read_plan.h"
#include "train/optimizer.h"
#include "train/train_options.h"

struct checkpoint_state {
    int64_t step;        /* updates done */
    int64_t steps;       /* of the whole run */
    int64_t tokens;      /* seen */
    struct buf *metrics; /* the lines of metrics.jsonl so far */
};
struct checkpoint_args {
    const struct train_options *options;
    const struct read_plan *plan; /* of these options */
    struct model *model;
    struct optimizer *optimizer;
    struct stream *stream;
    const json_t *inputs; /* digests that the run began with; NULL: those of now */
};
/* Writes the artifact at path. */
MUST_USE enum status checkpoint_write(const struct checkpoint_args *args, const char *path,
                                      const struct checkpoint_state *s);
/* Loads weights, moments and state; every file's digest is checked first (ST_INTEGRITY), and that
 * the state is one that these options lead to (ST_FORMAT). The metrics are appended to s->metrics.
 */
MUST_USE enum status checkpoint_read(const struct checkpoint_args *args, const char *path,
                                     struct checkpoint_state *s);

#endif
