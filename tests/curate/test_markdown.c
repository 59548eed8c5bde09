#include "tests/test.h"

#include "curate/text/markdown.h"
#include "base/bench.h"

static void becomes(const char *markdown, const char *want)
{
    struct buf out = { 0 };

    markdown_text(span_of(markdown), &out);
    assert_string_equal(out.p ? out.p : "", want);
    buf_release(&out);
}

static void blocks_lose_their_marks(void **state)
{
    becomes("# Title #\n\nText\n====\nmore\n\n---\n> quoted\n> > twice\n", "Title\n\nText\nmore\n\nquoted\ntwice\n");
    becomes("- one\n* two\n1. three\n", "- one\n* two\n1. three\n");
    becomes("---\ntitle: x\n---\nBody", "Body\n");
    becomes("+++\nx = 1\n+++\nBody\n", "Body\n");
    becomes("--- \nno end\n", "no end\n");
    becomes("```c\nint *a_b_ = 1; // **x**\n```\nafter\n~~~\n<!-- code -->\n~~~\n", "int *a_b_ = 1; // **x**\nafter\n<!-- code -->\n");
    becomes("| a | **b** |\n|---|:-:|\n| 1 | x\\|y |\n", "a\tb\n1\tx|y\n");
    becomes("text [1]\n\n[1]: http://x \"t\"\n", "text [1]\n\n");
    becomes("#hash\n####### seven\n", "#hash\n####### seven\n");
}

static void inline_marks_go_and_what_is_none_stays(void **state)
{
    becomes("**bold** and *it* __b__ _i_ ~~gone~~ ***both***", "bold and it b i gone both\n");
    becomes("snake_case_name 5 * 3 * 2 and 2*x", "snake_case_name 5 * 3 * 2 and 2*x\n");
    becomes("over *two\nlines* here", "over two\nlines here\n");
    becomes("a `code * _x_` b ``c ` d`` \\*no\\*", "a code * _x_ b c ` d *no*\n");
    becomes("[text](http://x/(y) \"t\") ![alt](i.png) [ref][1] [plain] [a] (b)", "text alt ref [plain] [a] (b)\n");
    becomes("[![badge](b.png)](http://x) end", "badge end\n");
    becomes("note[^1] <b>x</b><br/> <https://a.b/c> a < b > c <a href=\"http://x\">l</a>", "note x https://a.b/c a < b > c l\n");
    becomes("a <!-- gone --> b\n<!-- over\nlines --> c\n`<!--` d", "a\n b\n c\n<!-- d\n");
}

static void hostile_input_takes_linear_time(void **state)
{
    static const char *const parts[] = { "[", "[a](", "*a", "**", "_a *b", "`a``", "<a", "> ", "![", "~~a", "|", "<!-- " };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct buf in = { 0 }, out = { 0 };
        double start;

        while (in.n < 1 << 20)
            buf_adds(&in, parts[i]);
        start = bench_now();
        markdown_text((struct span){ in.p, in.n }, &out);
        assert_true(bench_now() - start < 20);      /* a square would take hours */
        assert_true(out.n <= in.n + 1);
        buf_release(&in);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_lose_their_marks),
        cmocka_unit_test(inline_marks_go_and_what_is_none_stays),
        cmocka_unit_test(hostile_input_takes_linear_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
