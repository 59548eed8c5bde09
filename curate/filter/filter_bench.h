/* Benchmarks of the filters' profiles: a case is the name of a profile, or of a set of them (filter_bench.c). */
#ifndef TUNDISH_CURATE_FILTER_BENCH_H
#define TUNDISH_CURATE_FILTER_BENCH_H

#include "base/bench.h"

/* Measures the profiles of b->name over documents of 4 KB in memory (--in FILE, or made), every rule of each, whatever
 * the verdict; once beside XXH3, once beside zstd -d of the same bytes. text: what to go over. */
MUST_USE enum status filter_bench(const struct bench *b, struct span text);

#endif
