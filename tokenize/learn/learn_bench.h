/*
 * Benchmarks of training: how its speed depends on the size of the corpus, on the vocabulary, on
 * threads and on memory. Hung on a command's list of benches; ends with name NULL.
 */
#ifndef TUNDISH_TOKENIZE_LEARN_BENCH_H
#define TUNDISH_TOKENIZE_LEARN_BENCH_H

#include "base/command.h"

extern const struct bench_case learn_benches[];

#endif
