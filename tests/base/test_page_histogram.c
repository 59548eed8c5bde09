/* Histograms of a page: axes, bars, marks, and numbers that cannot be drawn. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>

#include "base/page.h"

static char *drawn(struct buf *out, const struct page_bin *bins, size_t count, double mark)
{
    page_histogram(out, &(struct page_histogram){ "<rule>", NULL, bins, count, mark, mark });
    return out->p;
}

static size_t times(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

static void shares_stand_on_an_even_axis(void **state)
{
    static const struct page_bin bins[] = { { 0, 0.1, 10, 0 }, { 0.5, 0.53125, 5, 5 }, { 1, 1.0625, 0, 1 } };
    struct buf out = { 0 };
    char *page = drawn(&out, bins, 3, 0.5);

    assert_non_null(strstr(page, "&lt;rule&gt;"));
    assert_non_null(strstr(page, ">0.25</text>"));
    assert_int_equal(times(page, "class=\"kept\""), 2);
    assert_int_equal(times(page, "class=\"broken\""), 2);
    assert_int_equal(times(page, "class=\"wanted\" x1=\"160.0\""), 1);       /* the middle of 6 to 314 */
    buf_release(&out);
}

static void counts_stand_on_doublings(void **state)
{
    static const struct page_bin bins[] = { { 0, 0.001, 1, 0 }, { 1, 1.0625, 1, 0 }, { 1024, 1088, 1, 1 } };
    struct buf out = { 0 };
    char *page = drawn(&out, bins, 3, 32);

    assert_non_null(strstr(page, ">100</text>"));
    assert_non_null(strstr(page, ">1000</text>"));
    assert_null(strstr(page, ">0.25</text>"));
    assert_int_equal(times(page, "class=\"kept\""), 3);
    assert_int_equal(times(page, "class=\"wanted\""), 1);
    buf_release(&out);
}

static void what_cannot_be_drawn_is_left_out(void **state)
{
    static const struct page_bin bins[] = {
        { NAN, 1, 5, 5 }, { 1, INFINITY, 5, 5 }, { 1, 2, -1, 5 }, { 1, 2, NAN, 0 }, { 3, 4, 0, 0 }, { 1, 2, 1e308, 0 },
    };
    static const struct page_bin far[] = { { -DBL_MAX, 0, 1, 0 }, { DBL_MIN, 1, 1, 0 }, { DBL_MAX, DBL_MAX, 1, 1 } };
    struct buf out = { 0 };

    assert_non_null(strstr(drawn(&out, bins, 6, 1), "nothing was measured"));
    assert_non_null(strstr(drawn(&out, NULL, 0, NAN), "nothing was measured"));
    buf_clear(&out);
    drawn(&out, far, 3, DBL_MAX);
    assert_null(strstr(out.p, "nan"));
    assert_null(strstr(out.p, "inf"));
    buf_clear(&out);
    drawn(&out, far, 3, NAN);
    assert_int_equal(times(out.p, "class=\"wanted\""), 0);
    buf_release(&out);
}

static void numbers_read_well(void **state)
{
    char text[28];

    assert_string_equal(page_number(100000, text), "100,000");
    assert_string_equal(page_number(0.15034, text), "0.1503");
    assert_string_equal(page_number(50, text), "50");
    assert_string_equal(page_number(-2000, text), "-2000");
    assert_string_equal(page_number(1e300, text), "1e+300");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_stand_on_an_even_axis), cmocka_unit_test(counts_stand_on_doublings),
        cmocka_unit_test(what_cannot_be_drawn_is_left_out), cmocka_unit_test(numbers_read_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
