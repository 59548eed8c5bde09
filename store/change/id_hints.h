/*
 * The ids (or other names) nearest to one that is not there: those that hold it, else those that
 * begin alike. For "near it: ...".
 */
#ifndef TUNDISH_STORE_ID_HINTS_H
#define TUNDISH_STORE_ID_HINTS_H

#include "base/str.h"

#define ID_HINTS 5

struct id_hints {
    struct id_hint {
        size_t likeness; /* 0: none */
        char *id;
    } best[ID_HINTS];
};
/* Any order of calls gives the same hints. */
void id_hints_add(struct id_hints *h, const char *sought, struct span id);
/* Appends "; near it: 'a', 'b'", or nothing. */
void id_hints_say(const struct id_hints *h, struct buf *out);
void id_hints_free(struct id_hints *h);

#endif
