/* `tundish chat`: a conversation with a model in the terminal. */
#ifndef TUNDISH_SERVE_CHAT_CMD_H
#define TUNDISH_SERVE_CHAT_CMD_H

#include "base/command.h"

extern const struct command cmd_chat;

#endif
