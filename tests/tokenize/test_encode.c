/* Text to ids and back: what the peer made of the same texts (golden/make.py), any bytes, pieces without end, patterns that
 * do not end. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/bench.h"
#include "base/file.h"
#include "base/rng.h"
#include "tokenize/encode/bpe.h"
#include "tokenize/making.h"
#include "tokenize/plain_merge.h"

/* ---- golden files ---- */

static struct span field(struct span *line, char end)
{
    const char *stop = memchr(line->p, end, line->n);
    size_t n = stop ? (size_t)(stop - line->p) : line->n;
    struct span out = { line->p, n };

    line->p += n + (stop != NULL);
    line->n -= n + (stop != NULL);
    return out;
}

static void bytes_of_hex(struct buf *out, struct span hex)
{
    buf_clear(out);
    for (size_t i = 0; i + 1 < hex.n; i += 2) {
        unsigned byte;

        assert_int_equal(sscanf(hex.p + i, "%2x", &byte), 1);
        buf_addc(out, (char)byte);
    }
}

static void assert_ids(const struct making *m, const char *text, struct span want, bool specials)
{
    struct buf seen = { 0 };

    buf_adds(&seen, "");
    for (size_t i = 0; i < m->ids.count; i++)
        buf_printf(&seen, i ? " %u" : "%u", m->ids.v[i]);
    if (seen.n != want.n || memcmp(seen.p, want.p, want.n) != 0)
        fail_msg("'%s' (specials %d)\n  seen %s\n  want %.*s", text, specials, seen.p, (int)want.n, want.p);
    buf_release(&seen);
}

static void golden(const char *name, bool exact)
{
    struct making m = making_open(name);
    struct buf all = { 0 }, text = { 0 };
    struct span rest;
    int cases = 0;

    assert_ok(file_read(making_golden(name, "cases"), 1 << 20, &all));
    rest = (struct span){ all.p, all.n };
    while (rest.n > 0) {
        struct span line = field(&rest, '\n');

        bytes_of_hex(&text, field(&line, '\t'));
        for (int specials = 0; specials < 2; specials++) {
            making_encode(&m, (struct span){ text.p ? text.p : "", text.n }, specials);
            assert_ids(&m, text.p ? text.p : "", field(&line, specials ? '\n' : '\t'), specials);
            if (exact)
                making_assert_decodes(&m, (struct span){ text.p ? text.p : "", text.n });
        }
        cases++;
    }
    assert_in_range(cases, 80, 1000);
    buf_release(&all);
    buf_release(&text);
    making_close(&m);
}

static void gpt2_as_the_peer(void **state) { golden("gpt2", true); }
static void llama3_as_the_peer(void **state) { golden("llama3", true); }
static void cl100k_as_the_peer(void **state) { golden("cl100k", true); }
static void o200k_as_the_peer(void **state) { golden("o200k", true); }
static void a_chain_of_cuts_and_ignored_merges_as_the_peer(void **state) { golden("chain", true); }
/* NFC and stripped white space do not come back. */
static void normalization_and_added_tokens_as_the_peer(void **state) { golden("added", false); }

/* ---- any bytes ---- */

static void random_bytes_come_back(void **state)
{
    struct making m = making_open("llama3");
    struct rng r = { .seed = 3 };
    char bytes[700];

    for (int round = 0; round < 300; round++) {
        size_t n = rng_below(&r, sizeof bytes);

        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)(round % 3 == 0 ? rng_below(&r, 256) : round % 3 == 1 ? rng_below(&r, 4) + 'a'
                                                                               : rng_below(&r, 96) + 32);
        making_encode(&m, (struct span){ bytes, n }, false);
        making_assert_decodes(&m, (struct span){ bytes, n });
    }
    making_close(&m);
}

static void corpus_text_never_becomes_a_special_token(void **state)
{
    struct making m = making_open("llama3");
    struct span text = span_of("a<|endoftext|>b");

    making_encode(&m, text, false);
    for (size_t i = 0; i < m.ids.count; i++)
        assert_false(tokenizer_is_special(m.tokenizer, m.ids.v[i]));
    making_assert_decodes(&m, text);
    making_encode(&m, text, true);
    assert_int_equal(m.ids.count, 3);
    assert_int_equal(m.ids.v[1], tokenizer_end_of_text(m.tokenizer));
    making_close(&m);
}

static void an_encoder_appends_and_its_cache_changes_nothing(void **state)
{
    struct making m = making_open("o200k");
    struct token_list twice = { 0 };
    struct span text = span_of("The tundish, the mould, the ladle and a word_that_is_longer_than_fifteen_bytes, the mould.");

    making_encode(&m, text, false);
    assert_ok(encoder_encode(m.encoder, text, false, &twice));
    assert_ok(encoder_encode(m.encoder, text, false, &twice));
    assert_int_equal(twice.count, 2 * m.ids.count);
    assert_memory_equal(twice.v, m.ids.v, m.ids.count * sizeof *twice.v);
    assert_memory_equal(twice.v + m.ids.count, m.ids.v, m.ids.count * sizeof *twice.v);
    token_list_release(&twice);
    making_close(&m);
}

/* More different pieces than the cache holds, of all lengths, then the same again. */
static void a_full_cache_forgets_without_harm(void **state)
{
    struct making m = making_open("llama3");
    struct token_list again = { 0 };
    struct buf text = { 0 };
    struct rng r = { .seed = 9 };

    for (int i = 0; i < 40000; i++) {
        uint64_t letters = 1 + rng_below(&r, i % 50 == 0 ? 300 : 24);

        for (uint64_t k = 0; k < letters; k++)
            buf_addc(&text, (char)('a' + rng_below(&r, 26)));
        buf_addc(&text, ' ');
    }
    making_encode(&m, (struct span){ text.p, text.n }, false);
    assert_ok(encoder_encode(m.encoder, (struct span){ text.p, text.n }, false, &again));
    assert_int_equal(again.count, m.ids.count);
    assert_memory_equal(again.v, m.ids.v, m.ids.count * sizeof *again.v);
    token_list_release(&again);
    buf_release(&text);
    making_close(&m);
}

/* ---- merging ---- */

static void short_and_long_pieces_merge_by_definition(void **state)
{
    struct bpe_scratch scratch = { 0 };
    struct rng r = { .seed = 12 };
    uint32_t ids[400], plain[400];

    for (int round = 0; round < 300; round++) {
        struct bpe *b = bpe_new(0);
        uint32_t letters = 1 + (uint32_t)rng_below(&r, 4);
        size_t n = 1 + rng_below(&r, round % 2 ? 60 : 400), seen, want;

        for (uint32_t rank = 0; rank < 40; rank++)
            bpe_add(b, &(struct bpe_merge){ (uint32_t)rng_below(&r, letters + rank), (uint32_t)rng_below(&r, letters + rank),
                                            rank, letters + rank });
        for (size_t i = 0; i < n; i++)
            ids[i] = plain[i] = (uint32_t)rng_below(&r, letters);
        want = merge_plainly(b, plain, n);
        seen = bpe_merge_piece(b, &scratch, ids, n);
        assert_int_equal(seen, want);
        assert_memory_equal(ids, plain, want * sizeof *ids);
        bpe_free(b);
    }
    bpe_scratch_release(&scratch);
}

/* One piece of a megabyte: n log n, not n squared (which would take hours). */
static void a_megabyte_of_one_letter_is_one_quick_piece(void **state)
{
    struct making m = making_open("llama3");
    size_t n = 1000000;
    char *text = mem_grow(NULL, n, 1);
    double start = bench_now(), seconds;

    memset(text, 'a', n);
    making_encode(&m, (struct span){ text, n }, false);
    making_assert_decodes(&m, (struct span){ text, n });
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + rng_at(1, 2, i) % 26);
    making_encode(&m, (struct span){ text, n }, false);
    making_assert_decodes(&m, (struct span){ text, n });
    seconds = bench_now() - start;
    assert_true(seconds < 100);     /* 0.3 s plain, a few with sanitizers */
    free(text);
    making_close(&m);
}

/* ---- patterns ---- */

struct ends {
    uint32_t v[4096];
    size_t n;
};

/* Appends the ends of the text's pieces, `at` being where it stands. */
static enum status cut(struct pretok_run *run, struct span text, size_t at, struct ends *out)
{
    const uint32_t *ends;
    size_t n;

    pretok_begin(run, text);
    for (;;) {
        TRY(pretok_next(run, &ends, &n));
        if (n == 0)
            return ST_OK;
        for (size_t i = 0; i < n; i++)
            out->v[out->n++] = (uint32_t)(at + ends[i]);
    }
}

static void a_pattern_that_backtracks_without_end_is_stopped(void **state)
{
    struct pretok *p = pretok_new();
    struct pretok_run *run;
    char text[4000];
    struct ends seen = { .n = 0 };

    memset(text, 'a', sizeof text);
    assert_ok(pretok_add(p, &(struct pretok_rule){ .what = "'hostile.json'", .pattern = "(?:a|aa)+\\p{N}" }));
    run = pretok_run_new(p);
    assert_int_equal(cut(run, (struct span){ text, sizeof text }, 0, &seen), ST_LIMIT);
    assert_non_null(strstr(fail_message(), "backtracks too much"));
    assert_non_null(strstr(fail_message(), "hostile.json"));
    pretok_run_free(run);
    pretok_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpt2_as_the_peer),
        cmocka_unit_test(llama3_as_the_peer),
        cmocka_unit_test(cl100k_as_the_peer),
        cmocka_unit_test(o200k_as_the_peer),
        cmocka_unit_test(a_chain_of_cuts_and_ignored_merges_as_the_peer),
        cmocka_unit_test(normalization_and_added_tokens_as_the_peer),
        cmocka_unit_test(random_bytes_come_back),
        cmocka_unit_test(corpus_text_never_becomes_a_special_token),
        cmocka_unit_test(an_encoder_appends_and_its_cache_changes_nothing),
        cmocka_unit_test(a_full_cache_forgets_without_harm),
        cmocka_unit_test(short_and_long_pieces_merge_by_definition),
        cmocka_unit_test(a_megabyte_of_one_letter_is_one_quick_piece),
        cmocka_unit_test(a_pattern_that_backtracks_without_end_is_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
