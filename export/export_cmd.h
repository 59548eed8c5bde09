/* `tundish export`: checkpoint in, model folder out. */
#ifndef TUNDISH_EXPORT_EXPORT_CMD_H
#define TUNDISH_EXPORT_EXPORT_CMD_H

#include "base/command.h"

extern const struct command cmd_export;

#endif
