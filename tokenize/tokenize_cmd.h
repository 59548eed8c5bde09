#ifndef TUNDISH_TOKENIZE_TOKENIZE_CMD_H
#define TUNDISH_TOKENIZE_TOKENIZE_CMD_H

#include "base/command.h"

extern const struct command cmd_tokenize;

#endif
