/*
 * The commands that look back at runs (`runs`, `compare`, `logs`), and `gc`, which makes room.
 */
#ifndef TUNDISH_PIPELINES_HISTORY_CMD_H
#define TUNDISH_PIPELINES_HISTORY_CMD_H

#include "base/command.h"

extern const struct command cmd_runs;
extern const struct command cmd_compare;
extern const struct command cmd_logs;
extern const struct command cmd_gc;

#endif
