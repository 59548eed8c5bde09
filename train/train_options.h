/*
 * What `tundish train` can be told: the config struct of its option table (train_cmd.c).
 */
#ifndef TUNDISH_TRAIN_TRAIN_OPTIONS_H
#define TUNDISH_TRAIN_TRAIN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/yaml.h"

extern const char *const document_mask_names[]; /* "auto", "true", "false", NULL */

struct train_options {
    const char *store, *init, *out;
    const char *device;
    int dtype; /* enum compute (model/compute.h) */
    int64_t threads;
    int64_t width, layers, heads, kv_heads, head_width, ff, context;
    double rope_theta, norm_eps;
    bool tied;
    int64_t tokens, steps; /* either; 0: not given */
    double minutes;        /* or this: one probe, recorded, turns it into steps */
    int64_t batch_tokens, unit_tokens;
    int packing;           /* enum packing (store/sampling/sampling.h) */
    int64_t pack_window;
    int document_mask;
    struct yaml *phases;   /* phases.h; NULL: none */
    double lr, min_lr, warmup, beta1, beta2, epsilon, weight_decay, clip;
    int64_t seed;
    int64_t eval_every, eval_tokens, checkpoint_every, keep;
};

#endif
