#include "tokenize/encode/encode_stream.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/stop.h"
#include "tokenize/encode/safe_cut.h"

#define BATCH_BYTES ((size_t)512 << 10)
#define ROOM_BYTES (BATCH_BYTES + ((size_t)64 << 10))    /* what most batches need */
#define KEPT_BYTES (4 * BATCH_BYTES)     /* a batch that grew larger is not kept for the next ones */
#define STEP_BYTES ((size_t)256 << 10)   /* of a text are copied at once */

struct entry {                           /* a document or a part of one */
    size_t id, id_n, source, source_n, text, text_n;     /* in bytes */
    size_t metadata, metadata_n;
    uint64_t hash, at, tag;
    size_t begin, count;                                 /* in tokens */
    size_t shown, shown_n;                               /* in bytes of .shown */
    bool first, last;
};
struct batch {
    struct batch *next;              /* of those that are kept */
    struct buf bytes;
    struct entry *entries;
    size_t count, cap;
    struct token_list tokens;
    struct id_ranges ranges;
    struct buf shown;
};
struct stream {
    const struct encode_stream *s;
    struct encoder **encoders;       /* one a worker */
    pthread_mutex_t lock;            /* of the next */
    struct batch *kept;              /* taken, with room for others: fresh memory costs page faults */
    /* where reading stands */
    bool ended, inside;              /* of a document */
    struct stream_text now;
    struct span rest;                /* of now's text */
    struct buf held;                 /* text behind the last cut, before rest */
    uint64_t at;                     /* of it in the document */
    /* the document that is taken, if it has parts */
    struct token_list tokens;
    struct id_ranges ranges;
    size_t count;
    struct buf metadata;             /* of its first part */
    struct xxh3_parts *hash;
};

static void batch_free(struct batch *b)
{
    buf_release(&b->bytes);
    buf_release(&b->shown);
    token_list_release(&b->tokens);
    id_ranges_release(&b->ranges);
    free(b->entries);
    free(b);
}

static struct batch *batch_new(struct stream *r)
{
    struct batch *b;

    pthread_mutex_lock(&r->lock);
    b = r->kept;
    if (b)
        r->kept = b->next;
    pthread_mutex_unlock(&r->lock);
    if (b)
        return b;
    b = mem_alloc(sizeof *b);
    buf_reserve(&b->bytes, ROOM_BYTES);
    return b;
}

static void batch_keep(struct stream *r, struct batch *b)
{
    if (b->bytes.cap > KEPT_BYTES) {
        batch_free(b);
        return;
    }
    b->count = b->tokens.count = b->ranges.count = 0;
    buf_clear(&b->bytes);
    buf_clear(&b->shown);
    pthread_mutex_lock(&r->lock);
    b->next = r->kept;
    r->kept = b;
    pthread_mutex_unlock(&r->lock);
}

static void free_kept(struct stream *r)
{
    for (struct batch *b = r->kept, *next; b; b = next) {
        next = b->next;
        batch_free(b);
    }
    pthread_mutex_destroy(&r->lock);
}

/* ---- reading ---- */

static size_t keep(struct batch *b, struct span s)
{
    size_t at = b->bytes.n;

    buf_add(&b->bytes, s.p, s.n);
    return at;
}

static struct entry *batch_add(struct batch *b, struct stream *r)
{
    const struct document *d = &r->now.d;
    struct entry *e;

    if (b->count == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 64;
        b->entries = mem_grow(b->entries, b->cap, sizeof *b->entries);
    }
    e = &b->entries[b->count++];
    *e = (struct entry){ .id_n = d->id.n, .source_n = d->source.n, .tag = r->now.tag, .at = r->at,
                         .first = r->at == 0, .metadata_n = r->at == 0 ? d->metadata.n : 0 };
    e->id = keep(b, d->id);
    e->source = keep(b, d->source);
    if (e->first)
        e->metadata = keep(b, d->metadata);
    e->text = keep(b, (struct span){ r->held.p, r->held.n });
    buf_clear(&r->held);
    return e;
}

static enum status read_next(struct stream *r, bool *got)
{
    *got = false;
    TRY(r->s->next(r->s->ctx, &r->now, got));
    if (*got)
        r->rest = r->now.d.text;
    return ST_OK;
}

/* Copies some more of the open document; *whole when that was the end of it. */
static enum status copy_step(struct stream *r, struct batch *b, bool *whole)
{
    size_t n = r->rest.n < STEP_BYTES ? r->rest.n : STEP_BYTES;
    bool got = true;

    keep(b, (struct span){ r->rest.p, n });
    r->rest.p += n;
    r->rest.n -= n;
    if (r->rest.n == 0 && r->now.more) {
        TRY(read_next(r, &got));
        BUG_IF(!got);
    } else {
        *whole = r->rest.n == 0;
    }
    return ST_OK;
}

/* Ends the entry at the last safe place of its text, if there is one behind `seen`. */
static bool cut_entry(struct stream *r, struct batch *b, struct entry *e, size_t *seen)
{
    struct span text = { b->bytes.p + e->text, b->bytes.n - e->text };
    size_t cut = safe_cut(r->s->tokenizer, text, *seen, text.n);

    *seen = text.n > 8 ? text.n - 8 : 0;     /* the next bytes may make one of the last of these */
    if (cut == 0)
        return false;
    buf_add(&r->held, text.p + cut, text.n - cut);
    b->bytes.n = e->text + cut;
    e->text_n = cut;
    r->at += cut;
    return true;
}

/* Puts the open document into the batch, or as much of it as the batch takes. */
static enum status add_text(struct stream *r, struct batch *b)
{
    struct entry *e = batch_add(b, r);
    size_t seen = 0;
    bool whole = false;

    while (!whole) {
        TRY(copy_step(r, b, &whole));
        if (!whole && b->bytes.n >= BATCH_BYTES && cut_entry(r, b, e, &seen))
            return ST_OK;
    }
    e->text_n = b->bytes.n - e->text;
    e->last = true;
    r->inside = false;
    return ST_OK;
}

static enum status fill(struct stream *r, struct batch *b)
{
    while (!r->ended && b->bytes.n < BATCH_BYTES) {
        if (!r->inside) {
            bool got;

            TRY(read_next(r, &got));
            r->ended = !got;
            r->inside = got;
            r->at = 0;
        }
        if (r->inside)
            TRY(add_text(r, b));
    }
    return ST_OK;
}

static enum status produce(void *ctx, void **item)
{
    struct batch *b = batch_new(ctx);
    enum status st;

    st = !stop_requested() ? fill(ctx, b)
                           : fail(ST_INTERRUPTED, "interrupted; nothing was written: run the same "
                                                  "command to begin again");
    *item = b;
    if (st != ST_OK || b->count == 0) {
        batch_free(b);
        *item = NULL;
    }
    return st;
}

/* ---- encoding ---- */

/* Ids that stand for none of the text's bytes. */
static void add_ids(const struct encode_stream *s, struct batch *b, const uint32_t *ids, size_t count,
                    uint64_t at)
{
    for (size_t i = 0; i < count; i++) {
        token_list_add(&b->tokens, ids[i]);
        if (s->ranges)
            *id_ranges_extend(&b->ranges, 1) = (struct id_range){ at, at };
    }
}

static void add_front(const struct encode_stream *s, struct batch *b, const struct entry *e)
{
    struct tokenizer_around around = tokenizer_around(s->tokenizer);

    if (e->first && s->around)
        add_ids(s, b, around.before, around.before_count, 0);
}

static void add_back(const struct encode_stream *s, struct batch *b, const struct entry *e)
{
    struct tokenizer_around around = tokenizer_around(s->tokenizer);
    uint32_t end = (uint32_t)s->end;

    if (e->last && s->around)
        add_ids(s, b, around.behind, around.behind_count, e->text_n);
    if (e->last && s->end >= 0)
        add_ids(s, b, &end, 1, e->text_n);
}

static enum status encode_entry(const struct stream *r, struct encoder *encoder, struct batch *b,
                                struct entry *e)
{
    const struct encode_stream *s = r->s;
    struct span text = { b->bytes.p + e->text, e->text_n };

    e->begin = b->tokens.count;
    add_front(s, b, e);
    encoder_go_on(encoder, e->at > 0);
    if (s->ranges)
        TRY(encoder_encode_ranges(encoder, text, s->specials, &b->tokens, &b->ranges));
    else
        TRY(encoder_encode(encoder, text, s->specials, &b->tokens));
    add_back(s, b, e);
    e->count = b->tokens.count - e->begin;
    for (size_t i = e->begin; s->ranges && i < b->ranges.count; i++) {
        b->ranges.v[i].start += e->at;
        b->ranges.v[i].end += e->at;
    }
    e->shown = b->shown.n;
    if (s->show && e->count > 0)
        s->show(s->ctx, b->tokens.v + e->begin, e->count, &b->shown);
    e->shown_n = b->shown.n - e->shown;
    if (s->count_only)
        b->tokens.count = b->ranges.count = e->begin;
    if (e->first && e->last)
        e->hash = xxh3(text.p, text.n);
    if (!s->own_progress)
        progress_add(text.n);
    return ST_OK;
}

static enum status work(void *ctx, void *item, int worker)
{
    struct stream *r = ctx;
    struct batch *b = item;

    if (r->encoders[worker] == NULL)
        r->encoders[worker] = encoder_new(r->s->tokenizer);
    for (size_t i = 0; i < b->count; i++) {
        enum status st = encode_entry(r, r->encoders[worker], b, &b->entries[i]);

        if (st != ST_OK)
            return r->s->within ? r->s->within(r->s->ctx, b->entries[i].tag, st) : st;
    }
    return ST_OK;
}

/* ---- taking ---- */

static struct encoded_document document_of(const struct stream *r, const struct batch *b,
                                           const struct entry *e)
{
    bool ids = !r->s->count_only;

    return (struct encoded_document){
        .id = { b->bytes.p + e->id, e->id_n },
        .source = { b->bytes.p + e->source, e->source_n },
        .metadata = { b->bytes.p + e->metadata, e->metadata_n },
        .tag = e->tag,
        .text_hash = e->hash,
        .text_bytes = e->at + e->text_n,
        .tokens = ids && b->tokens.v ? b->tokens.v + e->begin : NULL,
        .ranges = ids && r->s->ranges && b->ranges.v ? b->ranges.v + e->begin : NULL,
        .count = e->count,
        .shown = { b->shown.p ? b->shown.p + e->shown : "", e->shown_n },
        .first = e->first,
        .last = e->last,
        .at = e->at,
        .text = { b->bytes.p + e->text, e->text_n },
    };
}

/* Appends a part's ids to those of its document. */
static void join(struct stream *r, const struct encoded_document *d)
{
    r->count = d->first ? d->count : r->count + d->count;
    if (d->first) {
        r->tokens.count = r->ranges.count = 0;
        buf_clear(&r->metadata);
        buf_add(&r->metadata, d->metadata.p, d->metadata.n);
    }
    if (d->tokens) {
        token_list_reserve(&r->tokens, d->count);
        memcpy(r->tokens.v + r->tokens.count, d->tokens, d->count * sizeof *d->tokens);
        r->tokens.count += d->count;
    }
    if (d->ranges)
        memcpy(id_ranges_extend(&r->ranges, d->count), d->ranges, d->count * sizeof *d->ranges);
}

static enum status take_part(struct stream *r, struct encoded_document *d)
{
    xxh3_parts_add(r->hash, d->text.p, d->text.n);
    if (d->last)
        d->text_hash = xxh3_parts_take(r->hash);
    if (r->s->parts)
        return r->s->take(r->s->ctx, d);
    join(r, d);
    if (!d->last)
        return ST_OK;
    d->first = true;
    d->at = 0;
    d->metadata = (struct span){ r->metadata.p, r->metadata.n };
    d->text = d->shown = (struct span){ 0 };
    d->tokens = r->tokens.v;
    d->ranges = r->s->ranges ? r->ranges.v : NULL;
    d->count = r->count;
    return r->s->take(r->s->ctx, d);
}

static enum status consume(void *ctx, void *item)
{
    struct stream *r = ctx;
    struct batch *b = item;
    enum status st = ST_OK;

    for (size_t i = 0; st == ST_OK && i < b->count; i++) {
        struct encoded_document d = document_of(r, b, &b->entries[i]);

        st = d.first && d.last ? r->s->take(r->s->ctx, &d) : take_part(r, &d);
    }
    batch_keep(r, b);
    return st;
}

static void discard(void *ctx, void *item)
{
    batch_free(item);
}

enum status encode_stream(struct pool *pool, const struct encode_stream *s)
{
    struct stream r = { .s = s, .hash = xxh3_parts_new() };
    struct pool_stream work_of = {
        .produce = produce, .work = work, .consume = consume, .discard = discard, .ctx = &r
    };
    enum status st;

    BUG_IF(pthread_mutex_init(&r.lock, NULL) != 0);
    r.encoders = mem_array((size_t)pool_threads(pool), sizeof(struct encoder *));
    st = pool_ordered(pool, &work_of);
    for (int i = 0; i < pool_threads(pool); i++)
        encoder_free(r.encoders[i]);
    free(r.encoders);
    free_kept(&r);
    buf_release(&r.held);
    buf_release(&r.metadata);
    token_list_release(&r.tokens);
    id_ranges_release(&r.ranges);
    xxh3_parts_free(r.hash);
    return st;
}
