#include "tokenize/learn/train_text.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/progress.h"
#include "base/stop.h"
#include "tokenize/encode/token_nfc.h"

#define BATCH_BYTES ((size_t)1 << 20)
#define BATCH_LEAST ((size_t)64 << 10)

struct batch {
    struct buf text;
    size_t *ends;            /* of the texts in it */
    size_t count, cap;
    struct train_text_totals found;
};
struct stream {
    const struct train_text_args *args;
    size_t batch_bytes;              /* the same on all ranks */
    bool drops;                      /* the pattern leaves pieces out */
    uint64_t batches;                /* so far, all ranks' */
    struct pretok_run **runs;        /* one a worker */
    struct normal_text {
        struct token_nfc scratch;
        struct buf text;
    } *normal;                       /* one a worker */
    struct span rest;                /* of the document in hand */
    bool ended;
    struct train_text_totals *totals;
};

static void batch_free(struct batch *b)
{
    buf_release(&b->text);
    free(b->ends);
    free(b);
}

static void batch_clear(struct batch *b)
{
    buf_clear(&b->text);
    b->count = 0;
}

static void batch_add(struct batch *b, struct span text)
{
    if (b->count == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 64;
        b->ends = mem_grow(b->ends, b->cap, sizeof *b->ends);
    }
    buf_add(&b->text, text.p, text.n);
    b->ends[b->count++] = b->text.n;
}

static enum status next_document(struct stream *r)
{
    struct document d;
    bool got;

    TRY(corpus_text_next(r->args->corpus, &d, &got));
    r->ended = !got;
    if (got) {
        r->rest = d.text;
        r->totals->documents++;
        r->totals->bytes += d.text.n;
    }
    return ST_OK;
}

static enum status fill(struct stream *r, struct batch *b)
{
    if (stop_requested())
        return fail(ST_INTERRUPTED,
                    "interrupted; nothing was written: run the same command to begin again");
    while (b->text.n < r->batch_bytes) {
        size_t n = r->rest.n;

        if (n == 0) {
            TRY(next_document(r));
            if (r->ended)
                return ST_OK;
            continue;
        }
        if (n > r->batch_bytes)
            n = pretok_safe_cut(r->args->pretok, r->rest, r->batch_bytes);
        n = n ? n : r->rest.n;
        batch_add(b, (struct span){ r->rest.p, n });
        r->rest = (struct span){ r->rest.p + n, r->rest.n - n };
        corpus_text_forget(r->args->corpus, r->rest.p);
    }
    return ST_OK;
}

static void pass_over(struct batch *b)
{
    progress_add(b->text.n);
    batch_clear(b);
}

/* Batches are dealt to the ranks in turn; each makes them all and passes over the others'. */
static enum status fill_own(struct stream *r, struct batch *b)
{
    uint64_t ranks = (uint64_t)comm_size(r->args->comm), rank = (uint64_t)comm_rank(r->args->comm);

    do {
        pass_over(b);
        TRY(fill(r, b));
    } while (!r->ended && r->batches++ % ranks != rank);
    if (r->ended && r->batches % ranks != rank)
        pass_over(b);
    buf_reserve(&b->text, COUNT_PADDING);
    memset(b->text.p + b->text.n, 0, COUNT_PADDING);
    return ST_OK;
}

static enum status produce(void *ctx, void **item)
{
    struct stream *r = ctx;
    struct batch *b = mem_alloc(sizeof *b);
    enum status st = r->ended ? ST_OK : fill_own(r, b);

    *item = b;
    if (st != ST_OK || b->count == 0) {
        batch_free(b);
        *item = NULL;
    }
    return st;
}

/* The pieces that a pattern of PRETOK_REMOVED leaves in. */
static enum status count_left_in(struct stream *r, const struct bpe_pieces *p, int worker)
{
    struct bpe_pieces one = { .text = p->text, .from = p->from, .n = 1 };

    for (size_t i = 0; i < p->n; i++) {
        uint32_t end = p->ends[i] & ~PRETOK_DROPPED;

        one.ends = &end;
        if (end == p->ends[i])
            TRY(bpe_counter_add(r->args->counter, worker, &one));
        one.from = end;
    }
    return ST_OK;
}

static enum status count_pieces(struct stream *r, struct span text, int worker, uint64_t *pieces)
{
    struct bpe_pieces p = { .text = text.p };

    if (text.n > PRETOK_TEXT_MAX)
        return fail(ST_LIMIT, "a text of %zu bytes; want less than 2 GiB", text.n);
    pretok_begin(r->runs[worker], text);
    for (;;) {
        TRY(pretok_next(r->runs[worker], &p.ends, &p.n));
        if (p.n == 0)
            return ST_OK;
        *pieces += p.n;
        TRY(r->drops ? count_left_in(r, &p, worker)
                     : bpe_counter_add(r->args->counter, worker, &p));
        p.from = p.ends[p.n - 1] & ~PRETOK_DROPPED;
    }
}

/* Pieces are counted with bytes behind them that may be read. */
static struct span normalized(struct stream *r, struct span text, int worker)
{
    struct normal_text *n = &r->normal[worker];

    if (!r->args->nfc || token_nfc_is_plain(text, FORM_NFC))
        return text;
    buf_clear(&n->text);
    token_nfc(&n->scratch, text, FORM_NFC, &n->text);
    text.n = n->text.n;
    buf_add(&n->text, (char[COUNT_PADDING]){ 0 }, COUNT_PADDING);
    return (struct span){ n->text.p, text.n };
}

static enum status count_text(struct stream *r, struct batch *b, struct span text, int worker)
{
    size_t done = 0;

    while (done < text.n) {
        struct span good = { text.p + done, text.n - done };

        good.n = pretok_well_formed(good);
        TRY(count_pieces(r, normalized(r, good, worker), worker, &b->found.pieces));
        done += good.n;
        if (done < text.n) {
            b->found.other_bytes++;
            done++;
        }
    }
    return ST_OK;
}

static enum status work(void *ctx, void *item, int worker)
{
    struct stream *r = ctx;
    struct batch *b = item;
    size_t from = 0;

    if (r->runs[worker] == NULL)
        r->runs[worker] = pretok_run_new(r->args->pretok);
    for (size_t i = 0; i < b->count; i++) {
        TRY(count_text(r, b, (struct span){ b->text.p + from, b->ends[i] - from }, worker));
        from = b->ends[i];
    }
    progress_add(b->text.n);
    return ST_OK;
}

static enum status consume(void *ctx, void *item)
{
    struct stream *r = ctx;
    struct batch *b = item;

    r->totals->pieces += b->found.pieces;
    r->totals->other_bytes += b->found.other_bytes;
    batch_free(b);
    return ST_OK;
}

static void discard(void *ctx, void *item)
{
    batch_free(item);
}

/* The least of what the ranks can hold: all make the same batches, or text would be counted twice or
 * not at all. */
static enum status agree_batch_bytes(const struct train_text_args *a, size_t *out)
{
    uint64_t each = a->memory / ((uint64_t)pool_threads(a->pool) * 2 + 2);
    int64_t least = each > BATCH_BYTES ? -(int64_t)BATCH_BYTES : -(int64_t)each;     /* negative */

    TRY(comm_all_reduce(a->comm, &(struct comm_buffer){ .p = &least, .count = 1, .type = COMM_I64 },
                        COMM_MAX));
    *out = (size_t)-least < BATCH_LEAST ? BATCH_LEAST : (size_t)-least;
    return ST_OK;
}

enum status train_text_count(const struct train_text_args *args, struct train_text_totals *totals)
{
    struct stream r = { .args = args, .totals = totals };
    struct pool_stream stream = { .produce = produce,
                                  .work = work,
                                  .consume = consume,
                                  .discard = discard,
                                  .ctx = &r,
                                  .in_flight = (size_t)pool_threads(args->pool) * 2 };
    enum status st;

    *totals = (struct train_text_totals){ 0 };
    TRY(agree_batch_bytes(args, &r.batch_bytes));
    r.drops = pretok_drops(args->pretok);
    r.normal = mem_array((size_t)pool_threads(args->pool), sizeof *r.normal);
    r.runs = mem_array((size_t)pool_threads(args->pool), sizeof(struct pretok_run *));
    st = pool_ordered(args->pool, &stream);
    for (int i = 0; i < pool_threads(args->pool); i++) {
        pretok_run_free(r.runs[i]);
        token_nfc_release(&r.normal[i].scratch);
        buf_release(&r.normal[i].text);
    }
    free(r.runs);
    free(r.normal);
    return st;
}
