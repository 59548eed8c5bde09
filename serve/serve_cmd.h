/* `tundish serve`: the model behind an OpenAI-compatible HTTP server. */
#ifndef TUNDISH_SERVE_SERVE_CMD_H
#define TUNDISH_SERVE_SERVE_CMD_H

#include "base/command.h"

extern const struct command cmd_serve;

#endif
