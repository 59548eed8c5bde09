#include "tokenize/encode/symbols.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/status.h"

#define PAGE 256
#define PAGES (0x110000 / PAGE)

struct symbols {
    struct symbol_args args;
    uint32_t *page[SYMBOL_PLACES][PAGES];     /* ids by code point; NULL: none of these */
};

struct symbols *symbols_new(const struct symbol_args *args)
{
    struct symbols *s = mem_alloc(sizeof *s);

    s->args = *args;
    return s;
}

void symbols_free(struct symbols *s)
{
    if (s == NULL)
        return;
    for (int place = 0; place < SYMBOL_PLACES; place++)
        for (int i = 0; i < PAGES; i++)
            free(s->page[place][i]);
    free(s);
}

uint32_t symbols_unk(const struct symbols *s)
{
    return s->args.unk;
}

bool symbols_are_bytes(const struct symbols *s)
{
    return s == NULL || s->args.bytes;
}

void symbols_add(struct symbols *s, uint32_t cp, int place, uint32_t id)
{
    uint32_t **page = &s->page[place][cp / PAGE];

    if (*page == NULL) {
        *page = mem_array(PAGE, sizeof **page);
        for (int i = 0; i < PAGE; i++)
            (*page)[i] = NO_TOKEN;
    }
    (*page)[cp % PAGE] = id;
}

void symbols_add_anywhere(struct symbols *s, uint32_t cp, uint32_t id)
{
    for (int place = 0; place < SYMBOL_PLACES; place++)
        symbols_add(s, cp, place, id);
}

static uint32_t find(const struct symbols *s, uint32_t cp, int place)
{
    const uint32_t *page = s->page[place][cp / PAGE];

    return page ? page[cp % PAGE] : NO_TOKEN;
}

struct row {                 /* of symbols, in the making */
    uint32_t *ids;
    size_t n;
    bool unknown;            /* one is to be put behind */
};

static void put_unknown(const struct symbols *s, struct row *r)
{
    if (r->unknown)
        r->ids[r->n++] = s->args.unk;
    r->unknown = false;
}

static void put_known(const struct symbols *s, struct row *r, uint32_t id)
{
    put_unknown(s, r);
    r->ids[r->n++] = id;
}

static void note_unknown(const struct symbols *s, struct row *r)
{
    if (s->args.unk == NO_TOKEN)
        return;
    if (!s->args.fuse_unk)
        put_unknown(s, r);
    r->unknown = true;
}

/* The bytes' tokens go before an unknown one that waits: Hugging Face's order. */
static bool put_bytes(const struct symbols *s, struct row *r, struct span c)
{
    for (size_t i = 0; i < c.n; i++)
        if (s->args.byte_id[(unsigned char)c.p[i]] == NO_TOKEN)
            return false;
    for (size_t i = 0; i < c.n; i++)
        r->ids[r->n++] = s->args.byte_id[(unsigned char)c.p[i]];
    return true;
}

static size_t bytes_of(const struct symbols *s, struct span piece, struct row *r)
{
    for (size_t i = 0; i < piece.n; i++) {
        uint32_t id = s->args.byte_id[(unsigned char)piece.p[i]];

        if (id != NO_TOKEN)
            put_known(s, r, id);
        else
            note_unknown(s, r);
    }
    put_unknown(s, r);
    return r->n;
}

size_t symbols_of(const struct symbols *s, struct span piece, uint32_t *ids)
{
    struct row r = { .ids = ids };
    size_t step;

    if (s->args.bytes)
        return bytes_of(s, piece, &r);
    for (size_t at = 0; at < piece.n; at += step) {
        uint32_t cp = 0, id;
        int place = at > 0 ? SYMBOL_INNER : SYMBOL_FIRST;

        step = utf8_decode(piece.p + at, piece.p + piece.n, &cp);
        BUG_IF(step == 0);
        id = find(s, cp, place + (at + step == piece.n ? SYMBOL_LAST : 0));
        if (id != NO_TOKEN)
            put_known(s, &r, id);
        else if (!s->args.byte_fallback || !put_bytes(s, &r, (struct span){ piece.p + at, step }))
            note_unknown(s, &r);
    }
    put_unknown(s, &r);
    return r.n;
}
