/* Pieces to ids: keys, the cache, batches and the self-check hold what merging by the definition gives. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/rng.h"
#include "tokenize/encode/huge.h"
#include "tokenize/encode/piece_cache.h"
#include "tokenize/encode/piece_merge.h"
#include "tokenize/encode/pieces.h"
#include "tokenize/encode/self_check.h"
#include "tokenize/making.h"

/* ---- memory, keys ---- */

static void huge_arrays_are_zero_and_whole(void **state)
{
    static const size_t sizes[] = { 1, 1000, (size_t)1 << 20, ((size_t)1 << 21) - 1, ((size_t)1 << 21) + 1, 5000001 };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *p = huge_array(sizes[i], 1);

        assert_int_equal((size_t)p % 64, 0);
        assert_int_equal(p[0] | p[sizes[i] / 2] | p[sizes[i] - 1], 0);
        memset(p, 0xAB, sizes[i]);
        huge_free(p, sizes[i], 1);
    }
    huge_free(NULL, 5, 5);
}

/* Both ways to read a key agree, all short pieces differ, no long one has the key of a short one. */
static void keys_tell_pieces_apart(void **state)
{
    char text[64] = { 0 };
    struct rng r = { .seed = 4 };

    for (size_t n = 1; n < 40; n++)
        for (size_t k = 1; k < 40; k++) {
            struct piece_key a = piece_key_of(text, n), b = piece_key_of(text, k);

            assert_int_equal(a.low == b.low && a.high == b.high, n == k || (n > PIECE_SHORT && k > PIECE_SHORT));
        }
    for (int round = 0; round < 2000; round++) {
        size_t n = 1 + rng_below(&r, 30), at = rng_below(&r, n);
        struct piece_key a, b;

        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (char)rng_below(&r, 256);
        a = piece_key_of(text, n);
        b = piece_key_safe(text, n);
        assert_true(a.low == b.low && a.high == b.high && a.high != 0);
        text[at] ^= 0x20;
        b = piece_key_of(text, n);
        assert_int_equal(a.low == b.low && a.high == b.high, n > PIECE_SHORT);
    }
}

/* ---- the cache ---- */

static size_t make_piece(uint64_t number, char *text)
{
    size_t n = 1 + rng_at(1, number, 0) % (number % 8 == 0 ? 200 : 15);

    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + rng_at(2, number, i) % 26);
    return n;
}

static size_t make_ids(struct span piece, uint32_t *ids)
{
    size_t n = 1 + (unsigned char)piece.p[0] % (piece.n > PIECE_SHORT ? 9 : 4);

    for (size_t i = 0; i < n; i++)
        ids[i] = ((unsigned char)piece.p[0] * 31u + (unsigned char)piece.p[piece.n - 1] + (uint32_t)i) & 0xFFFFFF;
    return n;
}

/* In the sets; false: not there. */
static bool look_up(const struct piece_cache *c, struct span piece, uint32_t *ids, size_t *count)
{
    struct piece_key key = piece_key_safe(piece.p, piece.n);
    const struct piece_set *set = &c->sets[piece_key_hash(key) & c->mask];

    for (int way = 0; way < 2; way++) {
        const struct piece_entry *e = &set->way[way];

        if (e->key.low != key.low || e->key.high != key.high)
            continue;
        *count = e->ids[0] >> 24;
        memcpy(ids, e->ids, sizeof e->ids);
        ids[0] &= 0xFFFFFF;
        return true;
    }
    return false;
}

/* What it finds is right, and it finds nearly all that there is room for. */
static void the_cache_forgets_but_never_lies(void **state)
{
    struct piece_cache c;
    char text[256];
    uint32_t want[16], ids[16];
    size_t found = 0, total = 60000;

    piece_cache_init(&c);
    for (int pass = 0; pass < 2; pass++)
        for (uint64_t number = 0; number < total; number++) {
            struct span piece = { text, make_piece(number, text) };
            size_t n = make_ids(piece, want), count = 0;
            struct long_piece other = { piece, (uint32_t)xxh3(text, piece.n) };
            const uint32_t *got = ids;
            bool there = piece.n <= PIECE_SHORT ? look_up(&c, piece, ids, &count)
                                                : (got = piece_cache_get_long(&c, &other, &count)) != NULL;

            if (there) {
                assert_int_equal(count, n);
                assert_memory_equal(got, want, n * sizeof *want);
                found += pass;
            } else if (piece.n <= PIECE_SHORT) {
                assert_true(piece_cache_put(&c, piece_key_safe(text, piece.n), want, n));
            } else {
                piece_cache_put_long(&c, &other, want, n);
            }
        }
    assert_in_range(found, total * 8 / 10, total);
    assert_false(piece_cache_put(&c, piece_key_safe("abc", 3), want, PIECE_IDS + 1));
    piece_cache_release(&c);
}

/* More long pieces than the store holds: it is emptied, and goes on. */
static void a_full_store_is_emptied(void **state)
{
    struct piece_cache c;
    char text[PIECE_LONG];
    uint32_t ids[PIECE_LONG] = { 0 };
    struct long_piece piece;
    size_t n = 0, found = 0;

    piece_cache_init(&c);
    memset(text, 'x', sizeof text);
    for (uint32_t i = 0; i < 40000; i++) {
        memcpy(text, &i, sizeof i);
        ids[0] = i;
        piece = (struct long_piece){ { text, sizeof text }, i * 2654435761u };
        piece_cache_put_long(&c, &piece, ids, sizeof ids / sizeof ids[0]);
    }
    for (uint32_t i = 0; i < 40000; i++) {
        const uint32_t *got;

        memcpy(text, &i, sizeof i);
        piece = (struct long_piece){ { text, sizeof text }, i * 2654435761u };
        got = piece_cache_get_long(&c, &piece, &n);
        found += got != NULL;
        assert_true(got == NULL || (got[0] == i && n == PIECE_LONG));
    }
    assert_in_range(found, 1000, 30000);
    piece_cache_release(&c);
}

/* ---- pieces ---- */

/* By the pre-tokenizer and merging by rank, nothing kept. */
static void encode_plainly(const struct tokenizer *t, struct span text, struct token_list *out)
{
    struct pretok_run *run = pretok_run_new(t->pretok);
    struct bpe_scratch scratch = { 0 };
    const uint32_t *ends;
    size_t n, from = 0;

    pretok_begin(run, text);
    for (;;) {
        assert_ok(pretok_next(run, &ends, &n));
        if (n == 0)
            break;
        for (size_t i = 0; i < n; from = ends[i++]) {
            size_t bytes = ends[i] - from;

            token_list_reserve(out, bytes);
            if (t->ignore_merges && text_map_get(&t->whole, (struct span){ text.p + from, bytes }, out->v + out->count)) {
                out->count++;
                continue;
            }
            for (size_t k = 0; k < bytes; k++)
                out->v[out->count + k] = t->byte_id[(unsigned char)text.p[from + k]];
            out->count += bpe_merge_piece(t->bpe, &scratch, out->v + out->count, bytes);
        }
    }
    bpe_scratch_release(&scratch);
    pretok_run_free(run);
}

/* Words of a small and a large stock, runs, long pieces; its own block of memory. */
static char *make_text(struct rng *r, const struct tokenizer *t, size_t *n)
{
    struct buf b = { 0 };
    size_t want = 1 + rng_below(r, 6000);
    char *text;

    while (b.n < want) {
        uint64_t draw = rng_below(r, 20), length = draw == 0 ? rng_below(r, 400) : 1 + rng_below(r, 9);
        uint64_t word = rng_below(r, draw < 12 ? 50 : 5000);

        if (draw == 1) {
            struct span token = tokenizer_bytes(t, (uint32_t)rng_below(r, tokenizer_vocab(t)));

            if (utf8_valid(token.p, token.n))
                buf_add(&b, token.p, token.n);
        }
        for (uint64_t i = 0; i < length; i++)
            buf_addc(&b, draw == 2 ? 'a' : (char)('a' + rng_at(5, word, i) % 26));
        buf_adds(&b, draw == 3 ? "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E" : draw == 4 ? "\n    " : " ");
    }
    text = mem_grow(NULL, b.n, 1);
    memcpy(text, b.p, b.n);
    *n = b.n;
    buf_release(&b);
    return text;
}

static void encode_both_ways(struct piece_encoder *e, const struct tokenizer *t, struct rng *r)
{
    struct token_list seen = { 0 }, want = { 0 };
    size_t n;
    char *text = make_text(r, t, &n);

    assert_ok(piece_encoder_encode(e, (struct span){ text, n }, &seen));
    encode_plainly(t, (struct span){ text, n }, &want);
    assert_int_equal(seen.count, want.count);
    assert_memory_equal(seen.v, want.v, want.count * sizeof *want.v);
    free(text);
    token_list_release(&seen);
    token_list_release(&want);
}

/* Before the tables of merging are made, when they come to be made, and after. */
static void batches_give_what_single_pieces_give(void **state)
{
    static const char *const names[] = { "gpt2", "llama3", "chain", "o200k" };
    struct rng r = { .seed = 21 };

    for (int i = 0; i < 16; i++) {
        struct making m = making_open(names[i % 4]);
        struct piece_encoder *e = piece_encoder_new(m.tokenizer), *other = piece_encoder_new(m.tokenizer);

        if (i >= 12)
            piece_merge_prepare(m.tokenizer->merge);
        for (int round = 0; round < 12; round++)
            encode_both_ways(round % 3 ? e : other, m.tokenizer, &r);
        piece_encoder_free(e);
        piece_encoder_free(other);
        making_close(&m);
    }
}

/* ---- the self-check ---- */

static bool listed(const struct self_check *c, uint32_t id, uint32_t becomes)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->v[i].id == id) {
            assert_int_equal(c->v[i].becomes, becomes);
            return true;
        }
    return false;
}

static void check_all(const struct tokenizer *t, const struct self_check *c)
{
    struct bpe_scratch scratch = { 0 };
    uint32_t ids[2048];
    size_t asked = 0;

    for (uint32_t id = 0; id < t->vocab; id++) {
        struct span text = t->bytes[id];
        bool added = false;
        size_t n;

        for (size_t i = 0; i < t->added_count; i++)
            added = added || t->added[i].id == id;
        if (text.p == NULL || added)
            continue;
        asked++;
        for (size_t k = 0; k < text.n; k++)
            ids[k] = t->byte_id[(unsigned char)text.p[k]];
        n = bpe_merge_piece(t->bpe, &scratch, ids, text.n);
        assert_int_equal(listed(c, id, (uint32_t)n), n != 1 || ids[0] != id);
    }
    assert_int_equal(c->entries, asked);
    bpe_scratch_release(&scratch);
}

/* chain.json was given by hand and has entries that do not come up. */
static void the_self_check_lists_what_does_not_come_up(void **state)
{
    static const char *const names[] = { "gpt2", "llama3", "chain", "added" };
    size_t found = 0;

    for (int name = 0; name < 4; name++) {
        struct making m = making_open(names[name]);
        struct self_check c;

        self_check(m.tokenizer, &c);
        check_all(m.tokenizer, &c);
        found += c.count;
        assert_int_equal(c.whole, m.tokenizer->ignore_merges);
        self_check_release(&c);
        making_close(&m);
    }
    assert_int_not_equal(found, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(huge_arrays_are_zero_and_whole),
        cmocka_unit_test(keys_tell_pieces_apart),
        cmocka_unit_test(the_cache_forgets_but_never_lies),
        cmocka_unit_test(a_full_store_is_emptied),
        cmocka_unit_test(batches_give_what_single_pieces_give),
        cmocka_unit_test(the_self_check_lists_what_does_not_come_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
