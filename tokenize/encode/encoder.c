/* Text to ids: the encoding half of tokenize/tokenizer.h. */
#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/encode/pieces.h"
#include "tokenize/encode/token_nfc.h"
#include "tokenize/tokenizer_part.h"

struct encoder {
    const struct tokenizer *t;
    struct piece_encoder *pieces;
    struct token_nfc nfc;
    struct buf normal;
    struct token_list *out;          /* of the call in hand */
};

struct encoder *encoder_new(const struct tokenizer *t)
{
    struct encoder *e = mem_alloc(sizeof *e);

    e->t = t;
    e->pieces = piece_encoder_new(t);
    return e;
}

void encoder_free(struct encoder *e)
{
    if (e == NULL)
        return;
    piece_encoder_free(e->pieces);
    token_nfc_release(&e->nfc);
    buf_release(&e->normal);
    free(e);
}

void token_list_release(struct token_list *l)
{
    free(l->v);
    *l = (struct token_list){ 0 };
}

void token_list_reserve(struct token_list *l, size_t extra)
{
    if (l->cap - l->count >= extra)
        return;
    l->cap = l->cap * 2 > l->count + extra ? l->cap * 2 : l->count + extra + 64;
    l->v = mem_grow(l->v, l->cap, sizeof *l->v);
}

void token_list_add(struct token_list *l, uint32_t id)
{
    token_list_reserve(l, 1);
    l->v[l->count++] = id;
}

/* ---- added tokens, normalization ---- */

/* A step of work on text without the tokens of the sets before it. */
typedef enum status text_fn(struct encoder *e, struct span text, bool specials);

static enum status cut_added(struct encoder *e, const struct added_set *set, struct span text,
                             bool specials, text_fn *between)
{
    struct added_search search = { .text = text };
    struct added_match m;
    size_t done = 0;

    while (added_set_next(set, &search, specials, &m)) {
        if (m.start > done)
            TRY(between(e, (struct span){ text.p + done, m.start - done }, specials));
        token_list_add(e->out, m.id);
        done = m.end;
    }
    return done < text.n ? between(e, (struct span){ text.p + done, text.n - done }, specials)
                         : ST_OK;
}

static enum status encode_plain(struct encoder *e, struct span text, bool specials)
{
    return piece_encoder_encode(e->pieces, text, e->out);
}

static enum status encode_normal(struct encoder *e, struct span text, bool specials)
{
    const struct tokenizer *t = e->t;

    if (t->nfc && !token_nfc_is_plain(text)) {
        buf_clear(&e->normal);
        token_nfc(&e->nfc, text, &e->normal);
        text = (struct span){ e->normal.p, e->normal.n };
    }
    return cut_added(e, t->added_normal, text, specials, encode_plain);
}

enum status encoder_encode(struct encoder *e, struct span text, bool specials,
                           struct token_list *out)
{
    size_t done = 0;

    e->out = out;
    token_list_reserve(out, text.n / 3);
    while (done < text.n) {
        size_t n = pretok_well_formed((struct span){ text.p + done, text.n - done });

        if (n > 0)
            TRY(cut_added(e, e->t->added_raw, (struct span){ text.p + done, n }, specials,
                          encode_normal));
        done += n;
        if (done < text.n)
            token_list_add(out, e->t->byte_id[(unsigned char)text.p[done++]]);
    }
    return ST_OK;
}
