/*
 * The training run: the page to read second, after main.c.
 */
#ifndef TUNDISH_TRAIN_TRAIN_LOOP_H
#define TUNDISH_TRAIN_TRAIN_LOOP_H

#include "base/arena.h"
#include "base/status.h"
#include "train/train_options.h"

/* Trains from options->store to options->out, going on from OUT.work if an earlier run was
 * interrupted. */
MUST_USE enum status train_run(struct arena *a, struct train_options *options);

#endif
