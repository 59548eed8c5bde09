/*
 * OUT.work, the folder of a run that is not finished (store/FORMATS.md, "checkpoint"): a lock, the
 * plan where the number of steps came from a probe, and the last checkpoints. Private to train/.
 *
 * Only rank 0 opens it; what it finds is broadcast. Every folder appears and goes away in one step
 * (written, or about to be removed, it has a temporary name), so a kill at any moment leaves whole
 * checkpoints or none. Checkpoints of a run with other options, inputs, numeric class or version of
 * results are refused, never mixed.
 */
#ifndef TUNDISH_TRAIN_WORK_H
#define TUNDISH_TRAIN_WORK_H

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "train/train_options.h"

struct work {
    const struct train_options *options;
    struct arena arena;
    struct file_lock lock;
    const char *path; /* "OUT.work"; NULL: not open */
    json_t *run;      /* what makes two runs the same */
};
/* Makes sure that OUT can be written, makes OUT.work and locks it; ST_HELD while another run has
 * it. On failure, too, work_close() takes down what was opened. */
MUST_USE enum status work_open(struct work *w, const struct train_options *o,
                               const char *numeric_class);
void work_close(struct work *w);
/* The step of the newest checkpoint; 0: there is none. ST_CONFIG names the first thing in which it
 * belongs to another run than this one. Phases may differ from its step on: what was done does not
 * depend on them. */
MUST_USE enum status work_newest(struct work *w, int64_t *step);
/* Removes all but the newest `keep` checkpoints. */
MUST_USE enum status work_prune(struct work *w);
/* The recorded number of steps; 0: none is recorded, or it was for another run. */
MUST_USE enum status work_read_plan(struct work *w, int64_t *steps);
MUST_USE enum status work_write_plan(struct work *w, int64_t steps);
/* Removes the folder: the run is done. */
MUST_USE enum status work_remove(struct work *w);
/* "OUT.work/step-00001200"; of any rank, open or not. */
const char *work_step_path(struct arena *a, const struct train_options *o, int64_t step);

#endif
