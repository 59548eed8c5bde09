/* store_change_rewrite(): a shard without some of its documents. */
#include <stdlib.h>

#include "base/file.h"
#include "base/progress.h"
#include "base/stop.h"
#include "store/store_change.h"
#include "store/token_shard.h"

struct rewriting {
    const struct token_store *store;
    const struct store_rewrite *r;
    struct token_shard_writer *writer;
    int32_t *seen;                   /* a document's tokens; then which of them are to be learnt */
    uint32_t *tokens;
    struct token_span *spans;
    uint64_t cap;
};

static void make_room(struct rewriting *w, uint64_t n)
{
    if (n <= w->cap && w->tokens)
        return;
    w->cap = n + n / 2 + 1024;
    w->seen = mem_grow(w->seen, w->cap, sizeof *w->seen);
    w->tokens = mem_grow(w->tokens, w->cap, sizeof *w->tokens);
    w->spans = mem_grow(w->spans, w->cap, sizeof *w->spans);
}

/* The spans of tokens that are not to be learnt, as the mask shows them. */
static size_t find_spans(struct rewriting *w, enum token_part part, const struct token_range *d)
{
    size_t count = 0;

    if (token_store_skips(w->store, part) == 0)
        return 0;
    for (uint64_t i = 0; i < d->count; i++)
        w->seen[i] = 0;
    token_store_mask(w->store, part, d->first, d->count, w->seen);
    for (uint64_t i = 0; i < d->count; i++) {
        if (w->seen[i] == 0)
            continue;
        if (count == 0 || w->spans[count - 1].first + w->spans[count - 1].count != i)
            w->spans[count++] = (struct token_span){ i, 0 };
        w->spans[count - 1].count++;
    }
    return count;
}

static enum status copy_document(struct rewriting *w, enum token_part part, uint64_t index)
{
    struct token_range d;
    size_t spans;

    TRY(token_store_document(w->store, part, index, &d));
    make_room(w, d.count);
    TRY(token_store_read(w->store, part, d.first, d.count, w->seen));
    for (uint64_t i = 0; i < d.count; i++)
        w->tokens[i] = (uint32_t)w->seen[i];
    spans = find_spans(w, part, &d);
    progress_add(d.count);
    return token_shard_add(w->writer, part, &(struct token_document){
        .id = d.id, .source = d.source, .language = d.language, .text_hash = d.text_hash, .text_bytes = d.text_bytes,
        .tokens = w->tokens, .count = d.count, .unlearnt = w->spans, .unlearnt_count = spans });
}

static enum status copy_part(struct rewriting *w, enum token_part part)
{
    struct token_shard_place place;

    token_store_shard_place(w->store, w->r->shard.number, part, &place);
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

static enum status rewrite(struct rewriting *w, const char *path, const struct token_shard_meta *meta)
{
    struct token_shard_writer *writer;
    enum status st;

    TRY(token_shard_begin(path, meta, &w->writer));
    st = copy_all(w);
    writer = w->writer;
    if (st == ST_OK)
        return token_shard_finish(writer);
    token_shard_abort(writer);
    return st;
}

enum status store_change_rewrite(struct store_change *c, const struct store_rewrite *r, char is[TOKEN_SHARD_NAME])
{
    struct rewriting w = { .store = store_change_store(c), .r = r };
    struct token_shard_id next = { r->shard.number, r->shard.edition + 1 };
    struct amendment *a = store_change_amendment(c);
    struct token_shard_meta meta = *token_store_shard_meta(w.store, r->shard.number);
    struct arena arena = { 0 };
    char was[TOKEN_SHARD_NAME];
    enum status st;

    if (next.edition >= TOKEN_EDITIONS_MAX)
        return fail(ST_LIMIT, "shard %u was written anew %u times; make the store anew", next.number, r->shard.edition);
    token_shard_name(r->shard, was);
    token_shard_name(next, is);
    st = rewrite(&w, path_join(&arena, amend_path(a), is), &meta);
    if (st == ST_OK) {
        amend_add(a, is);
        amend_drop(a, was);
    }
    free(w.seen);
    free(w.tokens);
    free(w.spans);
    arena_release(&arena);
    return st;
}
