/*
 * The tokens of a run: the stores and blends that its options name, the order of
 * store/sampling/sampling.h over them (as store/sampling/read_plan.h reads it from the options'
 * record), and the validation part of the option `store`.
 */
#ifndef TUNDISH_TRAIN_LOADER_H
#define TUNDISH_TRAIN_LOADER_H

#include "base/arena.h"
#include "store/sampling/blend_part.h"
#include "store/sampling/read_plan.h"
#include "train/train_options.h"

struct loader {
    struct arena arena;
    struct read_plan plan;
    struct blend *blends; /* [plan.inputs]; the first is the option `store` */
    size_t open;          /* of them */
    struct sampling *sampling;
};
/* The plan of these options alone; nothing is opened. */
MUST_USE enum status loader_plan(struct loader *l, const struct train_options *o);
/* Opens the stores and the order, for so many steps (0: not known). On failure, too, loader_close()
 * takes down what was opened. */
MUST_USE enum status loader_open(struct loader *l, const struct train_options *o, uint64_t steps);
void loader_close(struct loader *l);

/* Where tokens go to: i32 [rows * T] each; first NULL: not wanted. */
struct loader_rows {
    uint64_t row, rows;
    int32_t *tokens, *targets, *first;
};
/* Are the stores that were opened those of these digests ("inputs" of a manifest)? ST_FAILED: one
 * was changed in between. */
MUST_USE enum status loader_check(const struct loader *l, const json_t *inputs);
/* A number of the stores that were opened, of their content digests: equal on all ranks. */
int64_t loader_mark(const struct loader *l);
/* Rows of a step, counted from 0. *learnt: targets that are not ignored. */
MUST_USE enum status loader_read(struct loader *l, uint64_t step, const struct loader_rows *to,
                                 uint64_t *learnt);

/* The validation part in order, without overlap or shuffle: how many windows of T + 1 tokens, one
 * every T, it has, and windows [to->row, + to->rows) of them; *learnt as above. With documents
 * apart, none is foretold from another. */
uint64_t loader_validation_windows(const struct loader *l, uint64_t length);
MUST_USE enum status loader_read_validation(const struct loader *l, uint64_t length,
                                            const struct loader_rows *to, uint64_t *learnt);

#endif
