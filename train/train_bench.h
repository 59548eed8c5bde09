/* The training benchmarks of `tundish bench train`. */
#ifndef TUNDISH_TRAIN_TRAIN_BENCH_H
#define TUNDISH_TRAIN_TRAIN_BENCH_H

#include "base/bench.h"

extern const struct bench_case train_benches[];

#endif
