/*
 * The commands that chain all others: `run`, `status`, `explain` and `graph` of a pipeline file
 * (plan.h).
 */
#ifndef TUNDISH_PIPELINES_RUN_CMD_H
#define TUNDISH_PIPELINES_RUN_CMD_H

#include "base/command.h"

extern const struct command cmd_run;
extern const struct command cmd_status;
extern const struct command cmd_explain;
extern const struct command cmd_graph;

#endif
