/*
 * The commands that look at artifacts of any kind (`store info`, `store verify`, `store cat`), and at token stores
 * (`store find`, `store export`), and the one that takes documents out of them (`store remove`).
 */
#ifndef TUNDISH_STORE_STORE_CMD_H
#define TUNDISH_STORE_STORE_CMD_H

#include "base/command.h"

extern const struct command cmd_store_info;
extern const struct command cmd_store_verify;
extern const struct command cmd_store_cat;
extern const struct command cmd_store_find;
extern const struct command cmd_store_export;
extern const struct command cmd_store_remove;

#endif
