/*
 * AdamW with gradient clipping over the flat parameter array, split into segments that pool threads
 * take.
 *
 * The norm is the square root of the sum, in segment order, of each segment's sum of squares;
 * segments depend on the parameter list alone. Clipping scales by min(1, clip / (norm + 1e-6))
 * (Pascanu et al. 2013, algorithm 1), fused into the update.
 */
#ifndef TUNDISH_TRAIN_OPTIMIZER_H
#define TUNDISH_TRAIN_OPTIMIZER_H

#include "base/pool.h"
#include "model/model.h"

struct optimizer;
struct optimizer_args {
    struct model *model;
    struct pool *pool;
    struct stream **streams;                          /* one a pool thread */
    double beta1, beta2, epsilon, weight_decay, clip; /* clip 0: never */
};
MUST_USE enum status optimizer_new(const struct optimizer_args *args, struct optimizer **out);
void optimizer_free(struct optimizer *o);
float *optimizer_m(struct optimizer *o); /* device f32 [params.elements]: first moments */
float *optimizer_v(struct optimizer *o); /* second moments */
/* One update of the masters, moments and the rounded copy; step counts from 1. norm: of the
 * gradient before clipping. */
MUST_USE enum status optimizer_step(struct optimizer *o, const float *grads, double lr,
                                    int64_t step, double *norm);

/* Linear warm-up over `warmup` steps, then a cosine from lr down to min_lr at the last step
 * (Loshchilov and Hutter 2017, eq. 5). step counts from 1. */
struct schedule {
    double lr, min_lr;
    int64_t warmup, steps;
};
double schedule_lr(const struct schedule *s, int64_t step);

#endif
