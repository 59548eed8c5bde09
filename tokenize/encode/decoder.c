/* Ids to text: the decoding half of tokenize/tokenizer.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/encode/text_stream.h"
#include "tokenize/tokenizer_part.h"

#define BATCH ((size_t)1024)         /* ids for which room is made at once */

void decoder_prepare(struct tokenizer *t)
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

static enum status unknown_id(const struct tokenizer *t, uint32_t id, size_t place)
{
    return fail(ST_LIMIT,
                "id %" PRIu32 " at place %zu is not in the vocabulary (ids 0 to %" PRIu32 "%s)", id,
                place, t->vocab - 1, id < t->vocab ? ", with gaps" : "");
}

/* An id of any kind; out keeps its room. */
static enum status decode_one(const struct tokenizer *t, uint32_t id, size_t place, struct buf *out)
{
    if (id >= t->vocab || t->bytes[id].p == NULL)
        return unknown_id(t, id, place);
    buf_add(out, t->bytes[id].p, t->bytes[id].n);
    buf_reserve(out, BATCH * sizeof(struct short_token));
    return ST_OK;
}

/* At most BATCH ids. Each short token is one copy of its whole slot, of which its bytes count. */
static enum status decode_batch(const struct tokenizer *t, const uint32_t *ids, size_t count,
                                size_t place, bool skip_special, struct buf *out)
{
    buf_reserve(out, BATCH * sizeof(struct short_token));
    for (size_t i = 0; i < count; i++) {
        const struct short_token *s;

        if (ids[i] >= t->vocab)
            return unknown_id(t, ids[i], place + i);
        if (skip_special && t->special[ids[i]])
            continue;
        s = t->short_bytes ? &t->short_bytes[ids[i]] : NULL;
        if (s && s->n > 0) {
            memcpy(out->p + out->n, s, sizeof *s);
            out->n += s->n;
        } else {
            TRY(decode_one(t, ids[i], place + i, out));
        }
    }
    return ST_OK;
}

/* Where the place of a token in the text matters. */
static enum status decode_steps(struct step_decoder *d, const uint32_t *ids, size_t count,
                                struct buf *out)
{
    for (size_t i = 0; i < count; i++)
        TRY(step_decoder_add(d, ids[i], out));
    return ST_OK;
}

enum status tokenizer_decode(const struct tokenizer *t, const uint32_t *ids, size_t count,
                             bool skip_special, struct buf *out)
{
    enum status st = ST_OK;

    if (!step_decoder_is_plain(t)) {
        struct step_decoder d = { .t = t, .skip_special = skip_special };

        st = decode_steps(&d, ids, count, out);
        step_decoder_end(&d, out);
        return st;
    }
    for (size_t i = 0; st == ST_OK && i < count; i += BATCH)
        st = decode_batch(t, ids + i, count - i < BATCH ? count - i : BATCH, i, skip_special, out);
    if (out->p)
        out->p[out->n] = 0;
    return st;
}

/* ---- a few at a time ---- */

struct decoder {
    const struct tokenizer *t;
    struct decoder_args args;
    struct step_decoder steps;       /* unless the text is just the tokens' bytes */
    struct text_stream stream;       /* without repair only what it holds back */
    struct buf bytes;
};

struct decoder *decoder_new(const struct tokenizer *t, const struct decoder_args *args)
{
    struct decoder *d = mem_alloc(sizeof *d);

    d->t = t;
    d->args = *args;
    d->steps = (struct step_decoder){ .t = t, .skip_special = args->skip_special };
    return d;
}

void decoder_free(struct decoder *d)
{
    if (d == NULL)
        return;
    buf_release(&d->bytes);
    buf_release(&d->steps.held);
    free(d);
}

/* Takes the beginning of a character off the end of out, of which only bytes from `first` on
 * count. */
static void hold_back(struct decoder *d, struct buf *out, size_t first)
{
    size_t tail = text_stream_open(out->p + first, out->n - first);

    if (tail > 0)
        memcpy(d->stream.held, out->p + out->n - tail, tail);
    d->stream.count = tail;
    out->n -= tail;
    out->p[out->n] = 0;
}

static enum status decode_some(struct decoder *d, const uint32_t *ids, size_t count,
                               struct buf *out)
{
    return step_decoder_is_plain(d->t)
               ? tokenizer_decode(d->t, ids, count, d->args.skip_special, out)
               : decode_steps(&d->steps, ids, count, out);
}

enum status decoder_add(struct decoder *d, const uint32_t *ids, size_t count, struct buf *out)
{
    size_t first = out->n;
    enum status st;

    if (d->args.repair) {
        buf_clear(&d->bytes);
        st = decode_some(d, ids, count, &d->bytes);
        text_stream_add(&d->stream, (struct span){ d->bytes.p, d->bytes.n }, out);
        return st;
    }
    buf_add(out, d->stream.held, d->stream.count);
    st = decode_some(d, ids, count, out);
    hold_back(d, out, first);
    return st;
}

void decoder_end(struct decoder *d, struct buf *out)
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
}
