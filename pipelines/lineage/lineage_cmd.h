/* tundish lineage, tundish verify (verify_cmd.c). */
#ifndef TUNDISH_PIPELINES_LINEAGE_CMD_H
#define TUNDISH_PIPELINES_LINEAGE_CMD_H

#include "base/command.h"

extern const struct command cmd_lineage;
extern const struct command cmd_verify;

#endif
