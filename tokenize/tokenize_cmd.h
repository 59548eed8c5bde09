#ifndef TUNDISH_TOKENIZE_TOKENIZE_CMD_H
#define TUNDISH_TOKENIZE_TOKENIZE_CMD_H

#include "base/command.h"

extern const struct command cmd_tokenize;
/* What `bench tokenize` runs (tokenize_bench.c); hung on cmd_tokenize. */
extern const struct bench_case tokenize_benches[];

#endif
