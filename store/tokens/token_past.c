#include "store/tokens/token_past.h"

#include <stdlib.h>

#include "store/tokens/store_history.h"
#include "store/tokens/token_store_shards.h"

struct token_past {
    char *path;
    char digest[SHA256_HEX];
    struct token_store *now;
    json_t *history;
    struct store_then *then;
};

static enum status begin(struct token_past *p, const char *digest)
{
    TRY(token_store_open(p->path, &p->now));
    TRY(store_history_read(p->path, token_store_manifest(p->now), &p->history));
    TRY(store_then_open(p->now, p->history, digest, &p->then));
    memcpy(p->digest, digest, SHA256_HEX); /* one of the history's, so it is as long */
    return ST_OK;
}

enum status token_past_open(const char *path, const char *digest, struct token_past **out)
{
    struct token_past *p = mem_alloc(sizeof *p);
    enum status st;

    p->path = mem_strdup(path);
    st = begin(p, digest);
    if (st != ST_OK) {
        token_past_close(p);
        return st;
    }
    *out = p;
    return ST_OK;
}

void token_past_close(struct token_past *p)
{
    if (p == NULL)
        return;
    store_then_close(p->then);
    json_decref(p->history);
    token_store_close(p->now);
    free(p->path);
    free(p);
}

const struct token_store *token_past_now(const struct token_past *p) { return p->now; }
const char *token_past_digest(const struct token_past *p) { return p->digest; }

void token_past_counts(const struct token_past *p, enum token_part part, struct token_counts *out)
{
    *out = (struct token_counts){ .documents = store_then_documents(p->then, part),
                                  .tokens = store_then_tokens(p->then, part) };
}

uint64_t token_past_first(const struct token_past *p, enum token_part part, uint64_t index)
{
    return store_then_first(p->then, part, index);
}

uint64_t token_past_length(const struct token_past *p, enum token_part part, uint64_t index)
{
    return store_then_length(p->then, part, index);
}

enum status token_past_document(const struct token_past *p, enum token_part part, uint64_t index,
                                struct token_range *out)
{
    uint64_t now;

    *out = (struct token_range){ .count = store_then_length(p->then, part, index),
                                 .id = span_of(TOKEN_STORE_REMOVED),
                                 .source = span_of(""),
                                 .language = span_of("") };
    if (store_then_now(p->then, part, index, &now))
        TRY(token_store_document(p->now, part, now, out));
    out->first = store_then_first(p->then, part, index);
    return ST_OK;
}

struct looking {
    const struct store_then *then;
    token_removed_fn *tell;
    void *ctx;
};

/* What came after then and went later is passed over. */
static enum status look(void *ctx, const struct store_tombstone *t)
{
    const struct looking *l = ctx;
    uint64_t index;

    return store_then_gone(l->then, t, &index) ? l->tell(l->ctx, t->part, index) : ST_OK;
}

enum status token_past_removed(const struct token_past *p, struct span id,
                               token_removed_fn *tell, void *ctx)
{
    struct looking l = { p->then, tell, ctx };

    return store_history_find(p->history, id, look, &l);
}

enum status token_past_refuse(const struct token_past *p)
{
    return fail(ST_MISSING,
                "'%s' was changed since it had the digest %.16s; its tokens of then are not kept",
                p->path, p->digest);
}
