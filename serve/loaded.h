/*
 * A model that is ready to write: device, weights, tokenizer and, if wanted, an engine. What serve,
 * chat and the benchmark open alike.
 */
#ifndef TUNDISH_SERVE_LOADED_H
#define TUNDISH_SERVE_LOADED_H

#include "serve/engine.h"
#include "tokenize/tokenizer.h"

struct loaded {
    struct device *device;
    struct model *model;
    struct tokenizer *tokenizer;
    struct engine *engine;
};
/* Zeroed by the caller. dtype is of compute_names. The tokenizer must fit the model. */
MUST_USE enum status loaded_open(struct loaded *l, const char *folder, const char *device,
                                 int dtype);
/* args.model is filled in. */
MUST_USE enum status loaded_start(struct loaded *l, const struct engine_args *args);
void loaded_close(struct loaded *l);

#endif
