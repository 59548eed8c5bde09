#include "tests/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "curate/html/html_part.h"
#include "curate/html/html.h"

/* "title\n---\ntext": what the golden files hold. */
static void page_text(const char *p, size_t n, struct buf *out)
{
    struct buf title = { 0 }, text = { 0 };
    struct html_result r = { .title = &title };

    assert_ok(html_main_text(p, n, &text, &r));
    assert_false(r.too_deep);
    assert_true(utf8_valid(text.p, text.n));
    buf_printf(out, "%s\n---\n%s", title.n ? title.p : "", text.n ? text.p : "");
    buf_release(&title);
    buf_release(&text);
}

static char *text_of(const char *page)
{
    struct html_result r = { .title = NULL };
    struct buf text = { 0 };

    assert_ok(html_main_text(page, strlen(page), &text, &r));
    return text.p != NULL ? text.p : mem_strdup("");
}

#define assert_text(page, want)             \
    do {                                    \
        char *got_ = text_of(page);         \
        assert_string_equal(got_, want);    \
        free(got_);                         \
    } while (0)

static int is_page(const struct dirent *e) { return str_ends_with(e->d_name, ".html"); }

/* Each golden/X.html gives golden/X.txt. */
static void pages_of_many_generators_come_out_as_written_down(void **state)
{
    struct dirent **names;
    struct arena a;
    int n, wrong = 0;
    const char *folder;

    arena_init(&a);
    folder = arena_printf(&a, "%.*s/golden", (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
    n = scandir(folder, &names, is_page, alphasort);
    assert_true(n >= 10);
    for (int i = 0; i < n; i++) {
        struct buf page = { 0 }, got = { 0 }, want = { 0 };
        char *path = path_join(&a, folder, names[i]->d_name);
        assert_ok(file_read(path, 1 << 20, &page));
        strcpy(path + strlen(path) - 5, ".txt");
        assert_ok(file_read(path, 1 << 20, &want));
        page_text(page.p, page.n, &got);
        if (got.n != want.n || memcmp(got.p, want.p, got.n) != 0) {
            print_error("%s: got\n%s\n", names[i]->d_name, got.p);
            wrong++;
        }
        buf_release(&page);
        buf_release(&got);
        buf_release(&want);
        free(names[i]);
    }
    free(names);
    arena_release(&a);
    assert_int_equal(wrong, 0);
}

static void the_charset_is_the_marks_the_declared_or_a_guess(void **state)
{
    assert_text("\xef\xbb\xbf<meta charset=latin1><p>\xc3\xa9", "\xc3\xa9\n");
    assert_text("<meta charset=windows-1251><p>\xcf\xf0\xe8", "\xd0\x9f\xd1\x80\xd0\xb8\n");
    assert_text("<meta charset='Shift_JIS'><p>\x93\xfa\x96\x7b", "\xe6\x97\xa5\xe6\x9c\xac\n");
    assert_text("<p>\xc3\xa9 valid UTF-8", "\xc3\xa9 valid UTF-8\n");
    assert_text("<p>\xe9t\xe9 \x93no UTF-8\x94", "\xc3\xa9t\xc3\xa9 \xe2\x80\x9cno UTF-8\xe2\x80\x9d\n");
    /* a false declaration: nobody writes these two bytes in Latin-1 */
    assert_text("<meta charset=iso-8859-1><p>\xc3\xa9", "\xc3\xa9\n");
    assert_text("<meta charset=utf-8><p>a\xff" "b", "a\xef\xbf\xbd" "b\n");
    assert_text("<?xml version='1.0' encoding='ISO-8859-2'?><html><p>\xb1", "\xc4\x85\n");
    /* not a charset that is passed on, whatever iconv thinks of it */
    assert_text("<meta charset=UTF-7><p>1 +- \xe9", "1 +- \xc3\xa9\n");
    assert_text("<meta charset=big5><p>\xa4\xa4\xa4", "\xe4\xb8\xad\xef\xbf\xbd\n");
}

static void spaces_and_invisible_characters_are_evened_out(void **state)
{
    assert_text("<p>a\xc2\xa0 \xe2\x80\x89\n\tb\xc2\xad" "c\xe2\x80\x8b" "d\xef\xbb\xbf</p>", "a bcd\n");
    assert_text("<pre>\n\n  a\xc2\xa0" "b\r\nc<br>d\n\n</pre><p>e", "  a b\nc\nd\n\ne\n");
    assert_text("<p>1<br><br>2</p>  <p> </p><p>3", "1\n\n2\n\n3\n");
    assert_text("", "");
    assert_text("<p> </p><script>x</script>", "");
}

static void nul_bytes_are_passed_over(void **state)
{
    static const char page[] = "<p>a\0b</p><\0p>c<scr\0ipt>no</script><p \0>d";
    struct html_result r = { .title = NULL };
    struct buf text = { 0 };

    assert_ok(html_main_text(page, sizeof page - 1, &text, &r));
    assert_non_null(strstr(text.p, "ab"));
    assert_non_null(strstr(text.p, "d"));
    assert_int_equal(strlen(text.p), text.n);
    buf_release(&text);
}

/* The processor's seconds for n copies of `piece`. */
static double seconds_of(const char *head, const char *piece, size_t n, struct html_result *r)
{
    struct buf page = { 0 }, text = { 0 };
    clock_t start;

    buf_adds(&page, head);
    for (size_t i = 0; i < n; i++)
        buf_adds(&page, piece);
    start = clock();
    assert_ok(html_main_text(page.p, page.n, &text, r));
    start = clock() - start;
    buf_release(&page);
    buf_release(&text);
    return (double)start / CLOCKS_PER_SEC;
}

static void deep_nesting_is_cut_and_told(void **state)
{
    struct html_result r = { .title = NULL };
    struct buf page = { 0 }, text = { 0 };

    assert_true(seconds_of("", "<div>x", 100000, &r) < 10);
    assert_true(r.too_deep);
    buf_adds(&page, "<p>kept</p>");
    for (int i = 0; i < 240; i++)
        buf_adds(&page, "<div>");
    buf_adds(&page, "at the bottom");
    assert_ok(html_main_text(page.p, page.n, &text, &r));
    assert_false(r.too_deep);
    assert_string_equal(text.p, "kept\n\nat the bottom\n");
    buf_clear(&text);
    for (int i = 0; i < 20; i++)
        buf_adds(&page, "<div>");
    buf_adds(&page, "lost");
    assert_ok(html_main_text(page.p, page.n, &text, &r));
    assert_true(r.too_deep);
    assert_string_equal(text.p, "kept\n\nat the bottom\n");
    buf_release(&page);
    buf_release(&text);
}

/* Each of these makes some naive step quadratic: they would take minutes. Generous, for sanitizers are slow. */
static void odd_pages_take_linear_time(void **state)
{
    static const struct {
        const char *head, *piece;
        size_t n;
    } pages[] = {
        { "<a ", "b ", 300000 },                      /* attributes of one element */
        { "", "<!-- ", 200000 },                      /* comments that do not end */
        { "", "<h2></h2>", 100000 },                  /* empty headings */
        { "", "<h2>a</h2>", 100000 },
        { "<ul>", "<li>", 200000 },
        { "<dl>", "<dt>", 200000 },
        { "<table><tr>", "<td>", 200000 },
        { "<table>", "<tr><td>", 100000 },
        { "", "</b>", 200000 },                       /* ends without a beginning */
        { "", "<p><b>", 40 },
        { "", "<script", 100000 },
        { "", "<script>", 100000 },
        { "", "<![CDATA[", 100000 },
        { "", "&", 500000 },
        { "<header>", "<header></header>", 50000 },
        { "<pre>", "\r\n<br>", 100000 },
        { "", "<a href=x>#</a>", 50000 },
        { "<div class='", "word ", 100000 },
        { "<div class='", "related--", 100000 },
        { "", "<table><tr><td>", 100000 },            /* tables in tables */
        { "<p>", "&amp;&#x41;&eacute;&nosuch;", 50000 },
        { "<p>", "words of a text without an end ", 100000 },
        { "<svg>", "<svg><path d='M0'>", 50000 },
        { "<p ", "data-a='1' ", 1000000 },
        { "<article>", "<article><a href=x>a teaser of a text</a>", 50000 },
        { "<p>A text of some length that is prose to whom reads it, and long enough.</p>", "<p><a href=x>read this one too</a></p>", 50000 },
        { "", "<div><a href=x>read this one too</a></div><h2>a</h2>", 30000 },
        { "", "<meta charset", 100000 },
        { "<!DOCTYPE ", "<", 300000 },
    };

    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        struct html_result r = { .title = NULL };
        double s = seconds_of(pages[i].head, pages[i].piece, pages[i].n, &r);
        if (s > 60)          /* under 2 s; a quadratic step takes minutes */
            fail_msg("%zu times '%s' took %.1f s", pages[i].n, pages[i].piece, s);
    }
}

static void many_attributes_are_cut_not_the_text(void **state)
{
    struct html_result r = { .title = NULL };
    struct buf page = { 0 }, text = { 0 };

    buf_adds(&page, "<p ");
    for (int i = 0; i < 2000; i++)
        buf_printf(&page, "a%d='>' ", i);
    buf_adds(&page, ">the text</p><p>and more");
    assert_ok(html_main_text(page.p, page.n, &text, &r));
    assert_string_equal(text.p, "the text\n\nand more\n");
    buf_release(&page);
    buf_release(&text);
}

static void text_is_appended_and_titles_replaced(void **state)
{
    struct buf title = { 0 }, text = { 0 };
    struct html_result r = { .title = &title };

    buf_adds(&title, "old");
    buf_adds(&text, "before: ");
    assert_ok(html_main_text("<title>\n a  &lt;\n</title><p>x", 29, &text, &r));
    assert_string_equal(text.p, "before: x\n");
    assert_string_equal(title.p, "a <");
    buf_release(&title);
    buf_release(&text);
}

/* The class words are searched by halving: one out of order would be lost without a sign. */
static void every_class_word_is_found(void **state)
{
    static const char *const soft[] = {
        "ads", "anchor-link", "breadcrumb", "breadcrumbs", "catlinks", "copyright", "footer", "footnote-reference",
        "genindextable", "headerlink", "id_link", "indexdiv", "linenos", "menu", "navbar", "navfooter", "navheader",
        "permalink", "prev-next", "related", "rst-versions", "sidebar", "sphinxsidebar", "toc", "toctree-wrapper",
        "wy-side-nav-search",
    };

    for (size_t i = 0; i < sizeof soft / sizeof soft[0]; i++) {
        char page[128];
        snprintf(page, sizeof page, "<p>text that stays in its place</p><div class='x %s'>gone</div>", soft[i]);
        assert_text(page, "text that stays in its place\n");
    }
    assert_text("<p>text</p><div class='tocs Menuette footer-note'>stays</div>", "text\n\nstays\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_many_generators_come_out_as_written_down),
        cmocka_unit_test(the_charset_is_the_marks_the_declared_or_a_guess),
        cmocka_unit_test(spaces_and_invisible_characters_are_evened_out),
        cmocka_unit_test(nul_bytes_are_passed_over),
        cmocka_unit_test(deep_nesting_is_cut_and_told),
        cmocka_unit_test(odd_pages_take_linear_time),
        cmocka_unit_test(many_attributes_are_cut_not_the_text),
        cmocka_unit_test(text_is_appended_and_titles_replaced),
        cmocka_unit_test(every_class_word_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
