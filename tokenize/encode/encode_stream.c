#include "tokenize/encode/encode_stream.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/stop.h"

#define BATCH_BYTES ((size_t)512 << 10)

struct entry {
    size_t id, id_n, source, source_n, text, text_n;     /* in bytes */
    uint64_t hash;
    size_t first, count;                                 /* in tokens */
};
struct batch {
    struct buf bytes;
    struct entry *entries;
    size_t count, cap;
    struct token_list tokens;
};
struct stream {
    const struct encode_stream *s;
    struct encoder **encoders;       /* one a worker */
    bool ended;
};

static void batch_free(struct batch *b)
{
    buf_release(&b->bytes);
    token_list_release(&b->tokens);
    free(b->entries);
    free(b);
}

static size_t keep(struct batch *b, struct span s)
{
    size_t at = b->bytes.n;

    buf_add(&b->bytes, s.p, s.n);
    return at;
}

static void batch_add(struct batch *b, const struct document *d)
{
    struct entry *e;

    if (b->count == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 64;
        b->entries = mem_grow(b->entries, b->cap, sizeof *b->entries);
    }
    e = &b->entries[b->count++];
    *e = (struct entry){ .id_n = d->id.n, .source_n = d->source.n, .text_n = d->text.n };
    e->id = keep(b, d->id);
    e->source = keep(b, d->source);
    e->text = keep(b, d->text);
}

static enum status produce(void *ctx, void **item)
{
    struct stream *r = ctx;
    struct batch *b = mem_alloc(sizeof *b);
    enum status st = ST_OK;

    buf_reserve(&b->bytes, BATCH_BYTES);
    if (stop_requested())
        st = fail(ST_INTERRUPTED,
                  "interrupted; nothing was written: run the same command to begin again");
    while (st == ST_OK && !r->ended && b->bytes.n < BATCH_BYTES) {
        struct document d = { 0 };
        bool got = false;

        st = r->s->next(r->s->ctx, &d, &got);
        if (st == ST_OK && got)
            batch_add(b, &d);
        r->ended = !got;
    }
    *item = b;
    if (st != ST_OK || b->count == 0) {
        batch_free(b);
        *item = NULL;
    }
    return st;
}

static enum status work(void *ctx, void *item, int worker)
{
    struct stream *r = ctx;
    struct batch *b = item;

    if (r->encoders[worker] == NULL)
        r->encoders[worker] = encoder_new(r->s->tokenizer);
    for (size_t i = 0; i < b->count; i++) {
        struct entry *e = &b->entries[i];
        struct span text = { b->bytes.p + e->text, e->text_n };

        e->first = b->tokens.count;
        TRY(encoder_encode(r->encoders[worker], text, r->s->specials, &b->tokens));
        if (r->s->end >= 0)
            token_list_add(&b->tokens, (uint32_t)r->s->end);
        e->count = b->tokens.count - e->first;
        e->hash = xxh3(text.p, text.n);
        progress_add(text.n);
    }
    return ST_OK;
}

static enum status consume(void *ctx, void *item)
{
    struct stream *r = ctx;
    struct batch *b = item;
    enum status st = ST_OK;

    for (size_t i = 0; st == ST_OK && i < b->count; i++) {
        const struct entry *e = &b->entries[i];

        st = r->s->take(r->s->ctx, &(struct encoded_document){
                                       .id = { b->bytes.p + e->id, e->id_n },
                                       .source = { b->bytes.p + e->source, e->source_n },
                                       .text_hash = e->hash,
                                       .text_bytes = e->text_n,
                                       .tokens = b->tokens.v ? b->tokens.v + e->first : NULL,
                                       .count = e->count });
    }
    batch_free(b);
    return st;
}

static void discard(void *ctx, void *item)
{
    batch_free(item);
}

enum status encode_stream(struct pool *pool, const struct encode_stream *s)
{
    struct stream r = { .s = s };
    struct pool_stream work_of = {
        .produce = produce, .work = work, .consume = consume, .discard = discard, .ctx = &r
    };
    enum status st;

    r.encoders = mem_array((size_t)pool_threads(pool), sizeof(struct encoder *));
    st = pool_ordered(pool, &work_of);
    for (int i = 0; i < pool_threads(pool); i++)
        encoder_free(r.encoders[i]);
    free(r.encoders);
    return st;
}
