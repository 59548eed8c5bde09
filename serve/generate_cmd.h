/* `tundish generate`: a completion in the terminal. */
#ifndef TUNDISH_SERVE_GENERATE_CMD_H
#define TUNDISH_SERVE_GENERATE_CMD_H

#include "base/command.h"

extern const struct command cmd_generate;

#endif
