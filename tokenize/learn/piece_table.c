#include "tokenize/learn/piece_table.h"

#include <stdlib.h>

#include "base/arena.h"

#define FIRST_BITS 12
#define MOST_BITS 40
#define SLACK ((size_t)64)       /* slots behind the last that a hash chooses */
#define FIRST_STORE ((size_t)64 << 10)

static size_t slots_of(unsigned bits)
{
    return ((size_t)1 << bits) + SLACK;
}

static struct piece_entry *new_slots(unsigned bits)
{
    return mem_array(slots_of(bits), sizeof(struct piece_entry));
}

void piece_table_init(struct piece_table *t, uint64_t memory)
{
    size_t most = memory < SIZE_MAX / 2 ? (size_t)memory : SIZE_MAX / 2;

    *t = (struct piece_table){ .bits = FIRST_BITS, .most = most / 4 * 3, .store_most = most / 4 };
    t->slots = new_slots(t->bits);
}

void piece_table_release(struct piece_table *t)
{
    free(t->slots);
    free(t->store);
    *t = (struct piece_table){ 0 };
}

void piece_table_clear(struct piece_table *t)
{
    memset(t->slots, 0, slots_of(t->bits) * sizeof *t->slots);
    t->count = t->stored = 0;
}

/* ---- finding ---- */

struct span piece_table_bytes(const struct piece_table *t, const struct piece_entry *e)
{
    const char *p;
    uint32_t n;

    if (!count_key_is_long(e->key))
        return (struct span){ (const char *)e->key.w, count_key_bytes(e->key) };
    p = t->store + (e->key.w[1] & ~COUNT_LONG);
    memcpy(&n, p, sizeof n);
    return (struct span){ p + sizeof n, n };
}

/* The piece's slot, or a free one; NULL when the chain has come to the table's end. */
static inline struct piece_entry *find_short(const struct piece_table *t, struct count_key key)
{
    struct piece_entry *s = piece_table_slot(t, key), *end = t->slots + slots_of(t->bits);

    for (; s < end; s++)
        if ((s->key.w[0] == key.w[0] && s->key.w[1] == key.w[1]) || s->count == 0)
            return s;
    return NULL;
}

static struct piece_entry *find_long(const struct piece_table *t, struct count_key key,
                                     struct span piece)
{
    struct piece_entry *s = piece_table_slot(t, key), *end = t->slots + slots_of(t->bits);

    for (; s < end; s++) {
        struct span b;

        if (s->count == 0)
            return s;
        if (s->key.w[0] != key.w[0] || !count_key_is_long(s->key))
            continue;
        b = piece_table_bytes(t, s);
        if (b.n == piece.n && memcmp(b.p, piece.p, b.n) == 0)
            return s;
    }
    return NULL;
}

/* ---- growing ---- */

/* Entries go over in the order of hashes, nearly, so that both tables are walked from end to end.
 * False: some chain does not fit. */
static bool move_all(const struct piece_table *from, struct piece_table *to)
{
    for (size_t i = 0; i < slots_of(from->bits); i++) {
        const struct piece_entry *e = &from->slots[i];
        struct piece_entry *s;

        if (e->count == 0)
            continue;
        s = piece_table_slot(to, e->key);
        while (s < to->slots + slots_of(to->bits) && s->count != 0)
            s++;
        if (s == to->slots + slots_of(to->bits))
            return false;
        *s = *e;
    }
    return true;
}

static bool grow(struct piece_table *t)
{
    struct piece_table wider = *t;

    for (wider.bits = t->bits + 1; wider.bits <= MOST_BITS; wider.bits++) {
        if ((slots_of(wider.bits) + slots_of(t->bits)) * sizeof *t->slots > t->most)
            return false;
        wider.slots = new_slots(wider.bits);
        if (move_all(t, &wider)) {
            free(t->slots);
            *t = wider;
            return true;
        }
        free(wider.slots);
    }
    return false;
}

/* Room in the store; what is longer than all of it is taken by an empty table only. */
static bool store_room(struct piece_table *t, size_t n)
{
    size_t want = t->stored + n, cap = t->store_cap ? t->store_cap : FIRST_STORE;

    if (want <= t->store_cap)
        return true;
    if (want > t->store_most && t->count > 0)
        return false;
    while (cap < want)
        cap *= 2;
    if (cap > t->store_most)
        cap = want > t->store_most ? want : t->store_most;
    t->store = mem_grow(t->store, cap, 1);
    t->store_cap = cap;
    return true;
}

/* ---- counting ---- */

static bool has_room(struct piece_table *t)
{
    return t->count * 2 < (size_t)1 << t->bits || grow(t);
}

static bool add_short(struct piece_table *t, struct count_key key, uint64_t by)
{
    struct piece_entry *s = find_short(t, key);

    if (s != NULL && s->count != 0) {
        s->count += by;
        return true;
    }
    if (s == NULL || t->count * 2 >= (size_t)1 << t->bits) {
        if (!grow(t))
            return false;
        s = find_short(t, key);
        if (s == NULL)
            return false;
    }
    *s = (struct piece_entry){ key, by };
    t->count++;
    return true;
}

static bool add_long(struct piece_table *t, struct count_key key, struct span piece, uint64_t by)
{
    struct piece_entry *s = find_long(t, key, piece);
    uint32_t n = (uint32_t)piece.n;

    if (s != NULL && s->count != 0) {
        s->count += by;
        return true;
    }
    if (!has_room(t) || !store_room(t, sizeof n + piece.n))
        return false;
    s = find_long(t, key, piece);
    if (s == NULL)
        return false;
    memcpy(t->store + t->stored, &n, sizeof n);
    memcpy(t->store + t->stored + sizeof n, piece.p, piece.n);
    key.w[1] |= t->stored;
    t->stored += sizeof n + piece.n;
    *s = (struct piece_entry){ key, by };
    t->count++;
    return true;
}

bool piece_table_add(struct piece_table *t, struct count_key key, struct span piece, uint64_t by)
{
    return count_key_is_long(key) ? add_long(t, key, piece, by) : add_short(t, key, by);
}

/* ---- order ---- */

int piece_order(const struct piece_view *a, const struct piece_view *b)
{
    bool far = count_key_is_long(a->key);

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (far != count_key_is_long(b->key))
        return far ? 1 : -1;
    if (!far) {
        if (a->key.w[0] != b->key.w[0])
            return a->key.w[0] < b->key.w[0] ? -1 : 1;
        return a->key.w[1] == b->key.w[1] ? 0 : a->key.w[1] < b->key.w[1] ? -1 : 1;
    }
    if (a->bytes.n != b->bytes.n)
        return a->bytes.n < b->bytes.n ? -1 : 1;
    return memcmp(a->bytes.p, b->bytes.p, a->bytes.n);
}

static struct piece_view view_of(const struct piece_table *t, const struct piece_entry *e)
{
    return (struct piece_view){ count_key_hash(e->key), e->key, piece_table_bytes(t, e) };
}

/* Only neighbours in a chain are out of order, so that inserting costs a few steps each. */
void piece_table_sort(struct piece_table *t)
{
    size_t n = 0;

    for (size_t i = 0; i < slots_of(t->bits); i++) {
        struct piece_entry e = t->slots[i];
        uint64_t hash = count_key_hash(e.key);
        size_t at = n;

        if (e.count == 0)
            continue;
        for (; at > 0; at--) {
            const struct piece_entry *before = &t->slots[at - 1];
            uint64_t other = count_key_hash(before->key);
            struct piece_view a, b;

            if (other < hash)
                break;
            a = view_of(t, before);
            b = view_of(t, &e);
            if (other == hash && piece_order(&a, &b) < 0)
                break;
            t->slots[at] = *before;
        }
        t->slots[at] = e;
        n++;
    }
}
