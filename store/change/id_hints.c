#include "store/change/id_hints.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static size_t likeness(const char *sought, struct span id)
{
    size_t n = strlen(sought), same = 0;

    if (n > 0 && memmem(id.p, id.n, sought, n) != NULL)
        return n + 1;
    while (same < n && same < id.n && id.p[same] == sought[same])
        same++;
    return 2 * same >= n ? same : 0;
}

/* Of equal ones the first in the order of bytes, so that threads do not matter. */
void id_hints_add(struct id_hints *h, const char *sought, struct span id)
{
    struct id_hint new = { likeness(sought, id), NULL };
    struct id_hint *last = &h->best[ID_HINTS - 1];
    size_t i = ID_HINTS - 1;

    if (new.likeness == 0 || (last->id && new.likeness < last->likeness))
        return;
    new.id = mem_alloc(id.n + 1);
    memcpy(new.id, id.p, id.n);
    for (size_t k = 0; k < ID_HINTS; k++)
        if (h->best[k].id && strcmp(h->best[k].id, new.id) == 0) {
            free(new.id);
            return;
        }
    if (last->id && new.likeness == last->likeness && strcmp(new.id, last->id) > 0) {
        free(new.id);
        return;
    }
    free(last->id);
    for (; i > 0; i--) {
        const struct id_hint *before = &h->best[i - 1];

        if (before->id && (before->likeness > new.likeness ||
                           (before->likeness == new.likeness && strcmp(before->id, new.id) < 0)))
            break;
        h->best[i] = *before;
    }
    h->best[i] = new;
}

void id_hints_say(const struct id_hints *h, struct buf *out)
{
    for (size_t i = 0; i < ID_HINTS && h->best[i].id; i++)
        buf_printf(out, "%s'%.200s'", i == 0 ? "; near it: " : ", ", h->best[i].id);
}

void id_hints_free(struct id_hints *h)
{
    for (size_t i = 0; i < ID_HINTS; i++)
        free(h->best[i].id);
    *h = (struct id_hints){ 0 };
}
