/*
 * The benchmark cases of digests: a folder of 100,000 files as a stage's input.
 */
#ifndef TUNDISH_STORE_DIGEST_BENCH_H
#define TUNDISH_STORE_DIGEST_BENCH_H

#include "base/bench.h"

enum status bench_inputs_unchanged(struct bench *b);    /* all are remembered */
enum status bench_inputs_cold(struct bench *b);         /* none is */

#endif
