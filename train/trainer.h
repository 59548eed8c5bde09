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
    struct model *model;
    struct optimizer *optimizer;
    struct units *units;
    struct loader loader;
    const struct read_phase *phase; /* of the step in hand: what follows, and the units, fit it */
    int64_t T;                      /* sequence length */
    int64_t unit_batch;             /* sequences of a unit */
    int64_t rank_units;             /* of this rank: a contiguous share */
    int32_t *tokens, *targets;      /* host [most tokens of a rank's step] */
    int32_t *first;                 /* likewise; NULL: documents see each other */
    struct schedule schedule;
    struct checkpoint_state state;
    struct buf metrics;
};

/* Opens everything; on failure trainer_close() takes down what was opened. */
MUST_USE enum status trainer_open(struct trainer *t, const struct train_options *o);
void trainer_close(struct trainer *t);
/* How many steps the options ask for; 0: as many as its minutes will have. */
int64_t trainer_steps(const struct trainer *t);
/* Gradient of one step, counted from 1, from rows of this rank, summed over all ranks: of the mean
 * loss over the step's targets that are not ignored, which loss gets. */
MUST_USE enum status trainer_gradient(struct trainer *t, int64_t step, float **grads, double *loss);
/* Mean loss over the first eval_tokens tokens of the validation part; *got false when it is empty.
 */
MUST_USE enum status trainer_validate(struct trainer *t, double *loss, bool *got);

#endif
