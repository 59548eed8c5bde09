#include "store/change/store_names.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/stop.h"

#define DOCUMENTS_A_PIECE 65536u

/* Open addressing, at most half full. */
struct table {
    struct store_name *slots; /* documents = 0: free */
    size_t cap, count;
};
struct counting {
    const struct token_store *store;
    uint64_t pieces[TOKENS_PARTS];
    struct table (*tables)[STORE_NAME_KINDS]; /* one pair a worker */
};

static struct store_name *slot_of(const struct table *t, struct span name, uint64_t hash)
{
    size_t i = hash & (t->cap - 1);

    while (t->slots[i].documents > 0 &&
           (t->slots[i].hash != hash || t->slots[i].name.n != name.n ||
            (name.n > 0 && memcmp(t->slots[i].name.p, name.p, name.n) != 0)))
        i = (i + 1) & (t->cap - 1);
    return &t->slots[i];
}

static void grow(struct table *t)
{
    struct table old = *t;

    t->cap = old.cap ? 2 * old.cap : 64;
    t->slots = mem_array(t->cap, sizeof *t->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].documents > 0)
            *slot_of(t, old.slots[i].name, old.slots[i].hash) = old.slots[i];
    free(old.slots);
}

static void add(struct table *t, const struct store_name *n)
{
    struct store_name *slot;

    if (2 * t->count >= t->cap)
        grow(t);
    slot = slot_of(t, n->name, n->hash);
    if (slot->documents == 0) {
        *slot = *n;
        t->count++;
        return;
    }
    slot->documents += n->documents;
    slot->tokens += n->tokens;
}

static void add_name(struct table *t, struct span name, uint64_t tokens)
{
    add(t, &(struct store_name){ name, xxh3(name.n ? name.p : "", name.n), 1, tokens });
}

static enum status count_piece(void *ctx, size_t item, int worker)
{
    const struct counting *c = ctx;
    enum token_part part = item < c->pieces[TOKENS_TRAIN] ? TOKENS_TRAIN : TOKENS_VALIDATION;
    uint64_t from =
                 (item - (part == TOKENS_TRAIN ? 0 : c->pieces[TOKENS_TRAIN])) * DOCUMENTS_A_PIECE,
             n = token_store_documents(c->store, part),
             to = n - from < DOCUMENTS_A_PIECE ? n : from + DOCUMENTS_A_PIECE;

    if (stop_requested())
        return fail(ST_INTERRUPTED, "stopped");
    for (uint64_t i = from; i < to; i++) {
        struct token_range d;

        TRY(token_store_document(c->store, part, i, &d));
        add_name(&c->tables[worker][STORE_SOURCES], d.source, d.count);
        add_name(&c->tables[worker][STORE_LANGUAGES], d.language, d.count);
    }
    return ST_OK;
}

static int by_tokens(const void *a, const void *b)
{
    const struct store_name *x = a, *y = b;
    size_t least = x->name.n < y->name.n ? x->name.n : y->name.n;
    int order;

    if (x->tokens != y->tokens)
        return x->tokens > y->tokens ? -1 : 1;
    order = least > 0 ? memcmp(x->name.p, y->name.p, least) : 0;
    return order ? order : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

static void gather(struct counting *c, int threads, enum store_name_kind kind,
                   struct store_names *out)
{
    struct table *all = &c->tables[0][kind];
    size_t n = 0;

    for (int w = 1; w < threads; w++)
        for (size_t i = 0; i < c->tables[w][kind].cap; i++)
            if (c->tables[w][kind].slots[i].documents > 0)
                add(all, &c->tables[w][kind].slots[i]);
    out->v = mem_array(all->count + 1, sizeof *out->v);
    for (size_t i = 0; i < all->cap; i++)
        if (all->slots[i].documents > 0)
            out->v[n++] = all->slots[i];
    out->count = n;
    if (n > 0)
        qsort(out->v, n, sizeof *out->v, by_tokens);
}

enum status store_names_count(const struct token_store *s, struct pool *pool,
                              struct store_names out[STORE_NAME_KINDS])
{
    struct counting c = { .store = s };
    int threads = pool_threads(pool);
    enum status st;

    for (int p = 0; p < TOKENS_PARTS; p++)
        c.pieces[p] = (token_store_documents(s, (enum token_part)p) + DOCUMENTS_A_PIECE - 1) /
                      DOCUMENTS_A_PIECE;
    c.tables = mem_array((size_t)threads, sizeof *c.tables);
    st = pool_for(pool, (size_t)(c.pieces[0] + c.pieces[1]), count_piece, &c);
    for (int kind = 0; kind < STORE_NAME_KINDS; kind++) {
        if (st == ST_OK)
            gather(&c, threads, (enum store_name_kind)kind, &out[kind]);
        for (int w = 0; w < threads; w++)
            free(c.tables[w][kind].slots);
    }
    free(c.tables);
    return st;
}

void store_names_release(struct store_names names[STORE_NAME_KINDS])
{
    for (int kind = 0; kind < STORE_NAME_KINDS; kind++) {
        free(names[kind].v);
        names[kind] = (struct store_names){ 0 };
    }
}
