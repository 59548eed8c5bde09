/* Benchmarks of the runner, for `tundish bench run`. */
#ifndef TUNDISH_PIPELINES_RUN_BENCH_H
#define TUNDISH_PIPELINES_RUN_BENCH_H

#include "base/command.h"

extern const struct bench_case run_benches[];

#endif
