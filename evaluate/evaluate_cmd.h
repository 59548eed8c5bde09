/* `tundish evaluate`: model and token store in, report out. */
#ifndef TUNDISH_EVALUATE_EVALUATE_CMD_H
#define TUNDISH_EVALUATE_EVALUATE_CMD_H

#include "base/command.h"

extern const struct command cmd_evaluate;

#endif
