#ifndef TUNDISH_TOKENIZE_TOKENIZER_CMD_H
#define TUNDISH_TOKENIZE_TOKENIZER_CMD_H

#include "base/command.h"

extern const struct command cmd_tokenizer_train;       /* tokenizer_train_cmd.c */
extern const struct command cmd_tokenizer_encode;
extern const struct command cmd_tokenizer_decode;
extern const struct command cmd_tokenizer_info;
/* What `bench tokenizer` runs (tokenizer_bench.c); hung on cmd_tokenizer_encode. */
extern const struct bench_case tokenizer_benches[];

#endif
