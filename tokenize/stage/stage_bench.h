/*
 * "corpus to store" of `tundish bench tokenize`: the text as documents of about 4 KB in compressed files, which the
 * stage makes a store of, tokenizer's reading and all. In MB/s of text, against two yardsticks of the same run:
 * decompressing the files, and encoding the same documents with nothing before or behind it. "a core" counts the
 * processor time of all threads, the kernel's too, instead of the clock's: what a core does when nothing is waited for.
 */
#ifndef TUNDISH_TOKENIZE_STAGE_BENCH_H
#define TUNDISH_TOKENIZE_STAGE_BENCH_H

#include "base/bench.h"
#include "base/str.h"

struct stage_bench_args {
    struct span text;
    const char *tokenizer;           /* its file */
    const char *folder;              /* to work in */
};
MUST_USE enum status stage_bench(struct bench *b, const struct stage_bench_args *args);

#endif
