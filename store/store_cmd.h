/*
 * The commands that look at artifacts of any kind: `store info`, `store verify`, `store cat`.
 */
#ifndef TUNDISH_STORE_STORE_CMD_H
#define TUNDISH_STORE_STORE_CMD_H

#include "base/command.h"

extern const struct command cmd_store_info;
extern const struct command cmd_store_verify;
extern const struct command cmd_store_cat;

#endif
