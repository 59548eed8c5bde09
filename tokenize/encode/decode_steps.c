#include "tokenize/encode/decode_steps.h"

#include <inttypes.h>

#include "store/formats/byte_level.h"
#include "tokenize/tokenizer_part.h"

/* ---- one token ---- */

static void replace(struct span text, struct span from, struct span to, struct buf *out)
{
    const char *p = text.p, *end = text.p + text.n, *at;

    while (from.n > 0 && p < end &&
           (at = memmem(p, (size_t)(end - p), from.p, from.n)) != NULL) {
        buf_add(out, p, (size_t)(at - p));
        buf_add(out, to.p, to.n);
        p = at + from.n;
    }
    buf_add(out, p, (size_t)(end - p));
}

static bool ends_with(struct span text, struct span what)
{
    return what.n > 0 && text.n >= what.n &&
           memcmp(text.p + text.n - what.n, what.p, what.n) == 0;
}

static bool begins_with(struct span text, struct span what)
{
    return what.n > 0 && text.n >= what.n && memcmp(text.p, what.p, what.n) == 0;
}

static struct span strip(const struct decode_step *s, struct span text)
{
    for (size_t i = 0; i < s->start && begins_with(text, s->from); i++) {
        text.p += s->from.n;
        text.n -= s->from.n;
    }
    for (size_t i = 0; i < s->stop && ends_with(text, s->from); i++)
        text.n -= s->from.n;
    return text;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f'                                ? c - 'a' + 10
                                                                 : -1;
}

static bool is_byte(struct span t, char *byte)
{
    int high, low;

    if (t.n != 6 || memcmp(t.p, "<0x", 3) != 0 || t.p[5] != '>')
        return false;
    high = hex_digit(t.p[3]);
    low = hex_digit(t.p[4]);
    *byte = (char)(high * 16 + low);
    return high >= 0 && low >= 0;
}

/* What BERT's decoder does to spaces before punctuation and contractions. */
static void clean_up(struct buf *text)
{
    static const char *const rules[][2] = {
        { " .", "." },   { " ?", "?" },     { " !", "!" },     { " ,", "," },     { " ' ", "'" },
        { " n't", "n't" }, { " 'm", "'m" }, { " do not", " don't" }, { " 's", "'s" },
        { " 've", "'ve" }, { " 're", "'re" },
    };

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct buf next = { 0 };

        replace((struct span){ text->p ? text->p : "", text->n }, span_of(rules[i][0]),
                span_of(rules[i][1]), &next);
        buf_release(text);
        *text = next;
    }
}

static void word_piece(const struct decode_step *s, struct span text, bool first, struct buf *out)
{
    bool inner = !first && begins_with(text, s->from);

    if (!first && !inner)
        buf_addc(out, ' ');
    buf_add(out, text.p + (inner ? s->from.n : 0), text.n - (inner ? s->from.n : 0));
    if (s->cleanup)
        clean_up(out);
}

static void token_step(const struct decode_step *s, struct span text, bool first, bool last,
                       struct buf *out)
{
    struct span space = { " ", 1 }, none = { "", 0 };
    char byte;

    switch (s->kind) {
    case DECODE_BYTE_LEVEL:
        if (!byte_level_scan(out, text))
            buf_add(out, text.p, text.n);
        break;
    case DECODE_REPLACE: replace(text, s->from, s->to, out); break;
    case DECODE_BYTE_FALLBACK:
        if (is_byte(text, &byte))
            buf_addc(out, byte);
        else
            buf_add(out, text.p, text.n);
        break;
    case DECODE_STRIP:
        text = strip(s, text);
        buf_add(out, text.p, text.n);
        break;
    case DECODE_METASPACE: replace(text, s->from, first && s->first ? none : space, out); break;
    case DECODE_WORD_PIECE: word_piece(s, text, first, out); break;
    case DECODE_BPE: replace(text, s->from, last ? none : space, out); break;
    default:
        if (s->kind == DECODE_SPACES && !first)
            buf_addc(out, ' ');
        buf_add(out, text.p, text.n);
    }
}

void decode_steps_token(const struct decode_steps *d, struct span token, bool first, bool last,
                   struct buf *out)
{
    struct buf one = { 0 }, other = { 0 };

    for (size_t i = 0; i < d->fuse; i++) {
        struct buf swap = one;

        buf_clear(&other);
        token_step(&d->steps[i], token, first, last, &other);
        one = other;
        other = swap;
        token = (struct span){ one.p ? one.p : "", one.n };
    }
    buf_add(out, token.p, token.n);
    buf_release(&one);
    buf_release(&other);
}

enum status decode_steps_finish(struct decode_steps *d, const char *what)
{
    size_t strips = 0;

    for (d->fuse = 0; d->fuse < d->count; d->fuse++) {
        const struct decode_step *s = &d->steps[d->fuse];

        if (s->kind == DECODE_FUSE)
            break;
        if (s->kind == DECODE_BYTE_LEVEL) {     /* the tokens become one */
            d->fuse++;
            break;
        }
        d->first = d->first || s->kind == DECODE_WORD_PIECE || s->kind == DECODE_SPACES ||
                   (s->kind == DECODE_METASPACE && s->first);
        d->last = d->last || s->kind == DECODE_BPE;
    }
    for (size_t i = d->fuse; i < d->count; i++) {
        strips += d->steps[i].kind == DECODE_STRIP;
        if ((d->steps[i].kind != DECODE_FUSE && d->steps[i].kind != DECODE_STRIP) || strips > 1)
            return fail(ST_UNSUPPORTED,
                        "'%s': the decoder has a step behind Fuse or ByteLevel that is not one "
                        "Strip; this program decodes token by token and cannot do it",
                        what);
    }
    return ST_OK;
}

/* ---- token after token ---- */

bool step_decoder_is_plain(const struct tokenizer *t)
{
    const struct decode_steps *d = t->decode;

    if (d == NULL)
        return true;
    for (size_t i = d->fuse; i < d->count; i++)
        if (d->steps[i].kind == DECODE_STRIP && d->steps[i].from.n > 0 &&
            d->steps[i].start + d->steps[i].stop > 0)
            return false;
    return !d->first && !d->last;
}

static const struct decode_step *text_strip(const struct decode_steps *d)
{
    for (size_t i = d->fuse; i < d->count; i++)
        if (d->steps[i].kind == DECODE_STRIP)
            return &d->steps[i];
    return NULL;
}

/* What may be the end that is stripped, or a beginning that is not whole yet, waits. */
static void give(struct step_decoder *d, struct span text, struct buf *out)
{
    const struct decode_step *s = text_strip(d->t->decode);
    size_t keep;

    if (s == NULL || s->from.n == 0) {
        buf_add(out, text.p, text.n);
        return;
    }
    buf_add(&d->held, text.p, text.n);
    text = (struct span){ d->held.p, d->held.n };
    while (!d->inside && d->stripped < s->start && begins_with(text, s->from)) {
        text.p += s->from.n;
        text.n -= s->from.n;
        d->stripped++;
    }
    d->inside = d->inside || d->stripped == s->start || text.n >= s->from.n;
    keep = !d->inside || text.n < s->stop * s->from.n ? text.n : s->stop * s->from.n;
    buf_add(out, text.p, text.n - keep);
    memmove(d->held.p, text.p + text.n - keep, keep);
    d->held.n = keep;
}

static void give_token(struct step_decoder *d, uint32_t id, bool last, struct buf *out)
{
    const struct tokenizer *t = d->t;
    bool first = !d->begun;

    d->begun = true;
    if ((first && t->decode->first) || (last && t->decode->last)) {
        struct buf bytes = { 0 };

        decode_steps_token(t->decode, t->raw[id], first, last, &bytes);
        give(d, (struct span){ bytes.p ? bytes.p : "", bytes.n }, out);
        buf_release(&bytes);
    } else {
        give(d, t->bytes[id], out);
    }
}

enum status step_decoder_add(struct step_decoder *d, uint32_t id, struct buf *out)
{
    const struct tokenizer *t = d->t;

    if (id >= t->vocab || t->bytes[id].p == NULL)
        return fail(ST_LIMIT,
                    "id %" PRIu32 " at place %zu is not in the vocabulary (ids 0 to %" PRIu32 "%s)",
                    id, d->count, t->vocab - 1, id < t->vocab ? ", with gaps" : "");
    d->count++;
    if (d->skip_special && t->special[id])
        return ST_OK;
    if (t->decode == NULL) {
        buf_add(out, t->bytes[id].p, t->bytes[id].n);
        return ST_OK;
    }
    if (!t->decode->last) {
        give_token(d, id, false, out);
        return ST_OK;
    }
    if (d->waiting)
        give_token(d, d->id, false, out);
    d->waiting = true;
    d->id = id;
    return ST_OK;
}

void step_decoder_end(struct step_decoder *d, struct buf *out)
{
    const struct decode_step *s;
    struct span rest;

    if (d->t->decode != NULL) {
        if (d->waiting)
            give_token(d, d->id, true, out);
        s = text_strip(d->t->decode);
        rest = (struct span){ d->held.p ? d->held.p : "", d->held.n };
        for (size_t i = 0; s != NULL && i < s->stop && ends_with(rest, s->from); i++)
            rest.n -= s->from.n;
        buf_add(out, rest.p, rest.n);
    }
    buf_release(&d->held);
    *d = (struct step_decoder){ .t = d->t, .skip_special = d->skip_special };
}
