/* The benchmark of the pre-tokenizer: cutting alone, a line a named pattern and way to cut it. */
#ifndef TUNDISH_TOKENIZE_PRETOK_BENCH_H
#define TUNDISH_TOKENIZE_PRETOK_BENCH_H

#include "base/bench.h"

/* MB/s of every level that this machine has, then of the regular expression, on b->in or on text of its own. */
MUST_USE enum status pretok_bench(struct bench *b);

#endif
