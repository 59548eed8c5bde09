/* `tundish version`: what this program is and what was built into it. */
#ifndef TUNDISH_BASE_VERSION_CMD_H
#define TUNDISH_BASE_VERSION_CMD_H

#include "base/command.h"

extern const struct command cmd_version;

#endif
