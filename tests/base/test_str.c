#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/str.h"

static void a_buf_grows_and_stays_terminated(void **state)
{
    struct buf b = { 0 };
    struct buf big = { 0 };

    buf_add(&b, NULL, 0);
    assert_string_equal(b.p, "");
    buf_adds(&b, "ab");
    buf_addc(&b, 'c');
    buf_printf(&b, "%d", 12345);
    assert_string_equal(b.p, "abc12345");
    assert_int_equal(b.n, 8);
    for (int i = 0; i < 5000; i++) {
        buf_addc(&big, (char)('a' + i % 26));
        assert_int_equal(big.p[big.n], 0);
    }
    buf_printf(&b, "%s%s", big.p, big.p);   /* longer than the room at hand */
    assert_int_equal(b.n, 10008);
    assert_int_equal(strlen(b.p), 10008);
    buf_clear(&b);
    assert_string_equal(b.p, "");
    buf_release(&b);
    assert_null(b.p);
    buf_release(&big);
}

static void every_scalar_value_survives_encoding(void **state)
{
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        char out[4];
        uint32_t back = 0;
        size_t n;

        if (cp >= 0xD800 && cp <= 0xDFFF)
            continue;
        n = utf8_encode(cp, out);
        if (utf8_decode(out, out + n, &back) != n || back != cp || !utf8_valid(out, n))
            fail_msg("U+%04X does not survive", cp);
        if (n > 1 && (utf8_decode(out, out + n - 1, &back) != 0 || utf8_valid(out, n - 1)))
            fail_msg("U+%04X is accepted with its last byte cut", cp);
    }
}

static const struct {
    const char *in;
    const char *repaired;
    size_t replaced;
} repairs[] = {
#define R "\xEF\xBF\xBD"
    { "plain", "plain", 0 },
    { "", "", 0 },
    { "\x80", R, 1 },
    { "a\xFFz", "a" R "z", 1 },
    { "\xC0\xAF", R R, 2 },                                    /* overlong: no byte begins anything */
    { "\xC2", R, 1 },
    { "\xC2" "A", R "A", 1 },
    { "\xE0\x80\xAF", R R R, 3 },                              /* second byte out of range: one each */
    { "\xE0\xA0", R, 1 },                                      /* a broken-off beginning: one in all */
    { "\xE2\x82" "A", R "A", 1 },
    { "\xED\xA0\x80", R R R, 3 },                              /* surrogate */
    { "\xF0\x80\x80\x41", R R R "A", 3 },                      /* Unicode 15, table 3-9 and onwards */
    { "\xF4\x91\x92\x93\xFF" "A\x80\xBF" "B", R R R R R "A" R R "B", 7 },
    { "\xE1\x80\xE2\xF0\x91\x92\xF1\xBF" "A", R R R R "A", 4 },   /* table 3-11 */
    { "\xF5\x80", R R, 2 },
    { "12345678\xC3\xA4" "12345678\xE4" "9", "12345678\xC3\xA4" "12345678" R "9", 1 },
    { R, R, 0 },                                               /* one that was there is not counted */
};

static void ill_formed_parts_become_replacement_characters(void **state)
{
    for (size_t i = 0; i < sizeof repairs / sizeof *repairs; i++) {
        struct buf out = { 0 };
        size_t n = strlen(repairs[i].in);

        buf_adds(&out, ">");
        assert_int_equal(utf8_repair(&out, repairs[i].in, n), repairs[i].replaced);
        assert_string_equal(out.p + 1, repairs[i].repaired);
        assert_int_equal(utf8_valid(repairs[i].in, n), repairs[i].replaced == 0);
        assert_true(utf8_valid(out.p, out.n));
        buf_release(&out);
    }
}

static void one_bad_byte_is_found_anywhere(void **state)
{
    for (size_t n = 1; n < 40; n++)
        for (size_t at = 0; at < n; at++) {
            char text[40];
            struct buf out = { 0 };

            memset(text, 'a', sizeof text);
            text[at] = (char)0xFE;
            assert_false(utf8_valid(text, n));
            assert_int_equal(utf8_repair(&out, text, n), 1);
            assert_int_equal(out.n, n + 2);
            assert_memory_equal(out.p + at, "\xEF\xBF\xBD", 3);
            buf_release(&out);
        }
}

static void nul_bytes_are_characters(void **state)
{
    struct buf out = { 0 };

    assert_true(utf8_valid("a\0b", 3));
    assert_int_equal(utf8_repair(&out, "a\0\x80", 3), 1);
    assert_memory_equal(out.p, "a\0" R, 6);
    assert_int_equal(utf8_length(out.p, out.n), 3);
    buf_release(&out);
}

static void the_nearest_word_is_near(void **state)
{
    const char *const words[] = { "threads", "thread-count", "store", "steps", "seed", "lr", NULL };
    const char *const none[] = { NULL };
    char long_word[200];

    assert_string_equal(str_nearest("thraeds", words), "threads");   /* a swap is one step */
    assert_string_equal(str_nearest("store", words), "store");
    assert_string_equal(str_nearest("stroe", words), "store");
    assert_string_equal(str_nearest("sed", words), "seed");
    assert_string_equal(str_nearest("r", words), "lr");
    assert_null(str_nearest("port", words));       /* 2 steps from "store", 1 allowed */
    assert_null(str_nearest("", words));
    assert_null(str_nearest("x", none));
    memset(long_word, 'a', 199);
    long_word[199] = 0;
    assert_null(str_nearest(long_word, words));
    assert_string_equal(str_nearest("ab", (const char *const[]){ "ax", "ay", NULL }), "ax");
}

static void sizes_read_well(void **state)
{
    static const struct { uint64_t n; const char *text; } cases[] = {
        { 0, "0 B" },           { 17, "17 B" },            { 999, "999 B" },
        { 1000, "1.0 KB" },     { 1449, "1.4 KB" },        { 1450, "1.5 KB" },
        { 99949, "99.9 KB" },   { 99950, "100 KB" },       { 312400, "312 KB" },
        { 999499, "999 KB" },   { 999500, "1.0 MB" },      { 1400000000, "1.4 GB" },
        { 999999999999, "1.0 TB" }, { UINT64_MAX, "18.4 EB" },
    };
    char out[28];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(str_bytes(cases[i].n, out), cases[i].text);
    assert_string_equal(str_count(0, out), "0");
    assert_string_equal(str_count(999, out), "999");
    assert_string_equal(str_count(1000, out), "1,000");
    assert_string_equal(str_count(12345678, out), "12,345,678");
    assert_string_equal(str_count(UINT64_MAX, out), "18,446,744,073,709,551,615");
}

static void sizes_are_parsed_or_refused(void **state)
{
    static const struct { const char *text; bool good; uint64_t n; } cases[] = {
        { "0", true, 0 },     { "123", true, 123 },       { "4K", true, 4096 },
        { "4k", true, 4096 }, { "2M", true, 2 << 20 },    { "3G", true, UINT64_C(3) << 30 },
        { "1T", true, UINT64_C(1) << 40 },                { "18446744073709551615", true, UINT64_MAX },
        { "18446744073709551616", false, 0 },             { "16777216T", false, 0 },
        { "16777215T", true, UINT64_C(16777215) << 40 },
        { "", false, 0 },     { "K", false, 0 },          { "-1", false, 0 },   { " 1", false, 0 },
        { "1KB", false, 0 },  { "1 K", false, 0 },        { "1P", false, 0 },   { "1.5G", false, 0 },
        { "1\x0b", false, 0 },{ "0x10", false, 0 },       { "1K ", false, 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t n = 77;

        if (str_parse_size(cases[i].text, &n) != cases[i].good || (cases[i].good && n != cases[i].n))
            fail_msg("'%s' gives %llu", cases[i].text, (unsigned long long)n);
    }
}

static void times_are_parsed_or_refused(void **state)
{
    static const struct {
        const char *text;
        bool good;
        double seconds;
    } cases[] = {
        { "90s", true, 90 },      { "1h30m", true, 5400 }, { "2d", true, 172800 },
        { "1d2h3m4s", true, 93784 }, { "0s", true, 0 },    { "36600d", true, 36600 * 86400.0 },
        { "", false, 0 },         { "10", false, 0 },      { "s", false, 0 },
        { "1h30", false, 0 },     { "30m1h", false, 0 },   { "1h1h", false, 0 },
        { "1.5h", false, 0 },     { "-1s", false, 0 },     { " 1s", false, 0 },
        { "1s ", false, 0 },      { "5ms", false, 0 },     { "36601d", false, 0 },
        { "99999999999999999999999999999999999999s", false, 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double seconds = 77;

        if (str_parse_duration(cases[i].text, &seconds) != cases[i].good
            || (cases[i].good && seconds != cases[i].seconds))
            fail_msg("'%s' gives %g", cases[i].text, seconds);
    }
}

static void spans_and_tails(void **state)
{
    assert_true(span_eq(span_of("abc"), "abc"));
    assert_false(span_eq(span_of("abc"), "abcd"));
    assert_false(span_eq((struct span){ "abc", 2 }, "abc"));
    assert_true(str_ends_with("a.jsonl.zst", ".zst"));
    assert_true(str_ends_with("x", ""));
    assert_false(str_ends_with("st", ".zst"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buf_grows_and_stays_terminated),
        cmocka_unit_test(every_scalar_value_survives_encoding),
        cmocka_unit_test(ill_formed_parts_become_replacement_characters),
        cmocka_unit_test(one_bad_byte_is_found_anywhere),
        cmocka_unit_test(nul_bytes_are_characters),
        cmocka_unit_test(the_nearest_word_is_near),
        cmocka_unit_test(sizes_read_well),
        cmocka_unit_test(sizes_are_parsed_or_refused),
        cmocka_unit_test(times_are_parsed_or_refused),
        cmocka_unit_test(spans_and_tails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
