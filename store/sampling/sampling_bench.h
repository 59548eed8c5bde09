/*
 * The benchmark case "loader" (store_bench.h): rows of a sampling beside a plain scan of the same
 * store.
 */
#ifndef TUNDISH_STORE_SAMPLING_BENCH_H
#define TUNDISH_STORE_SAMPLING_BENCH_H

#include "base/bench.h"

enum status bench_loader(struct bench *b);

#endif
