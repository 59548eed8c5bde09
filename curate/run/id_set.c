#include "curate/run/id_set.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"

static bool is_full(const struct id_set *s) { return (s->used + 1) * 4 > s->slots * 3; }

static size_t slot_of(const struct id_set *s, uint64_t hash)
{
    size_t i = (size_t)hash & (s->slots - 1);

    while (s->hashes[i] != 0 && s->hashes[i] != hash)
        i = (i + 1) & (s->slots - 1);
    return i;
}

static void make_room(struct id_set *s)
{
    struct id_set old = *s;

    if (!is_full(s))
        return;
    s->slots = old.slots ? old.slots * 2 : 1024;
    s->hashes = mem_array(s->slots, sizeof *s->hashes);
    s->next = mem_array(s->slots, sizeof *s->next);
    for (size_t i = 0; i < old.slots; i++)
        if (old.hashes[i] != 0) {
            size_t to = slot_of(s, old.hashes[i]);
            s->hashes[to] = old.hashes[i];
            s->next[to] = old.next[i];
        }
    free(old.hashes);
    free(old.next);
}

/* Takes a name; false if it is taken. Either way *slot is its place. */
static bool take(struct id_set *s, const char *name, size_t n, size_t *slot)
{
    uint64_t hash = xxh3(name, n);

    hash += hash == 0;
    *slot = slot_of(s, hash);
    if (s->hashes[*slot] != 0)
        return false;
    s->hashes[*slot] = hash;
    s->next[*slot] = 2;
    s->used++;
    return true;
}

bool id_set_claim(struct id_set *s, char **id)
{
    struct buf name = { 0 };
    size_t slot, other;

    make_room(s);
    if (take(s, *id, strlen(*id), &slot))
        return false;
    do {
        buf_clear(&name);
        buf_printf(&name, "%s~%" PRIu32, *id, s->next[slot]++);
    } while (!take(s, name.p, name.n, &other));
    free(*id);
    *id = mem_strdup(name.p);
    buf_release(&name);
    return true;
}

uint64_t id_set_memory(const struct id_set *s)
{
    return (is_full(s) ? (s->slots ? s->slots * 3 : 1024) : s->slots) * ID_SET_SLOT_BYTES;
}

void id_set_release(struct id_set *s)
{
    free(s->hashes);
    free(s->next);
    *s = (struct id_set){ 0 };
}
