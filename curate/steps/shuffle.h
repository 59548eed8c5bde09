/*
 * `shuffle`: all documents in a random order, which depends on the seed and on where a document stands among the
 * sources, and on nothing else: not on the memory, nor on who does it.
 *
 * It is a sort by a random key, through files: each group of documents is written in the order of its keys, then
 * ranges of keys are read from all of them at once.
 */
#ifndef TUNDISH_CURATE_SHUFFLE_H
#define TUNDISH_CURATE_SHUFFLE_H

#include "curate/chain/step.h"

struct shuffle_cfg {
    int64_t seed;
};
extern const struct opt shuffle_opts[];
extern const struct drop_reason *const shuffle_reasons[];
uint64_t shuffle_key(const void *cfg, const struct doc *d);

#endif
