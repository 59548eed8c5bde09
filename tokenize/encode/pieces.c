#include "tokenize/encode/pieces.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "tokenize/encode/piece_cache.h"
#include "tokenize/encode/piece_merge.h"
#include "tokenize/tokenizer_part.h"

#define AHEAD 8          /* pieces behind one that is not in the sets whose other places are called up */
#define BATCH 256        /* pieces whose places in the cache are on their way at once */

struct piece_encoder {
    const struct tokenizer *t;
    struct pretok_run *pretok;
    struct piece_merge_scratch merge;
    struct piece_cache cache;
    bool drops;
    struct token_list *out;          /* of the call in hand */
    /* of the batch in hand */
    struct piece_key keys[BATCH];
    uint32_t hashes[BATCH];
    uint32_t long_hashes[BATCH];     /* of the pieces before `ahead` that are not short */
    struct span text;
    const uint32_t *ends;
    size_t from, n, ahead;           /* from: of the first piece; ahead: the first not yet looked at */
};

struct piece_encoder *piece_encoder_new(const struct tokenizer *t)
{
    struct piece_encoder *e = mem_alloc(sizeof *e);

    e->t = t;
    e->pretok = pretok_run_new(t->pretok);
    e->drops = pretok_drops(t->pretok);
    piece_cache_init(&e->cache);
    return e;
}

void piece_encoder_free(struct piece_encoder *e)
{
    if (e == NULL)
        return;
    pretok_run_free(e->pretok);
    piece_merge_scratch_release(&e->merge);
    piece_cache_release(&e->cache);
    free(e);
}

/* ---- pieces that are not in the cache's sets ---- */

static void copy_ids(struct token_list *out, const uint32_t *ids, size_t n)
{
    token_list_reserve(out, n);
    memcpy(out->v + out->count, ids, n * sizeof *ids);
    out->count += n;
}

/* Merges at the end of the output, where the piece's bytes have room as ids. */
static size_t merge_new(struct piece_encoder *e, struct span piece)
{
    struct token_list *out = e->out;
    size_t n;

    token_list_reserve(out, piece.n);
    n = piece_merge_ids(e->t->merge, &e->merge, piece, out->v + out->count);
    out->count += n;
    return n;
}

static void encode_short(struct piece_encoder *e, struct span piece, size_t i)
{
    uint32_t word = piece_merge_word(e->t->merge, e->keys[i], e->hashes[i]);
    struct long_piece other = { piece, e->hashes[i] };
    const uint32_t *known;
    size_t n = 1;

    if (word != NO_TOKEN) {
        piece_cache_put(&e->cache, e->keys[i], &word, 1);
        token_list_add(e->out, word);
        return;
    }
    known = piece_cache_get_long(&e->cache, &other, &n);
    if (known != NULL) {
        copy_ids(e->out, known, n);
        return;
    }
    n = merge_new(e, piece);
    if (!piece_cache_put(&e->cache, e->keys[i], e->out->v + e->out->count - n, n))
        piece_cache_put_long(&e->cache, &other, e->out->v + e->out->count - n, n);
}

static void encode_long(struct piece_encoder *e, struct span piece, size_t i)
{
    struct long_piece p = { piece, e->long_hashes[i] };
    size_t n = 0;
    const uint32_t *known = piece.n <= PIECE_LONG ? piece_cache_get_long(&e->cache, &p, &n) : NULL;

    if (known != NULL) {
        copy_ids(e->out, known, n);
        return;
    }
    n = merge_new(e, piece);
    piece_cache_put_long(&e->cache, &p, e->out->v + e->out->count - n, n);
}

/* ---- batches ---- */

/* Keys and hashes of the batch, and their places in the cache on their way to the processor. Keys are
 * read 16 bytes at once, but never past the text. */
static void read_keys(struct piece_encoder *e, struct span text, size_t from, const uint32_t *ends,
                      size_t n)
{
    for (size_t i = 0; i < n; from = ends[i++]) {
        size_t length = ends[i] - from;
        struct piece_key key = from + 16 <= text.n ? piece_key_of(text.p + from, length)
                                                   : piece_key_safe(text.p + from, length);
        uint32_t hash = piece_key_hash(key);

        e->keys[i] = key;
        e->hashes[i] = hash;
        __builtin_prefetch(&e->cache.sets[hash & e->cache.mask]);
    }
}

static inline bool same(const struct piece_key *a, const struct piece_key *b)
{
    return ((a->low ^ b->low) | (a->high ^ b->high)) == 0;
}

/* Four ids are stored, of which `count` count: no branch depends on it. */
static inline uint32_t *store_ids(uint32_t *to, const struct piece_entry *entry)
{
    uint32_t first = entry->ids[0], ids[PIECE_IDS];

    memcpy(ids, entry->ids, sizeof ids);
    ids[0] = first & 0xFFFFFF;
    memcpy(to, ids, sizeof ids);
    return to + (first >> 24);
}

/* Where one piece is not in the sets the next ones may not be either: what they will read instead is called up.
 * Goes on from where it came to in this batch, or from piece i, up to piece i + AHEAD. */
static void look_ahead(struct piece_encoder *e, size_t i)
{
    size_t from;

    e->ahead = e->ahead > i ? e->ahead : i;
    from = e->ahead > 0 ? e->ends[e->ahead - 1] : e->from;
    for (; e->ahead <= i + AHEAD && e->ahead < e->n; from = e->ends[e->ahead++]) {
        size_t k = e->ahead, length = e->ends[k] - from;
        const struct piece_set *set = &e->cache.sets[e->hashes[k] & e->cache.mask];

        if (length > PIECE_SHORT && length <= PIECE_LONG) {
            e->long_hashes[k] = (uint32_t)xxh3(e->text.p + from, length);
            piece_cache_long_soon(&e->cache, e->long_hashes[k]);
        } else if (length <= PIECE_SHORT && !same(&set->way[0].key, &e->keys[k]) &&
                   !same(&set->way[1].key, &e->keys[k])) {
            piece_merge_word_soon(e->t->merge, e->hashes[k]);
            piece_cache_long_soon(&e->cache, e->hashes[k]);
        }
    }
}

static void encode_batch(struct piece_encoder *e, struct span text, size_t from,
                         const uint32_t *ends, size_t n)
{
    struct token_list *out = e->out;
    uint32_t *to;

    read_keys(e, text, from, ends, n);
    e->text = text;
    e->ends = ends;
    e->from = from;
    e->n = n;
    e->ahead = 0;
    token_list_reserve(out, n * PIECE_IDS);
    to = out->v + out->count;
    for (size_t i = 0; i < n; from = ends[i++]) {
        const struct piece_set *set = &e->cache.sets[e->hashes[i] & e->cache.mask];
        const struct piece_entry *entry = &set->way[!same(&set->way[0].key, &e->keys[i])];

        if (__builtin_expect(same(&entry->key, &e->keys[i]), 1)) {
            to = store_ids(to, entry);
            continue;
        }
        out->count = (size_t)(to - out->v);
        look_ahead(e, i);
        if (ends[i] - from <= PIECE_SHORT)
            encode_short(e, (struct span){ text.p + from, ends[i] - from }, i);
        else
            encode_long(e, (struct span){ text.p + from, ends[i] - from }, i);
        token_list_reserve(out, (n - i) * PIECE_IDS);
        to = out->v + out->count;
    }
    out->count = (size_t)(to - out->v);
}

/* Some pieces are left out: one by one. */
static size_t encode_kept(struct piece_encoder *e, struct span text, size_t from,
                          const uint32_t *ends, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t end = ends[i] & ~PRETOK_DROPPED;

        if (end == ends[i])
            encode_batch(e, text, from, &end, 1);
        from = end;
    }
    return from;
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
        if (e->drops) {
            from = encode_kept(e, text, from, ends, n);
            continue;
        }
        for (size_t i = 0; i < n; i += BATCH) {
            size_t some = n - i < BATCH ? n - i : BATCH;

            encode_batch(e, text, from, ends + i, some);
            from = ends[i + some - 1];
        }
    }
}
