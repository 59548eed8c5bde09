/*
 * What a training run holds: private to train/. Made and taken down by trainer.c, driven by
 * train_loop.c.
 */
#ifndef TUNDISH_TRAIN_TRAINER_H
#define TUNDISH_TRAIN_TRAINER_H

#include "comm/comm.h"
#include "train/checkpoint.h"
#include "train/loader.h"
#include "train/train_loop.h"
#include "train/units.h"
#include "train/work.h"

struct trainer {
    const struct train_options *options;
    struct comm *comm;
    struct device *device;
    struct pool *pool;
    struct stream **streams; /* one a thread */
    struct work work;        /* rank 0 */
    struct token_store *store;
    struct model *model;
    struct optimizer *optimizer;
    struct units *units;
    struct loader loader;
    int64_t T;                 /* sequence length */
    int64_t unit_batch;        /* sequences of a unit */
    int64_t step_units;        /* units of a step, over all ranks */
    int64_t rank_units;        /* of this rank: a contiguous share */
    int32_t *tokens, *targets; /* host [rank_units * unit_batch * T] */
    struct schedule schedule;
    struct checkpoint_state state;
    struct buf metrics;
};

/* Opens everything; on failure trainer_close() takes down what was opened. */
MUST_USE enum status trainer_open(struct trainer *t, const struct train_options *o);
void trainer_close(struct trainer *t);
/* Gradient of one step from samples of this rank, summed over all ranks. loss: mean per token. */
MUST_USE enum status trainer_gradient(struct trainer *t, int64_t step, float **grads, double *loss);
/* Mean loss over the first eval_tokens tokens of the validation part; *got false when it is empty.
 */
MUST_USE enum status trainer_validate(struct trainer *t, double *loss, bool *got);

#endif
