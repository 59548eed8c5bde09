/* Lines and paragraphs that are the same. */
#include "base/arena.h"
#include "base/hash.h"
#include "curate/text/space_scan.h"

struct space_slot {
    uint64_t key, count;           /* key 0: free */
};

/* All free, room for n at half load; returns the logarithm of the table's size. */
static int make_slots(struct space_scan *s, size_t n)
{
    int log = 4;

    while (((size_t)1 << log) < 2 * n)
        log++;
    if ((size_t)1 << log > s->slot_cap) {
        s->slot_cap = (size_t)1 << log;
        s->slots = mem_grow(s->slots, s->slot_cap, sizeof *s->slots);
    }
    memset(s->slots, 0, ((size_t)1 << log) * sizeof *s->slots);
    return log;
}

/* Where a key (not 0) stands or will. */
static struct space_slot *slot_of(const struct space_scan *s, int log, uint64_t key)
{
    size_t mask = ((size_t)1 << log) - 1, i = (key * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - log);

    while (s->slots[i].key != 0 && s->slots[i].key != key)
        i = (i + 1) & mask;
    return &s->slots[i];
}

static void add_unit(struct space_scan *s, int log, struct space_units *u, uint64_t hash, uint64_t chars)
{
    struct space_slot *slot = slot_of(s, log, hash + (hash == 0));

    slot->key = hash + (hash == 0);
    slot->count++;
    u->count++;
    u->chars += chars;
    if (slot->count == 1) {
        u->distinct++;
        u->distinct_chars += chars;
    } else {
        u->repeated += slot->count == 2 ? 2 : 1;
        u->repeated_chars += slot->count == 2 ? 2 * chars : chars;
    }
}

static void hash_lines(struct space_scan *s)
{
    for (size_t i = 0; i < s->line_count && !s->line_hashes; i++)
        s->lines[i].hash = xxh3(s->text.p + s->lines[i].at, s->lines[i].bytes);
    s->line_hashes = true;
}

static bool is_of_kind(const struct space_scan *s, size_t i, enum space_unit kind)
{
    switch (kind) {
    case SPACE_FILLED: return s->lines[i].bytes > 0 || i == 0 || i + 1 == s->line_count;
    case SPACE_SENTENCES: return s->lines[i].core_bytes > 0;
    default: return true;
    }
}

static void count_lines(struct space_scan *s, enum space_unit kind, struct space_units *u)
{
    int log = make_slots(s, s->line_count);

    hash_lines(s);
    for (size_t i = 0; i < s->line_count; i++)
        if (is_of_kind(s, i, kind))
            add_unit(s, log, u, s->lines[i].hash,
                     space_chars(s, s->text.p + s->lines[i].at, s->lines[i].bytes));
}

/* An empty line ends a paragraph, and the one behind it begins the next: of three line ends in a row the third belongs to
 * the next paragraph. */
static void count_paragraphs(struct space_scan *s, struct space_units *u)
{
    int log = make_slots(s, s->line_count);
    size_t from = 0, to;

    for (size_t i = 0; i < s->line_count; i++) {
        bool last = i + 1 == s->line_count;

        if (!last && (s->lines[i + 1].bytes > 0 || i + 2 == s->line_count))
            continue;
        to = s->lines[i].at + s->lines[i].bytes;
        add_unit(s, log, u, xxh3(s->text.p + from, to - from), space_chars(s, s->text.p + from, to - from));
        from = to + 2;
        i += !last;
    }
}

const struct space_units *space_units(struct space_scan *s, enum space_unit kind)
{
    struct space_units *u = &s->units[kind];

    if (s->has_units[kind])
        return u;
    *u = (struct space_units){ 0 };
    if (kind == SPACE_PARAGRAPHS)
        count_paragraphs(s, u);
    else
        count_lines(s, kind, u);
    s->has_units[kind] = true;
    return u;
}
