/* `tundish schema`: what an editor wants to know of pipeline files. */
#ifndef TUNDISH_PIPELINES_SCHEMA_CMD_H
#define TUNDISH_PIPELINES_SCHEMA_CMD_H

#include "base/command.h"

extern const struct command cmd_schema;

#endif
