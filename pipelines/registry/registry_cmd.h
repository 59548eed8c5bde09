/*
 * `tundish promote`, `rollback` and `registry`: the registry's commands (registry.h). promote is a
 * stage too.
 */
#ifndef TUNDISH_PIPELINES_REGISTRY_CMD_H
#define TUNDISH_PIPELINES_REGISTRY_CMD_H

#include "base/command.h"

extern const struct command cmd_promote, cmd_rollback, cmd_registry;

#endif
