/*
 * The option `phases` of `tundish train`: a list of {step, context, batch-tokens, store}, each of
 * which changes what is read from a step on. Here stand its form and its paths; what it means:
 * store/sampling/read_plan.h.
 */
#ifndef TUNDISH_TRAIN_PHASES_H
#define TUNDISH_TRAIN_PHASES_H

#include "base/opt.h"

extern opt_check_fn phases_check;
extern opt_paths_fn phases_paths;
extern opt_item_fn phases_item;

#endif
