/* `tundish completion`: what a shell needs to complete this program's words. */
#ifndef TUNDISH_BASE_COMPLETION_CMD_H
#define TUNDISH_BASE_COMPLETION_CMD_H

#include "base/command.h"

extern const struct command cmd_completion;

#endif
