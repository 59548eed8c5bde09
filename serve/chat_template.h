/*
 * The plain template for models that were not trained on another one: what a transcript looks like.
 *
 *     {system}
 *
 *     User: {text}
 *     Assistant: {text}
 *     User: {text}
 *     Assistant:
 *
 * The answer is what follows, up to "\nUser:" or the end of the text, less the space in front.
 */
#ifndef TUNDISH_SERVE_CHAT_TEMPLATE_H
#define TUNDISH_SERVE_CHAT_TEMPLATE_H

#include "base/str.h"

#define CHAT_STOP "\nUser:"
enum chat_role { CHAT_SYSTEM, CHAT_USER, CHAT_ASSISTANT };
/* By name: system, developer (as system), user, assistant; false: there is no such role. */
bool chat_role_of(const char *name, enum chat_role *out);
void chat_add(struct buf *out, enum chat_role role, struct span text);
/* The beginning of the answer. */
void chat_ask(struct buf *out);

#endif
