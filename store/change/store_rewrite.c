/* A shard without some of its documents. */
#include <stdlib.h>

#include "base/file.h"
#include "base/progress.h"
#include "base/stop.h"
#include "store/change/store_change.h"
#include "store/tokens/token_shard.h"

struct rewriting {
    const struct token_store *store;
    const struct store_rewrite *r;
    struct token_shard_writer *writer;
    struct arena spans; /* of a document */
    uint32_t *tokens;
    uint64_t cap;
};

static void make_room(struct rewriting *w, uint64_t n)
{
    if (n <= w->cap && w->tokens)
        return;
    w->cap = n + n / 2 + 1024;
    w->tokens = mem_grow(w->tokens, w->cap, sizeof *w->tokens);
}

static enum status copy_document(struct rewriting *w, enum token_part part, uint64_t index)
{
    const struct token_span *spans;
    struct token_range d;
    size_t count;

    TRY(token_store_document(w->store, part, index, &d));
    make_room(w, d.count);
    TRY(token_store_read(w->store, part, d.first, d.count, (int32_t *)w->tokens));
    arena_reset(&w->spans);
    TRY(token_store_skips(w->store, part, index, &w->spans, &spans, &count));
    progress_add(d.count);
    return token_shard_add(w->writer, part,
                           &(struct token_document){ .id = d.id,
                                                     .source = d.source,
                                                     .language = d.language,
                                                     .text_hash = d.text_hash,
                                                     .text_bytes = d.text_bytes,
                                                     .tokens = w->tokens,
                                                     .count = d.count,
                                                     .unlearnt = spans,
                                                     .unlearnt_count = count });
}

static enum status copy_part(struct rewriting *w, enum token_part part)
{
    struct token_shard_place place;

    token_store_shard_place(w->store, w->r->shard, part, &place);
    for (uint64_t i = 0; i < place.count; i++) {
        if (stop_requested())
            return fail(ST_INTERRUPTED, "stopped; the store is as it was");
        if (!w->r->goes(w->r->ctx, part, place.first + i))
            TRY(copy_document(w, part, place.first + i));
    }
    return ST_OK;
}

static enum status copy_all(struct rewriting *w)
{
    for (int p = 0; p < TOKENS_PARTS; p++)
        TRY(copy_part(w, (enum token_part)p));
    return ST_OK;
}

enum status store_copy_shard(const struct token_store *store, const struct store_rewrite *r,
                             const char *path)
{
    struct rewriting w = { .store = store, .r = r };
    enum status st;

    TRY(token_shard_begin(path, token_store_shard_meta(store, r->shard), &w.writer));
    st = copy_all(&w);
    free(w.tokens);
    arena_release(&w.spans);
    if (st == ST_OK)
        return token_shard_finish(w.writer);
    token_shard_abort(w.writer);
    return st;
}

enum status store_change_rewrite(struct store_change *c, const struct store_rewrite *r,
                                 char is[TOKEN_SHARD_NAME])
{
    const struct token_store *store = store_change_store(c);
    struct amendment *a = store_change_amendment(c);
    struct token_shard_place place;
    struct token_shard_id next;
    struct arena arena = { 0 };
    char was[TOKEN_SHARD_NAME];
    enum status st;

    token_store_shard_place(store, r->shard, TOKENS_TRAIN, &place);
    next = place.shard;
    if (++next.edition >= TOKEN_EDITIONS_MAX)
        return fail(ST_LIMIT, "shard %u was written anew %u times; make the store anew",
                    next.number, place.shard.edition);
    token_shard_name(place.shard, was);
    token_shard_name(next, is);
    st = store_copy_shard(store, r, path_join(&arena, amend_path(a), is));
    if (st == ST_OK) {
        amend_add(a, is);
        amend_drop(a, was);
    }
    arena_release(&arena);
    return st;
}
