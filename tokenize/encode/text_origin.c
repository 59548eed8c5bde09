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
