#include "tokenize/encode/pieces.h"

#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/encode/piece_cache.h"
#include "tokenize/tokenizer_part.h"

#define PIECE_LIMIT ((size_t)1 << 31)

struct piece_encoder {
    const struct tokenizer *t;
    struct pretok_run *pretok;
    struct bpe_scratch merge;
    struct piece_cache *cache;
    struct token_list *out;          /* of the call in hand */
};

struct piece_encoder *piece_encoder_new(const struct tokenizer *t)
{
    struct piece_encoder *e = mem_alloc(sizeof *e);

    e->t = t;
    e->pretok = pretok_run_new(t->pretok);
    e->cache = piece_cache_new();
    return e;
}

void piece_encoder_free(struct piece_encoder *e)
{
    if (e == NULL)
        return;
    pretok_run_free(e->pretok);
    bpe_scratch_release(&e->merge);
    piece_cache_free(e->cache);
    free(e);
}

/* Merges at the end of the output, where the piece's bytes have room as ids. */
static enum status encode_new(struct piece_encoder *e, struct span piece)
{
    const struct tokenizer *t = e->t;
    struct token_list *out = e->out;
    uint32_t whole, *ids;
    size_t n = 1;

    if (piece.n > PIECE_LIMIT)
        return fail(ST_LIMIT,
                    "a piece of text of %zu bytes that the pattern does not cut; want at most %zu",
                    piece.n, PIECE_LIMIT);
    token_list_reserve(out, piece.n);
    ids = out->v + out->count;
    if (t->ignore_merges && text_map_get(&t->whole, piece, &whole)) {
        ids[0] = whole;
    } else {
        n = piece.n;
        if (t->symbols)
            n = symbols_of(t->symbols, piece, ids);
        else
            for (size_t i = 0; i < piece.n; i++)
                ids[i] = t->byte_id[(unsigned char)piece.p[i]];
        n = bpe_merge_piece(t->bpe, &e->merge, ids, n);
    }
    piece_cache_put(e->cache, piece, ids, n);
    out->count += n;
    return ST_OK;
}

static enum status encode_piece(struct piece_encoder *e, struct span piece)
{
    size_t n = 0;
    const uint32_t *ids = piece_cache_get(e->cache, piece, &n);

    if (ids == NULL)
        return encode_new(e, piece);
    token_list_reserve(e->out, n);
    for (size_t i = 0; i < n; i++)
        e->out->v[e->out->count + i] = ids[i];
    e->out->count += n;
    return ST_OK;
}

enum status piece_encoder_encode(struct piece_encoder *e, struct span text, struct token_list *out)
{
    const uint32_t *ends;
    size_t n, from = 0;

    if (text.n > PRETOK_TEXT_MAX)
        return fail(ST_LIMIT, "a text of %zu bytes; want less than 2 GiB", text.n);
    e->out = out;
    pretok_begin(e->pretok, text);
    for (;;) {
        TRY(pretok_next(e->pretok, &ends, &n));
        if (n == 0)
            return ST_OK;
        for (size_t i = 0; i < n; i++) {
            uint32_t end = ends[i] & ~PRETOK_DROPPED;

            if (end == ends[i])
                TRY(encode_piece(e, (struct span){ text.p + from, end - from }));
            from = end;
        }
    }
}
