/*
 * The gradient of a step, unit by unit.
 *
 * A unit is a fixed number of sequences. One thread computes a unit's gradient alone, in an order
 * that depends on shapes only; units are then added in a fixed binary tree over their numbers: at
 * level 0, 1, 2 ... node 2i takes node 2i + 1 in (a last node without a sibling goes up as it is).
 * Which thread computes what, and when, does not matter, so the sum has the same bits for any
 * number of threads; and since comm_all_reduce() combines ranks in the same tree, for any number of
 * ranks whose share of units is a power of two.
 *
 * Memory: one gradient array a thread, and at most about log2(units) + threads more that wait for
 * their sibling.
 */
#ifndef TUNDISH_TRAIN_UNITS_H
#define TUNDISH_TRAIN_UNITS_H

#include "base/pool.h"
#include "model/model.h"

struct units;
struct units_args {
    struct model *model;
    struct pool *pool;
    struct stream **streams; /* one a pool thread */
    int64_t batch, length;   /* sequences of a unit, T */
};
MUST_USE enum status units_new(const struct units_args *args, struct units **out);
void units_free(struct units *u);

struct units_data {
    const int32_t *tokens, *targets; /* host i32 [count * batch * T]; targets < 0 are ignored */
    const int32_t *first;            /* as struct pass_data's; NULL: all before it */
    int64_t count;
};
/* grads: device f32 [params.elements], scale * the sum over all units, valid until the next call.
 * loss: sum over tokens, in nats. */
MUST_USE enum status units_train(struct units *u, const struct units_data *data, float scale,
                                 float **grads, double *loss);
/* Forward only. */
MUST_USE enum status units_score(struct units *u, const struct units_data *data, double *loss);

#endif
