/*
 * The task samples: what the model writes behind the first tokens of some held-out documents,
 * beside how they truly go on. For people: a number tells how good, a text tells what.
 *
 * Everything is a function of model, store, seed and temperature; sizes are bounded (samples.c).
 */
#ifndef TUNDISH_EVALUATE_SAMPLES_H
#define TUNDISH_EVALUATE_SAMPLES_H

#include "base/pool.h"
#include "base/str.h"
#include "model/model.h"
#include "store/sampling/blend_part.h"
#include "tokenize/tokenizer.h"

struct samples_args {
    struct model *model;
    struct device *device;
    struct pool *pool;
    const struct blend *blend;
    const struct tokenizer *tokenizer;
    uint64_t seed;
    double temperature;          /* 0: always the most likely token */
};
/* Appends {"id", "prompt", "written", "truth"} a line to out. */
MUST_USE enum status samples_write(const struct samples_args *args, struct buf *out);

#endif
