/*
 * What `xz -9` makes of a text: the yardstick beside a model's bits per byte (liblzma, preset 9,
 * one thread, no container).
 */
#ifndef TUNDISH_EVALUATE_XZ_YARDSTICK_H
#define TUNDISH_EVALUATE_XZ_YARDSTICK_H

#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

/* Compressed bytes of text after the encoder has seen prime (empty: alone): what text adds to the
 * output. Preset 9 looks back at most 64 MiB. */
MUST_USE enum status xz_bytes(struct span prime, struct span text, uint64_t *out);

#endif
