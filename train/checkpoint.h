/*
 * Checkpoints: artifacts of kind "checkpoint" (store/FORMATS.md) that hold everything a run needs
 * to go on, and that are a model folder at the same time (config.json, model.safetensors,
 * tokenizer.json).
 *
 * While a run goes on, its checkpoints stand in OUT.work/step-00001200; each is written whole or
 * not at all, and the last `keep` are kept. The run's plan (number of steps) stands in
 * OUT.work/plan.json. At the end OUT is committed and OUT.work removed. Nothing in a checkpoint
 * depends on when or how often a run was interrupted.
 */
#ifndef TUNDISH_TRAIN_CHECKPOINT_H
#define TUNDISH_TRAIN_CHECKPOINT_H

#include "base/arena.h"
#include "base/str.h"
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
    struct model *model;
    struct optimizer *optimizer;
    struct stream *stream;
};
/* Writes the artifact at path. */
MUST_USE enum status checkpoint_write(const struct checkpoint_args *args, const char *path,
                                      const struct checkpoint_state *s);
/* Loads weights, moments and state; every file's digest is checked first. The metrics are appended
 * to s->metrics. */
MUST_USE enum status checkpoint_read(const struct checkpoint_args *args, const char *path,
                                     struct checkpoint_state *s);

/* The newest complete checkpoint in OUT.work, or NULL. ST_CONFIG if it was made with other options
 * or another store: names the first difference. */
MUST_USE enum status checkpoint_find(struct arena *a, const struct train_options *o,
                                     const char **path);
/* "OUT.work/step-00001200" */
const char *checkpoint_path(struct arena *a, const struct train_options *o, int64_t step);
/* Removes all but the newest `keep` checkpoints of OUT.work. */
MUST_USE enum status checkpoint_prune(struct arena *a, const struct train_options *o);

#endif
