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
    if (o->v == NULL || o->cap - o->count < n) {
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

/* Wherever safe_cut() cuts, no part that changes goes on, so origins do not depend on cuts. */
void token_nfc_with_origin(struct token_nfc *s, struct span text, struct buf *out,
                           struct text_origin *o)
{
    struct nfc_part part;
    size_t done = 0;

    BUG_IF(text.n > UINT32_MAX);
    while (token_nfc_next(s, text, done, &part)) {
        struct span old = { text.p + part.first, part.end - part.first };
        size_t before;

        buf_add(out, text.p + done, part.first - done);
        text_origin_keep(o, done, part.first - done);
        before = out->n;
        token_nfc_part(s, old, out);
        if (out->n - before == old.n && memcmp(out->p + before, old.p, old.n) == 0)
            text_origin_keep(o, part.first, old.n);
        else
            text_origin_change(o, out->n - before, part.first, part.end);
        done = part.end;
    }
    buf_add(out, text.p + done, text.n - done);
    text_origin_keep(o, done, text.n - done);
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
