/* What is main text and what stands beside it: a page for each cause. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "curate/html/html.h"

#define P1 "<p>The first paragraph of the text is long enough that anyone would take it for prose, which it is.</p>"
#define P2 "<p>The second paragraph goes on where the first one ended, and says a thing or two about what it said.</p>"
#define P3 "<p>The third paragraph, after a while, is the one that everybody remembers of texts that have three of them.</p>"
#define OFF "<p>This here stands beside the text, and whoever reads the text for its own sake would rather be without it.</p>"

static char *text_of(const char *page)
{
    struct html_result r = { .title = NULL };
    struct buf text = { 0 };

    assert_ok(html_main_text(page, strlen(page), &text, &r));
    return text.p != NULL ? text.p : mem_strdup("");
}

/* Which of the paragraphs came out, in order. */
static void came(const char *page, const char *want)
{
    static const struct {
        const char *text, *sign;
    } signs[] = { { "The first", "1" }, { "The second", "2" }, { "The third", "3" }, { "beside the text", "x" } };
    char *text = text_of(page);
    char got[8] = "";

    for (int i = 0; i < 4; i++)
        if (strstr(text, signs[i].text) != NULL)
            strcat(got, signs[i].sign);
    if (strcmp(got, want) != 0)
        fail_msg("'%s' came instead of '%s' from %s: %s", got, want, page, text);
    free(text);
}

static void names_of_parts_say_what_stands_beside(void **state)
{
    static const char *const names[] = {
        "related-posts", "relatedPosts", "story__share", "newsletter-signup", "post_tags", "entry-meta", "ad-slot", "cookie-consent",
        "c-author-bio", "RecommendedArticles", "block-most-popular",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buf page = { 0 };
        buf_printf(&page, "<body>" P1 P2 P3 "<div class='%s'>" OFF "</div></body>", names[i]);
        came(page.p, "123");
        buf_release(&page);
    }
}

static void names_of_layout_and_subject_do_not(void **state)
{
    came("<body><div class='page has-sidebar no-comments'><div class='row with-ads'>" P1 P2 "</div></div>" P3, "123");
    came("<body>" P1 P2 "<div class='section section--ads'>" P3 "</div>", "123");
    came("<body><article class='post type-post category-newsletter tag-related'>" P1 P2 P3 "</article>", "123");
    came("<body class=has-cookie-banner>" P1 P2 P3, "123");
}

static void comments_go_unless_they_are_all_there_is(void **state)
{
    came("<body><article>" P1 P2 P1 P2 P3 "</article><div id=comments><h2>Two comments</h2>" OFF OFF OFF OFF OFF OFF OFF "</div>", "123");
    came("<body><h1>Thread</h1><div class=comment>" P1 "</div><div class=comment>" P2 "</div><div class=comment>" P3 "</div>", "123");
    /* a manual's section about comments */
    came("<body>" P1 "<div class=section id=comments-in-code><h2>Comments in code</h2>" P2 "</div>" P3, "123");
}

static void a_navigation_that_does_not_end_keeps_the_text(void **state)
{
    came("<body><header><nav class=navbar><ul><li><a href=/>Home</a></ul><main><div class='entry-content'>" P1 P2 P1 P2 P3
         "</div></main>", "123");
}

static void of_several_articles_the_first(void **state)
{
    came("<body><article><h1>A</h1>" P1 P2 P1 P2 P3 "</article><article><h1>B</h1>" OFF OFF OFF OFF OFF "</article>", "123");
    /* teasers inside */
    came("<body><article><h1>A</h1>" P1 P2 P1 P2 P1 P2 P3 "<article><a href=/b>one that stands beside the text</a></article></article>", "123");
}

static void a_text_in_pieces_stays_whole(void **state)
{
    came("<body><div><h1>A</h1><div class='article-body'>" P1 "</div><div class='image'></div><div class='article-body'>" P2
         "</div><div class='article-body'>" P3 "</div></div>", "123");
    came("<body><div class='story-content'>" P1 P2 P3 "</div><div class=box>" OFF "</div>", "123");
}

static void what_is_hidden_is_not_read(void **state)
{
    came("<body>" P1 P2 P3 "<div style='color:red; display: none'>" OFF "</div>", "123");
    came("<body>" P1 P2 P3 "<div hidden>" OFF "</div>", "123");
    came("<body>" P1 P2 P3 "<noscript>" OFF "</noscript>", "123");
    came("<body><div class=post><noscript>" P1 P2 P3 "</noscript></div>", "123");      /* all there is */
}

static void names_that_mislead_are_not_believed(void **state)
{
    came("<body><div class='gallery'>" P1 "</div><div class='carousel'>" P2 "</div><div class='gallery'>" P3 P1 P2 "</div><div class='slideshow'>"
         P3 P2 P1 "</div>", "123");
}

static void captions_go_with_their_pictures(void **state)
{
    char *text = text_of("<body>" P1 "<figure><img src=a><figcaption>A picture's words</figcaption></figure>" P2
                         "<figure><table><tr><td>cell<td>wall</table><figcaption>A table's words</figcaption></figure>" P3);

    assert_null(strstr(text, "A picture's words"));
    assert_non_null(strstr(text, "A table's words"));
    free(text);
}

static void lines_that_lead_away_go(void **state)
{
    char *text = text_of("<body>" P1 "<p><a href=/x>Read this other thing</a></p>" P2 "<h2>See also</h2><p><a href=/y>The manual's other page</a></p>" P3
                         "<h2>Read more</h2>");

    assert_null(strstr(text, "this other thing"));
    assert_non_null(strstr(text, "See also"));
    assert_non_null(strstr(text, "other page"));
    assert_null(strstr(text, "Read more"));
    free(text);
}

static void names_of_syntax_are_not_names_of_parts(void **state)
{
    char *text = text_of("<body>" P1 "<pre><span class='hljs-meta'>#!/bin/sh</span>\n<span class='comment'># a comment</span>\n"
                         "<span class=date>date</span></pre>" P2 P3);

    assert_non_null(strstr(text, "#!/bin/sh\n# a comment\ndate"));
    free(text);
}

static void the_title_is_the_last_one_before_the_text(void **state)
{
    char *text = text_of("<body><div><h1>The Site</h1></div><div><h1>The Title</h1></div><div class='post-content'>" P1 P2 P3 "</div>");

    assert_ptr_equal(strstr(text, "The Title"), text);
    assert_null(strstr(text, "The Site"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_parts_say_what_stands_beside),
        cmocka_unit_test(names_of_layout_and_subject_do_not),
        cmocka_unit_test(comments_go_unless_they_are_all_there_is),
        cmocka_unit_test(a_navigation_that_does_not_end_keeps_the_text),
        cmocka_unit_test(of_several_articles_the_first),
        cmocka_unit_test(a_text_in_pieces_stays_whole),
        cmocka_unit_test(what_is_hidden_is_not_read),
        cmocka_unit_test(names_that_mislead_are_not_believed),
        cmocka_unit_test(captions_go_with_their_pictures),
        cmocka_unit_test(lines_that_lead_away_go),
        cmocka_unit_test(names_of_syntax_are_not_names_of_parts),
        cmocka_unit_test(the_title_is_the_last_one_before_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
