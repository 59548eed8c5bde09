/*
 * The training run: the page to read second, after main.c.
 */
#ifndef TUNDISH_TRAIN_TRAIN_LOOP_H
#define TUNDISH_TRAIN_TRAIN_LOOP_H

#include "base/arena.h"
#include "base/status.h"
#include "kernels/device.h"
#include "train/train_options.h"

/* Trains from options->store to options->out, going on from OUT.work if an earlier run was
 * interrupted. */
MUST_USE enum status train_run(struct arena *a, struct train_options *options);
/* The data type that `dtype` stands for on this device: auto is bf16 where the hardware has it. */
enum dtype train_compute_type(int dtype, const struct device *d);

#endif
