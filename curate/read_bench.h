/* Benchmarks of reading alone: rows of `tundish bench curate`. */
#ifndef TUNDISH_CURATE_READ_BENCH_H
#define TUNDISH_CURATE_READ_BENCH_H

#include "base/bench.h"

/* The text (b->in, or the caller's) as a file in memory, read by a source to its last document. */
MUST_USE enum status bench_read_warc(const struct bench *b, struct span text);
MUST_USE enum status bench_read_jsonl(const struct bench *b, struct span text);

#endif
