/*
 * The benchmark cases of token stores, each against a plain file of the same tokens that is mapped
 * in the same run.
 */
#ifndef TUNDISH_STORE_TOKEN_BENCH_H
#define TUNDISH_STORE_TOKEN_BENCH_H

#include "base/bench.h"

enum status bench_token_scan(struct bench *b);    /* all tokens, where they lie and as int32 */
enum status bench_token_samples(struct bench *b); /* 8 KB anywhere */
enum status bench_token_open(struct bench *b);    /* a store of 1,000 shards */
enum status bench_token_disk(struct bench *b);    /* bytes of the files */

#endif
