/* A text of a reply is the same however it is cut into tokens and pieces, and ends where it should.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "serve/choice.h"

static struct tokenizer *tokenizer;
static int32_t id_of[256]; /* the token of each byte */

static int open_tokenizer(void **state)
{
    const char *source = getenv("TUNDISH_SOURCE");
    char path[1000];

    snprintf(path, sizeof path, "%s/tests/tokenize/golden/gpt2.json", source ? source : ".");
    assert_ok(tokenizer_open(path, &tokenizer));
    for (uint32_t id = 0; id < tokenizer_vocab(tokenizer); id++) {
        struct span s = tokenizer_bytes(tokenizer, id);

        if (s.n == 1 && !tokenizer_is_special(tokenizer, id))
            id_of[(unsigned char)s.p[0]] = (int32_t)id;
    }
    return 0;
}

static int close_tokenizer(void **state)
{
    tokenizer_close(tokenizer);
    return 0;
}

/* What a client has put together from pieces. */
struct heard {
    struct choice c;
    struct buf text, exact;
    int32_t ids[256];
    int64_t offsets[256];
    size_t tokens, pieces;
    bool ended;
};

static struct heard begin(const struct span *stops, int count)
{
    struct heard h = { 0 };

    choice_init(&h.c, &(struct choice_args){ .tokenizer = tokenizer,
                                             .stops = stops,
                                             .stop_count = count,
                                             .keep_tokens = true });
    return h;
}

static void hear(struct heard *h, bool last)
{
    struct choice_piece p;

    choice_take(&h->c, last, &p);
    assert_true(utf8_valid(p.text.p, p.text.n)); /* never half a character */
    assert_int_equal(p.repaired, !utf8_valid(p.exact.p, p.exact.n));
    h->pieces += p.text.n > 0;
    buf_add(&h->text, p.text.p, p.text.n);
    buf_add(&h->exact, p.exact.p, p.exact.n);
    for (size_t i = 0; i < p.token_count; i++) {
        h->ids[h->tokens] = p.tokens[i].id;
        h->offsets[h->tokens++] = p.tokens[i].text_begin;
    }
    choice_piece_release(&p);
}

/* Writes bytes, one a token, and takes pieces in between (every turn, or seeded by chance). */
static void write_bytes(struct heard *h, const char *bytes, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n && !h->ended; i++) {
        h->ended =
            !choice_add(&h->c, &(struct engine_token){ .id = id_of[(unsigned char)bytes[i]] });
        if (seed == 0 || rng_at(seed, 2, i) % 3 == 0)
            hear(h, false);
    }
}

static void end(struct heard *h)
{
    hear(h, true);
    choice_release(&h->c);
    buf_release(&h->text);
    buf_release(&h->exact);
}

static void assert_text(const struct heard *h, const char *want)
{
    assert_string_equal(h->text.p ? h->text.p : "", want);
}

static void text_streams_at_once(void **state)
{
    struct heard h = begin(NULL, 0);

    write_bytes(&h, "hello", 5, 0);
    assert_int_equal(h.pieces, 5);
    assert_text(&h, "hello");
    assert_int_equal(h.tokens, 5);
    end(&h);
}

static void a_stop_spans_tokens_and_is_not_told(void **state)
{
    struct span stops[] = { span_of("STOP"), span_of("\n\n") };
    struct heard h = begin(stops, 2);

    write_bytes(&h, "a ST", 4, 0);
    assert_text(&h, "a "); /* "ST" may become the stop */
    write_bytes(&h, "ST", 2, 0);
    assert_text(&h, "a ST");
    write_bytes(&h, "OP and more", 11, 0);
    assert_true(h.ended);
    hear(&h, true);
    assert_text(&h, "a ST");
    assert_int_equal(h.tokens, 4); /* not those of the stop */
    end(&h);
}

static void what_was_held_comes_at_the_end(void **state)
{
    struct span stop = span_of("STOP");
    struct heard h = begin(&stop, 1);

    write_bytes(&h, "xSTO", 4, 0);
    assert_text(&h, "x");
    assert_int_equal(h.tokens, 1);
    hear(&h, true);
    assert_text(&h, "xSTO");
    assert_int_equal(h.tokens, 4);
    end(&h);
}

static void a_character_waits_for_its_bytes(void **state)
{
    struct heard h = begin(NULL, 0);

    write_bytes(&h, "\xe2\x82", 2, 0);
    assert_int_equal(h.text.n, 0);
    write_bytes(&h, "\xac!", 2, 0);
    assert_text(&h, "\xe2\x82\xac!");
    assert_int_equal(h.offsets[3], 1); /* '!' is the second character */
    end(&h);
}

static void broken_bytes_are_told_twice(void **state)
{
    struct heard h = begin(NULL, 0);

    write_bytes(&h, "a\xff\xe2\x82", 4, 0);
    hear(&h, true);
    assert_text(&h, "a\xef\xbf\xbd\xef\xbf\xbd");
    assert_int_equal(h.exact.n, 4);
    assert_memory_equal(h.exact.p, "a\xff\xe2\x82", 4);
    end(&h);
}

static void a_stop_may_begin_with_a_long_character(void **state)
{
    struct span stop = span_of("\xe2\x82\xac");
    struct heard h = begin(&stop, 1);

    write_bytes(&h, "a\xe2\x82\xad\xe2\x82\xac", 7, 0);
    assert_true(h.ended);
    hear(&h, true);
    assert_text(&h, "a\xe2\x82\xad");
    end(&h);
}

static void an_echo_stops_nothing(void **state)
{
    struct span stop = span_of("ab");
    struct heard h = begin(&stop, 1);

    choice_add_echo(&h.c, span_of("ab a"));
    write_bytes(&h, "b", 1, 0); /* the stop must be written whole */
    hear(&h, false);
    assert_false(h.ended);
    assert_text(&h, "ab ab");
    end(&h);
}

static void echoed_tokens_come_first(void **state)
{
    struct heard h = begin(NULL, 0);

    choice_add_prompt(&h.c, &(struct engine_token){ .id = id_of['p'], .of_prompt = true });
    choice_add_prompt(&h.c, &(struct engine_token){ .id = id_of['q'], .of_prompt = true });
    write_bytes(&h, "r", 1, 0);
    assert_text(&h, "pqr");
    assert_int_equal(h.tokens, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(h.ids[i], id_of['p' + i]);
        assert_int_equal(h.offsets[i], i);
    }
    end(&h);
}

static void an_answers_space_is_dropped(void **state)
{
    static const char *const texts[][2] = {
        { " hi", "hi" }, { "  hi", " hi" }, { "hi ", "hi " }, { " ", "" }
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            struct heard h = begin(NULL, 0);

            h.c.args.drop_space = true;
            write_bytes(&h, texts[i][0], strlen(texts[i][0]), seed);
            hear(&h, true);
            assert_text(&h, texts[i][1]);
            end(&h);
        }
}

static void nothing_is_fine(void **state)
{
    struct span stop = span_of("x");
    struct heard h = begin(&stop, 1);

    hear(&h, false);
    end(&h);
    assert_int_equal(h.tokens, 0);
}

/* Where a text ends: the stop whose last byte comes first; of those, the one that begins first. */
static size_t cut_of(const char *bytes, size_t n, const struct span *stops, int count, bool *stops_)
{
    for (size_t e = 1; e <= n; e++) {
        size_t cut = SIZE_MAX;

        for (int i = 0; i < count; i++)
            if (e >= stops[i].n && memcmp(bytes + e - stops[i].n, stops[i].p, stops[i].n) == 0 &&
                e - stops[i].n < cut)
                cut = e - stops[i].n;
        if (cut != SIZE_MAX) {
            *stops_ = true;
            return cut;
        }
    }
    *stops_ = false;
    return n;
}

/* Bytes of the first character, or of what is replaced together. */
static size_t first_length(const char *p, size_t n)
{
    uint32_t cp;
    size_t k = utf8_decode(p, p + n, &cp);

    if (k > 0)
        return k;
    for (k = n < 3 ? n : 3; k > 1; k--) {
        struct buf out = { 0 };
        bool one = utf8_repair(&out, p, k) == 1 && out.n == 3;

        buf_release(&out);
        if (one)
            break;
    }
    return k;
}

/* A byte's offset is the number of its character. */
static void check_offsets(const struct heard *h, const char *bytes, size_t n)
{
    int64_t number = 0;

    for (size_t i = 0; i < n; number++) {
        size_t k = first_length(bytes + i, n - i);

        for (size_t b = 0; b < k; b++)
            assert_int_equal(h->offsets[i + b], number);
        i += k;
    }
}

static void any_bytes_in_any_pieces(void **state)
{
    static const unsigned char alphabet[] = { 'a', 'b', 'a', 0xe2, 0x82, 0xac, 0xc3, 0xa9, 0xff };
    const struct span stops[] = { span_of("aba"), span_of("bb"), span_of("\xe2\x82\xac"),
                                  span_of("ab\xc3\xa9") };
    char bytes[48];

    for (uint64_t seed = 1; seed < 20000; seed++) {
        int count = (int)(seed % 5);
        struct heard h = begin(stops, count);
        struct buf want = { 0 };
        bool stopped;
        size_t cut;

        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)alphabet[rng_at(seed, 1, i) % sizeof alphabet];
        cut = cut_of(bytes, sizeof bytes, stops, count, &stopped);
        write_bytes(&h, bytes, sizeof bytes, seed);
        hear(&h, true);
        utf8_repair(&want, bytes, cut);
        assert_int_equal(h.ended, stopped);
        assert_int_equal(h.exact.n, cut);
        assert_memory_equal(h.exact.p ? h.exact.p : "", bytes, cut);
        assert_text(&h, want.p);
        assert_int_equal(h.tokens, cut);
        check_offsets(&h, bytes, cut);
        buf_release(&want);
        end(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_streams_at_once),
        cmocka_unit_test(a_stop_spans_tokens_and_is_not_told),
        cmocka_unit_test(what_was_held_comes_at_the_end),
        cmocka_unit_test(a_character_waits_for_its_bytes),
        cmocka_unit_test(broken_bytes_are_told_twice),
        cmocka_unit_test(a_stop_may_begin_with_a_long_character),
        cmocka_unit_test(an_echo_stops_nothing),
        cmocka_unit_test(echoed_tokens_come_first),
        cmocka_unit_test(an_answers_space_is_dropped),
        cmocka_unit_test(nothing_is_fine),
        cmocka_unit_test(any_bytes_in_any_pieces),
    };

    return cmocka_run_group_tests(tests, open_tokenizer, close_tokenizer);
}
