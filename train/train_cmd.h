/* `tundish train`: token store in, checkpoint out. */
#ifndef TUNDISH_TRAIN_TRAIN_CMD_H
#define TUNDISH_TRAIN_TRAIN_CMD_H

#include "base/command.h"

extern const struct command cmd_train;

#endif
