#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "child.h"

static void integers_are_little_endian_of_any_width(void **state)
{
    const unsigned char bytes[] = { 1, 2, 3, 4, 5, 6, 7, 0x88 };
    static const uint64_t want[] = { 0, 0x01, 0x0201, 0x030201, 0x04030201, 0x0504030201, 0x060504030201,
                                     0x07060504030201, 0x8807060504030201 };

    for (int n = 1; n <= 8; n++) {
        struct cursor c = cursor_over(bytes, sizeof bytes);

        assert_true(cursor_uint(&c, n) == want[n]);
        assert_int_equal(cursor_offset(&c), n);
        assert_int_equal(cursor_left(&c), 8 - n);
        assert_true(cursor_ok(&c));
    }
}

static void a_read_past_the_end_sticks(void **state)
{
    char *bytes = malloc(6);   /* on the heap, for the sanitizer */
    struct cursor c;

    memcpy(bytes, "\1\2\3\4\5\6", 6);
    c = cursor_over(bytes, 6);
    assert_int_equal(cursor_uint(&c, 4), 0x04030201);
    assert_int_equal(cursor_uint(&c, 4), 0);
    assert_false(cursor_ok(&c));
    assert_int_equal(cursor_uint(&c, 1), 0);          /* though a byte is there */
    assert_int_equal(cursor_bytes(&c, 0).n, 0);
    assert_int_equal(cursor_left(&c), 0);
    assert_int_equal(cursor_offset(&c), 4);
    free(bytes);
}

static void bytes_are_borrowed_and_huge_lengths_refused(void **state)
{
    const char text[] = "name and more";
    struct cursor c = cursor_over(text, 13);
    struct span s = cursor_bytes(&c, 4);

    assert_true(span_eq(s, "name"));
    assert_ptr_equal(s.p, text);
    s = cursor_bytes(&c, UINT64_MAX);
    assert_int_equal(s.n, 0);
    assert_non_null(s.p);
    assert_false(cursor_ok(&c));
    c = cursor_over(text, 13);
    assert_int_equal(cursor_bytes(&c, 13).n, 13);
    assert_true(cursor_ok(&c));
    cursor_uint(&c, 1);
    assert_false(cursor_ok(&c));
}

static void nothing_can_be_read_from_nothing(void **state)
{
    struct cursor c = cursor_over(NULL, 0);

    assert_int_equal(cursor_bytes(&c, 0).n, 0);
    assert_true(cursor_ok(&c));
    assert_int_equal(cursor_uint(&c, 8), 0);
    assert_false(cursor_ok(&c));
}

static void read_nine_bytes(void *ctx)
{
    struct cursor c = cursor_over("123456789", 9);

    cursor_uint(&c, 9);
}

static void a_width_of_nine_is_our_fault(void **state)
{
    assert_int_equal(child_run(read_nine_bytes, NULL).code, 128 + SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_little_endian_of_any_width),
        cmocka_unit_test(a_read_past_the_end_sticks),
        cmocka_unit_test(bytes_are_borrowed_and_huge_lengths_refused),
        cmocka_unit_test(nothing_can_be_read_from_nothing),
        cmocka_unit_test(a_width_of_nine_is_our_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
