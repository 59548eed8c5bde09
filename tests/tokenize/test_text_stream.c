/* Text that is shown as it comes is the same text, in whole characters, however it is cut. */
#include "test.h"

#include <string.h>

#include "base/rng.h"
#include "tokenize/encode/text_stream.h"

static void check(const char *bytes, size_t n, uint64_t seed)
{
    struct buf want = { 0 }, got = { 0 };
    struct text_stream t = { 0 };
    struct rng r = { seed, 0, 0 };

    utf8_repair(&want, bytes, n);
    for (size_t i = 0; i < n;) {
        size_t k = 1 + rng_below(&r, 5);

        k = k > n - i ? n - i : k;
        text_stream_add(&t, (struct span){ bytes + i, k }, &got);
        assert_true(utf8_valid(got.p == NULL ? "" : got.p, got.n)); /* never half a character */
        i += k;
    }
    text_stream_end(&t, &got);
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.p, want.p, want.n);
    buf_release(&want);
    buf_release(&got);
}

static void whole_characters_come_out(void **state)
{
    const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 plain";

    for (uint64_t seed = 0; seed < 50; seed++)
        check(text, sizeof text - 1, seed);
}

static void broken_bytes_are_replaced_once(void **state)
{
    static const unsigned char alphabet[] = { 'a',  0x80, 0xbf, 0xc2, 0xe2, 0x82, 0xac,
                                              0xed, 0xa0, 0xf0, 0x90, 0xf4, 0xff, 0xe0 };
    char bytes[40];

    for (uint64_t seed = 0; seed < 20000; seed++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)alphabet[rng_at(seed, 1, i) % sizeof alphabet];
        check(bytes, sizeof bytes, seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(whole_characters_come_out),
                                        cmocka_unit_test(broken_bytes_are_replaced_once) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
