#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "base/page.h"

#define R "\xEF\xBF\xBD"

static void hostile_text_stays_text(void **state)
{
    static const struct {
        const char *in, *out;
        size_t n;
    } cases[] = {
        { "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;", 25 },
        { "\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;", 18 },
        { "a\xFFz\xC3", "a" R "z" R, 4 },
        { "\x01\x1b[2J\x7f\t\n", R R "[2J" R "\t\n", 8 },
        { "a\0b", "a" R "b", 3 },
        { "\xC2\x85\xC2\xA0", R "\xC2\xA0", 4 },      /* a C1 control character, and none */
        { "\xE2\x80\xAEtxt\xE2\x81\xA6\xE2\x80\x94", R "txt" R "\xE2\x80\x94", 12 },  /* turned */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = { 0 };

        page_text(&out, cases[i].in, cases[i].n);
        assert_string_equal(out.p, cases[i].out);
        assert_true(utf8_valid(out.p, out.n));
        buf_release(&out);
    }
}

static void a_page_escapes_its_title_and_loads_nothing(void **state)
{
    struct buf out = { 0 };

    page_begin(&out, "<i>", "</title><script>");
    page_end(&out);
    assert_null(strstr(out.p, "<script"));
    assert_non_null(strstr(out.p, "<title>&lt;/title&gt;&lt;script&gt;: &lt;i&gt;</title>"));
    assert_null(strstr(out.p, "http:"));
    assert_null(strstr(out.p, "https:"));
    assert_null(strstr(out.p, "url("));
    assert_non_null(strstr(out.p, "content=\"default-src 'none';"));
    buf_release(&out);
}

static void bars_stay_within_their_track(void **state)
{
    struct buf out = { 0 };

    page_cell_bar(&out, 5, 1, 2);
    page_cell_bar(&out, 1, 0, 0);
    page_cell_bar(&out, NAN, NAN, 1);
    page_cell_bar(&out, 1, 9, 4);
    assert_non_null(strstr(out.p, "width:100.00%"));
    assert_non_null(strstr(out.p, "width:25.00%"));
    assert_non_null(strstr(out.p, "class=\"gone\" style=\"width:75.00%\""));
    assert_null(strstr(out.p, "nan"));
    assert_null(strstr(out.p, "inf"));
    buf_release(&out);
}

static void a_table_says_what_it_is(void **state)
{
    struct buf out = { 0 };

    page_table_begin(&out, "narrow", "\"A\" & <b>", "<who>|#how many|");
    page_row(&out, "<i>");
    buf_adds(&out, "</tr>");
    page_table_end(&out);
    assert_non_null(strstr(out.p, "tabindex=\"0\" aria-label=\"&quot;A&quot; &amp; &lt;b&gt;\""));
    assert_non_null(strstr(out.p, "<table class=\"narrow\"><caption>&quot;A&quot; &amp; &lt;b&gt;<"));
    assert_non_null(strstr(out.p, "<tr><th scope=\"col\">&lt;who&gt;</th>"
                                  "<th scope=\"col\" class=\"n\">how many</th><td></td></tr>"));
    assert_non_null(strstr(out.p, "<tr><th scope=\"row\">&lt;i&gt;</th></tr></tbody></table></div>"));
    buf_release(&out);
}

static void a_chart_draws_what_is_finite(void **state)
{
    double x[] = { 0, 1, 2, 3 }, y[] = { 4, NAN, INFINITY, 2 };
    struct page_line line = { x, y, 4, "raw", "each <step>" };
    struct buf out = { 0 };

    page_chart(&out, &(struct page_chart){ "loss \"<\"", "tokens", &line, 1, 600, 240 });
    assert_non_null(strstr(out.p, "aria-label=\"loss &quot;&lt;&quot;, from 2 to 4\""));
    assert_non_null(strstr(out.p, "</svg>each &lt;step&gt;</span>"));
    assert_non_null(strstr(out.p, "points=\"64.0,18.0 560.0,206.0 \""));
    assert_null(strstr(out.p, "nan"));
    assert_null(strstr(out.p, "inf"));
    buf_clear(&out);
    line.count = 0;
    page_chart(&out, &(struct page_chart){ "loss", "tokens", &line, 1, 600, 240 });
    assert_non_null(strstr(out.p, "nothing was measured"));
    assert_null(strstr(out.p, "<svg"));
    buf_release(&out);
}

/* Whatever was measured: a bounded drawing of numbers, with ticks that stay inside. */
static void a_chart_takes_any_numbers(void **state)
{
    static const double rows[][3] = {
        { 1, 2, 3 }, { 5, 5, 5 }, { 0, 0, 0 }, { -1e300, 0, 1e300 }, { 1e-300, 2e-300, 3e-300 },
        { 1e15, 1e15 + 1, 1e15 + 2 }, { -7, -7, -7 },
    };
    double x[] = { 4096, 8192, 401408 };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct page_line line = { x, rows[i], 3, "raw", NULL };
        struct buf out = { 0 };

        page_chart(&out, &(struct page_chart){ "loss", "tokens", &line, 1, 600, 160 });
        if (strstr(out.p, "nan") != NULL || strstr(out.p, "inf") != NULL || out.n > 8000)
            fail_msg("row %zu: %s", i, out.p);
        assert_non_null(strstr(out.p, "class=\"axis\""));
        assert_non_null(strstr(out.p, ">100 k</text>"));
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_text_stays_text),
        cmocka_unit_test(a_page_escapes_its_title_and_loads_nothing),
        cmocka_unit_test(bars_stay_within_their_track),
        cmocka_unit_test(a_table_says_what_it_is),
        cmocka_unit_test(a_chart_draws_what_is_finite),
        cmocka_unit_test(a_chart_takes_any_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
