/*
 * A model of fastText with the sizes of lid.176.bin (16 columns, 2,000,000 buckets of 2 to 4 characters, 176 labels in a
 * tree) and numbers drawn at random: it costs what the real one costs, and says nothing. For benchmarks.
 */
#ifndef TUNDISH_CURATE_MADE_MODEL_H
#define TUNDISH_CURATE_MADE_MODEL_H

#include "base/str.h"

/* Appends the file's bytes, 128 MB. */
void made_model(struct buf *out);

#endif
