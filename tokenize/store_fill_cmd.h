/*
 * The commands that fill token stores otherwise than `tundish tokenize`: `store import` from token
 * files of others, `store append` with more documents of a corpus.
 */
#ifndef TUNDISH_TOKENIZE_STORE_FILL_CMD_H
#define TUNDISH_TOKENIZE_STORE_FILL_CMD_H

#include "base/command.h"

extern const struct command cmd_store_append;
extern const struct command cmd_store_import;

#endif
