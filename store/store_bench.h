/*
 * The benchmark cases of this folder (base/bench.h); they hang on `store info`.
 */
#ifndef TUNDISH_STORE_STORE_BENCH_H
#define TUNDISH_STORE_STORE_BENCH_H

#include "base/command.h"

extern const struct bench_case store_benches[];

#endif
