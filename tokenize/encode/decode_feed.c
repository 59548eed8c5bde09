/* Ids to text: the decoding half of tokenize/tokenizer.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/encode/text_stream.h"
#include "tokenize/tokenizer_part.h"

#define BATCH ((size_t)1024)         /* ids for which room is made at once */

struct id_span {
    const uint32_t *v;
    size_t count;
    uint64_t place;                  /* of the first in the text, for messages */
};

void short_tokens_make(struct tokenizer *t)
{
    t->short_bytes = mem_array(t->vocab, sizeof *t->short_bytes);
    for (uint32_t id = 0; id < t->vocab; id++) {
        struct span bytes = t->bytes[id];

        if (bytes.p == NULL || bytes.n > SHORT_TOKEN)
            continue;
        memcpy(t->short_bytes[id].p, bytes.p, bytes.n);
        t->short_bytes[id].n = (uint8_t)bytes.n;
    }
}

static enum status unknown_id(const struct tokenizer *t, uint32_t id, uint64_t place)
{
    return fail(ST_LIMIT,
                "id %" PRIu32 " at place %" PRIu64 " is not in the vocabulary (ids 0 to %" PRIu32 "%s)", id,
                place, t->vocab - 1, id < t->vocab ? ", with gaps" : "");
}

/* An id of any kind; out keeps its room. */
static enum status decode_one(const struct tokenizer *t, uint32_t id, uint64_t place, struct buf *out)
{
    if (id >= t->vocab || t->bytes[id].p == NULL)
        return unknown_id(t, id, place);
    buf_add(out, t->bytes[id].p, t->bytes[id].n);
    buf_reserve(out, BATCH * sizeof(struct short_token));
    return ST_OK;
}

/* At most BATCH ids. Each short token is one copy of its whole slot, of which its bytes count. */
static enum status decode_batch(const struct tokenizer *t, struct id_span ids, bool skip_special,
                                struct buf *out)
{
    buf_reserve(out, BATCH * sizeof(struct short_token));
    for (size_t i = 0; i < ids.count; i++) {
        uint32_t id = ids.v[i];
        const struct short_token *s;

        if (id >= t->vocab)
            return unknown_id(t, id, ids.place + i);
        if (skip_special && t->special[id])
            continue;
        s = t->short_bytes ? &t->short_bytes[id] : NULL;
        if (s && s->n > 0) {
            memcpy(out->p + out->n, s, sizeof *s);
            out->n += s->n;
        } else {
            TRY(decode_one(t, id, ids.place + i, out));
        }
    }
    return ST_OK;
}

static enum status decode_plain(const struct tokenizer *t, struct id_span ids, bool skip_special,
                                struct buf *out)
{
    enum status st = ST_OK;

    while (st == ST_OK && ids.count > 0) {
        struct id_span batch = { ids.v, ids.count < BATCH ? ids.count : BATCH, ids.place };

        st = decode_batch(t, batch, skip_special, out);
        ids = (struct id_span){ ids.v + batch.count, ids.count - batch.count, ids.place + batch.count };
    }
    if (out->p)
        out->p[out->n] = 0;
    return st;
}

/* Where the place of a token in the text matters. */
static enum status decode_steps(struct step_decoder *d, struct id_span ids, struct buf *out)
{
    for (size_t i = 0; i < ids.count; i++)
        TRY(step_decoder_add(d, ids.v[i], out));
    return ST_OK;
}

enum status tokenizer_decode(const struct tokenizer *t, const uint32_t *ids, size_t count,
                             bool skip_special, struct buf *out)
{
    struct id_span all = { ids, count, 0 };
    struct step_decoder d = { .t = t, .skip_special = skip_special };
    enum status st;

    if (step_decoder_is_plain(t))
        return decode_plain(t, all, skip_special, out);
    st = decode_steps(&d, all, out);
    step_decoder_end(&d, out);
    return st;
}

/* ---- a few at a time ---- */

struct decode_feed {
    const struct tokenizer *t;
    struct decode_feed_args args;
    struct step_decoder steps;       /* unless the text is just the tokens' bytes */
    struct text_stream stream;       /* without repair only what it holds back */
    struct buf bytes;
    uint64_t place;                  /* ids so far */
};

struct decode_feed *decode_feed_new(const struct tokenizer *t, const struct decode_feed_args *args)
{
    struct decode_feed *d = mem_alloc(sizeof *d);

    d->t = t;
    d->args = *args;
    d->steps = (struct step_decoder){ .t = t, .skip_special = args->skip_special };
    return d;
}

void decode_feed_free(struct decode_feed *d)
{
    if (d == NULL)
        return;
    buf_release(&d->bytes);
    buf_release(&d->steps.held);
    free(d);
}

/* Takes the beginning of a character off the end of out, of which only bytes from `first` on
 * count. */
static void hold_back(struct decode_feed *d, struct buf *out, size_t first)
{
    size_t tail = text_stream_open(out->p + first, out->n - first);

    if (tail > 0)
        memcpy(d->stream.held, out->p + out->n - tail, tail);
    d->stream.count = tail;
    out->n -= tail;
    out->p[out->n] = 0;
}

static enum status decode_some(struct decode_feed *d, struct id_span ids, struct buf *out)
{
    return step_decoder_is_plain(d->t) ? decode_plain(d->t, ids, d->args.skip_special, out)
                                       : decode_steps(&d->steps, ids, out);
}

enum status decode_feed_add(struct decode_feed *d, const uint32_t *ids, size_t count,
                            struct buf *out)
{
    struct id_span given = { ids, count, d->place };
    size_t first = out->n;
    enum status st;

    d->place += count;
    if (d->args.repair) {
        buf_clear(&d->bytes);
        st = decode_some(d, given, &d->bytes);
        text_stream_add(&d->stream, (struct span){ d->bytes.p, d->bytes.n }, out);
        return st;
    }
    buf_add(out, d->stream.held, d->stream.count);
    st = decode_some(d, given, out);
    hold_back(d, out, first);
    return st;
}

void decode_feed_end(struct decode_feed *d, struct buf *out)
{
    buf_clear(&d->bytes);
    step_decoder_end(&d->steps, &d->bytes);
    if (d->args.repair) {
        text_stream_add(&d->stream, (struct span){ d->bytes.p, d->bytes.n }, out);
        text_stream_end(&d->stream, out);
    } else {
        buf_add(out, d->stream.held, d->stream.count);
        buf_add(out, d->bytes.p, d->bytes.n);
    }
    d->stream.count = 0;
    d->place = 0;
}
