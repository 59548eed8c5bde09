/* Text to ids: the encoding half of tokenize/tokenizer.h. */
#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/piece_cache.h"
#include "tokenize/token_nfc.h"
#include "tokenize/tokenizer_part.h"

#define PIECE_LIMIT ((size_t)1 << 31)

struct encoder {
    const struct tokenizer *t;
    struct pretok_run *pretok;
    struct bpe_scratch merge;
    struct piece_cache *cache;
    struct token_nfc nfc;
    struct buf normal;
    struct token_list *out;          /* of the call in hand */
};

struct encoder *encoder_new(const struct tokenizer *t)
{
    struct encoder *e = mem_alloc(sizeof *e);

    e->t = t;
    e->pretok = pretok_run_new(t->pretok);
    e->cache = piece_cache_new();
    return e;
}

void encoder_free(struct encoder *e)
{
    if (e == NULL)
        return;
    pretok_run_free(e->pretok);
    bpe_scratch_release(&e->merge);
    piece_cache_free(e->cache);
    token_nfc_release(&e->nfc);
    buf_release(&e->normal);
    free(e);
}

void token_list_release(struct token_list *l)
{
    free(l->v);
    *l = (struct token_list){ 0 };
}

static inline void reserve(struct token_list *l, size_t extra)
{
    if (l->cap - l->count >= extra)
        return;
    l->cap = l->cap * 2 > l->count + extra ? l->cap * 2 : l->count + extra + 64;
    l->v = mem_grow(l->v, l->cap, sizeof *l->v);
}

void token_list_add(struct token_list *l, uint32_t id)
{
    reserve(l, 1);
    l->v[l->count++] = id;
}

/* ---- one piece ---- */

/* Merges at the end of the output, where the piece's bytes have room as ids. */
static enum status encode_new(struct encoder *e, struct span piece)
{
    const struct tokenizer *t = e->t;
    struct token_list *out = e->out;
    uint32_t whole, *ids;
    size_t n = 1;

    if (piece.n > PIECE_LIMIT)
        return fail(ST_LIMIT,
                    "a piece of text of %zu bytes that the pattern does not cut; want at most %zu",
                    piece.n, PIECE_LIMIT);
    reserve(out, piece.n);
    ids = out->v + out->count;
    if (t->ignore_merges && text_map_get(&t->whole, piece, &whole)) {
        ids[0] = whole;
    } else {
        for (size_t i = 0; i < piece.n; i++)
            ids[i] = t->byte_id[(unsigned char)piece.p[i]];
        n = bpe_merge_piece(t->bpe, &e->merge, ids, piece.n);
    }
    piece_cache_put(e->cache, piece, ids, n);
    out->count += n;
    return ST_OK;
}

static enum status encode_piece(void *ctx, struct span piece)
{
    struct encoder *e = ctx;
    size_t n = 0;
    const uint32_t *ids = piece_cache_get(e->cache, piece, &n);

    if (ids == NULL)
        return encode_new(e, piece);
    reserve(e->out, n);
    for (size_t i = 0; i < n; i++)
        e->out->v[e->out->count + i] = ids[i];
    e->out->count += n;
    return ST_OK;
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
    return pretok_split(e->pretok, text, encode_piece, e);
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
    reserve(out, text.n / 3);
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
