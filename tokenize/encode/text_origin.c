#include "tokenize/encode/text_origin.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/status.h"

void text_origin_release(struct text_origin *o)
{
    free(o->v);
    *o = (struct text_origin){ 0 };
}

static struct text_origin_byte *extend(struct text_origin *o, size_t n)
{
    if (o->cap - o->count < n) {
        o->cap = o->cap * 2 > o->count + n ? o->cap * 2 : o->count + n + 64;
        o->v = mem_grow(o->v, o->cap, sizeof *o->v);
    }
    o->count += n;
    return o->v + o->count - n;
}

void text_origin_keep(struct text_origin *o, size_t from, size_t n)
{
    struct text_origin_byte *v = extend(o, n);

    for (size_t i = 0; i < n; i++)
        v[i] = (struct text_origin_byte){ (uint32_t)(from + i), (uint32_t)(from + i + 1) };
}

void text_origin_change(struct text_origin *o, size_t n, size_t from, size_t to)
{
    struct text_origin_byte *v = extend(o, n);

    for (size_t i = 0; i < n; i++)
        v[i] = (struct text_origin_byte){ (uint32_t)from, (uint32_t)to };
}

/* Characters that begin something new for NFC: what they decompose to begins with a starter that
 * composes with nothing before it. All below U+0300, and blocks that hold no mark. */
static bool begins_part(uint32_t c)
{
    return c < 0x300 || (c >= 0x370 && c < 0x483) || (c >= 0x2000 && c < 0x20D0) ||
           (c >= 0x3000 && c < 0x302A) || (c >= 0x3041 && c < 0x3099) || (c >= 0x30A0 && c < 0xA000) ||
           (c >= 0xAC00 && c < 0xD7A4) || (c >= 0xFF00 && c < 0xFFF0) || (c >= 0x1F300 && c < 0x1FB00);
}

/* Where the part that begins at `at` ends. */
static size_t part_end(struct span text, size_t at)
{
    uint32_t cp = 0;

    at += utf8_decode(text.p + at, text.p + text.n, &cp);
    while (at < text.n) {
        size_t n = utf8_decode(text.p + at, text.p + text.n, &cp);

        if (begins_part(cp))
            return at;
        at += n;
    }
    return at;
}

void token_nfc_with_origin(struct token_nfc *s, struct span text, struct buf *out,
                           struct text_origin *o)
{
    BUG_IF(text.n > UINT32_MAX);
    for (size_t at = 0; at < text.n;) {
        size_t end = part_end(text, at), before = out->n;

        token_nfc(s, (struct span){ text.p + at, end - at }, FORM_NFC, out);
        if (out->n - before == end - at && memcmp(out->p + before, text.p + at, end - at) == 0)
            text_origin_keep(o, at, end - at);
        else
            text_origin_change(o, out->n - before, at, end);
        at = end;
    }
}

/* ---- a normalizer's steps ---- */

/* Bytes [from, to) of the text before the step became n bytes; at `from` if there are none. */
static void add_from(struct text_origin *o, size_t n, const struct text_origin *before, size_t from,
                     size_t to)
{
    const struct text_origin_byte *v = before->v;

    if (to > from)
        text_origin_change(o, n, v[from].from, v[to - 1].to);
    else
        text_origin_change(o, n, v[from].from, v[from].from);
}

static void add_same(struct text_origin *o, const struct text_origin *before, size_t from, size_t to)
{
    if (to > from)
        memcpy(extend(o, to - from), before->v + from, (to - from) * sizeof *o->v);
}

static void prepend_with_origin(struct span text, const struct text_origin *before,
                                const struct normal_step *s, struct buf *out, struct text_origin *o)
{
    bool there = text.n >= s->to.n && memcmp(text.p, s->to.p, s->to.n) == 0;

    if (s->kind == NORMAL_PREPEND || !there) {
        buf_add(out, s->to.p, s->to.n);
        add_from(o, s->to.n, before, 0, 0);
    }
    buf_add(out, text.p, text.n);
    add_same(o, before, 0, text.n);
}

static void replace_with_origin(struct span text, const struct text_origin *before,
                                const struct normal_step *s, struct buf *out, struct text_origin *o)
{
    size_t done = 0;
    const char *at;

    while (s->from.n > 0 && (at = memmem(text.p + done, text.n - done, s->from.p, s->from.n)) != NULL) {
        size_t from = (size_t)(at - text.p), to = from + s->from.n;

        buf_add(out, text.p + done, from - done);
        add_same(o, before, done, from);
        buf_add(out, s->to.p, s->to.n);
        add_from(o, s->to.n, before, from, to);
        done = to;
    }
    buf_add(out, text.p + done, text.n - done);
    add_same(o, before, done, text.n);
}

static void nfc_with_origin(struct token_nfc *nfc, struct span text, const struct text_origin *before,
                            struct buf *out, struct text_origin *o)
{
    struct text_origin made = { 0 };

    token_nfc_with_origin(nfc, text, out, &made);
    for (size_t i = 0; i < made.count; i++)
        add_from(o, 1, before, made.v[i].from, made.v[i].to);
    text_origin_release(&made);
}

static enum status step_with_origin(const struct normal_step *s, struct token_nfc *nfc,
                                    struct origin_text of, const struct text_origin *before,
                                    struct buf *out, struct text_origin *o)
{
    bool elsewhere = s->kind == NORMAL_PREPEND_UNLESS && s->first_only && !of.first;

    if (elsewhere) {
        buf_add(out, of.text.p, of.text.n);
        add_same(o, before, 0, of.text.n);
    } else if (s->kind == NORMAL_PREPEND || s->kind == NORMAL_PREPEND_UNLESS) {
        prepend_with_origin(of.text, before, s, out, o);
    } else if (s->kind == NORMAL_REPLACE) {
        replace_with_origin(of.text, before, s, out, o);
    } else if (s->kind == NORMAL_FORM && s->form == FORM_NFC) {
        nfc_with_origin(nfc, of.text, before, out, o);
    } else {
        return fail(ST_UNSUPPORTED, "places of ids in the text are not known for a normalizer other "
                                    "than Prepend, Replace of a fixed text, and NFC");
    }
    return ST_OK;
}

enum status text_origin_normalize(const struct normalizer *n, struct token_nfc *nfc,
                                  struct origin_text text, struct buf *out, struct text_origin *o)
{
    struct buf other = { 0 };
    struct text_origin before = { 0 };
    enum status st = ST_OK;

    buf_add(out, text.text.p, text.text.n);
    text_origin_keep(o, 0, text.text.n);
    for (size_t i = 0; st == ST_OK && i < normalizer_count(n) && out->n > 0; i++) {
        struct buf swap = other;
        struct text_origin swapped = before;

        other = *out;
        before = *o;
        *out = swap;
        *o = swapped;
        buf_clear(out);
        o->count = 0;
        st = other.n > UINT32_MAX
                 ? fail(ST_LIMIT, "%zu bytes of text to normalize; want less than 4 GiB", other.n)
                 : step_with_origin(normalizer_step(n, i), nfc,
                                    (struct origin_text){ { other.p, other.n }, text.first }, &before,
                                    out, o);
    }
    buf_release(&other);
    text_origin_release(&before);
    return st;
}
