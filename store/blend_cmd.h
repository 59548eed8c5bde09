/*
 * `store blend`: several token stores, with weights, to be read as one (blend.h).
 */
#ifndef TUNDISH_STORE_BLEND_CMD_H
#define TUNDISH_STORE_BLEND_CMD_H

#include "base/command.h"

extern const struct command cmd_store_blend;

#endif
