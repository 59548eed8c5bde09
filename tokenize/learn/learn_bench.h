/*
 * Benchmarks of training: how its speed depends on the size of the corpus, on the vocabulary, on
 * threads and on memory. Hung on a command's list of benches; ends with name NULL.
 */
#ifndef TUNDISH_TOKENIZE_LEARN_BENCH_H
#define TUNDISH_TOKENIZE_LEARN_BENCH_H

#include "base/command.h"
#include "tokenize/learn/learn.h"

/* Trains with the usual options on the one document that a file is; what tokenizer benches begin with, too. */
struct learn_bench_args {
    struct pool *pool;
    const char *file, *folder;       /* folder: for what does not fit in memory */
    const char *pattern;
    uint32_t vocab;                  /* <|endoftext|> is one of them */
    uint64_t memory;
};
/* Release *made in any case. */
MUST_USE enum status learn_bench_file(const struct learn_bench_args *args, struct learnt *made);

extern const struct bench_case learn_benches[];

#endif
