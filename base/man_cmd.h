/* `tundish man`: what --help says, as manual pages. */
#ifndef TUNDISH_BASE_MAN_CMD_H
#define TUNDISH_BASE_MAN_CMD_H

#include "base/command.h"

extern const struct command cmd_man;

#endif
