/* Benchmarks of the pre-tokenizer, to be hung into a command's list: one case a named pattern, on --in or on text of its own. */
#ifndef TUNDISH_TOKENIZE_PRETOK_BENCH_H
#define TUNDISH_TOKENIZE_PRETOK_BENCH_H

#include "base/bench.h"

/* Ends with name NULL. Each reports MB/s of every level that this machine has, then of the regular expression. */
extern const struct bench_case pretok_benches[];

#endif
