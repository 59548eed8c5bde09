#include "serve/chat_template.h"

bool chat_role_of(const char *name, enum chat_role *out)
{
    static const struct {
        const char *name;
        enum chat_role role;
    } roles[] = { { "system", CHAT_SYSTEM },
                  { "developer", CHAT_SYSTEM },
                  { "user", CHAT_USER },
                  { "assistant", CHAT_ASSISTANT } };

    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (strcmp(roles[i].name, name) == 0) {
            *out = roles[i].role;
            return true;
        }
    return false;
}

void chat_add(struct buf *out, enum chat_role role, struct span text)
{
    if (role != CHAT_SYSTEM)
        buf_adds(out, role == CHAT_USER ? "User: " : "Assistant: ");
    buf_add(out, text.p, text.n);
    buf_adds(out, role == CHAT_SYSTEM ? "\n\n" : "\n");
}

void chat_ask(struct buf *out) { buf_adds(out, "Assistant:"); }
