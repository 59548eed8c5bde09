/* The step `command` in one process: answers, changes, failures and what each rule of failure makes of them. */
#include "one_chain.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>

#include "base/json.h"

/* A chain with one program: `words` is a YAML list, `more` further options (", timeout: 1s"). */
static void begin(struct one_chain *c, const char *words, const char *more)
{
    struct buf steps = { 0 };

    buf_printf(&steps, "[extract, {command: {run: %s%s}}]", words, more);
    one_chain_begin(c, steps.p);
    buf_release(&steps);
}

/* A program in sh that answers each line with that text. */
static void begin_saying(struct one_chain *c, const char *answer, const char *more)
{
    struct buf words = { 0 };

    buf_printf(&words, "[sh, -c, 'while read -r l; do echo \"$1\"; done', sh, '%s']", answer);
    begin(c, words.p, more);
    buf_release(&words);
}

static void check_text(const struct one_chain *c, const char *text)
{
    if (c->doc->text.n != strlen(text) || memcmp(c->doc->text.p, text, c->doc->text.n) != 0)
        fail_msg("the text is '%.200s', want '%s'", c->doc->text.p, text);
}

static void answers_keep_change_and_drop(void **state)
{
    struct one_chain c;

    begin(&c, "[cat]", "");
    assert_string_equal(one_chain_verdict(&c, "a \"text\"\nof \\ two\xC3\xA9 lines\x01"), "stays");
    check_text(&c, "a \"text\"\nof \\ two\xC3\xA9 lines\x01");
    assert_string_equal(one_chain_verdict(&c, "another"), "stays");
    one_chain_end(&c);

    begin_saying(&c, "{\"text\": \"n\\\\u00e9w\", \"score\": 0.25, \"metadata\": {\"a\": [1]}}", "");
    assert_string_equal(one_chain_verdict(&c, "old"), "stays");
    check_text(&c, "n\xC3\xA9w");
    assert_string_equal(c.doc->metadata, "{\"a\":[1]}");
    assert_int_equal(c.work.trace.values[0].side, TRACE_TELLS);
    assert_true(c.work.trace.values[0].value == 0.25);
    one_chain_end(&c);

    begin_saying(&c, "{\"keep\": false, \"reason\": \"not nice\", \"score\": 1}", "");
    assert_string_equal(one_chain_verdict(&c, "x"), "command_dropped");
    assert_string_equal(c.doc->said, "not nice");
    one_chain_end(&c);

    begin_saying(&c, "{\"text\": \"\"}", "");
    assert_string_equal(one_chain_verdict(&c, "x"), "empty");
    one_chain_end(&c);
}

static void a_text_larger_than_all_pipes_comes_through(void **state)
{
    size_t n = 8 << 20;
    char *text = mem_alloc(n);
    struct one_chain c;

    for (size_t i = 0; i < n; i++)
        text[i] = i % 80 ? (char)('a' + i % 26) : '\n';
    begin(&c, "[cat]", "");
    assert_ok(one_chain_pass(&c, "large", (struct span){ text, n }));
    assert_true(c.doc->text.n == n && memcmp(c.doc->text.p, text, n) == 0);
    one_chain_end(&c);
    begin_saying(&c, "{}", ", on-failure: keep");           /* answers without having read all: it reads on */
    assert_ok(one_chain_pass(&c, "small", span_of("x")));
    one_chain_end(&c);
    free(text);
}

struct failure_case {
    const char *words, *more, *message;
};

static void failures_end_the_run_drop_or_keep(void **state)
{
    static const struct failure_case cases[] = {
        { "[sh, -c, 'read -r l; echo it hurts >&2; exit 5']", "", "exit code 5" },
        { "[sh, -c, 'read -r l; echo it hurts >&2; exit 5']", "", "it said: it hurts" },
        { "[sh, -c, 'exit 0']", "", "it ended with exit code 0" },
        { "[sh, -c, 'read -r l; kill -9 $$']", "", "signal 9" },
        { "[sh, -c, 'exec 1>&-; sleep 0.2; exit 4']", "", "exit code 4" },
        { "[sh, -c, 'while read -r l; do echo \"no json\"; done']", "", "no JSON object" },
        { "[sh, -c, 'while read -r l; do echo \"{}\" | tr -d \"\\n\"; done']", ", timeout: 1s", "no answer came in time" },
        { "[sh, -c, 'sleep 1000']", ", timeout: 1s", "no answer came in time" },
        { "[sh, -c, 'trap \"\" TERM PIPE; while :; do :; done']", ", timeout: 1s", "no answer came in time" },
        { "[cat, /dev/zero]", ", timeout: 20s", "no end" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct one_chain c;
        struct buf more = { 0 };

        begin(&c, cases[i].words, cases[i].more);
        assert_int_equal(one_chain_pass(&c, "the-id", span_of("x")), ST_FAILED);
        if (strstr(fail_message(), cases[i].message) == NULL || strstr(fail_message(), "'the-id'") == NULL)
            fail_msg("'%s' is not in: %s", cases[i].message, fail_message());
        one_chain_end(&c);
        if (i % 2 == 0)
            continue;
        buf_printf(&more, "%s, on-failure: %s", cases[i].more, i % 4 == 1 ? "drop" : "keep");
        begin(&c, cases[i].words, more.p);
        for (int k = 0; k < 2; k++)                          /* the second one gets a new process */
            assert_string_equal(one_chain_verdict(&c, "x"), i % 4 == 1 ? "command_failed" : "stays");
        one_chain_end(&c);
        buf_release(&more);
    }
}

static void wrong_answers_are_named(void **state)
{
    static const char *const cases[][2] = {
        { "[1, 2]", "no JSON object" }, { "{\"kep\": true}", "none of keep" }, { "{\"keep\": 1}", "not true or false" },
        { "{\"text\": 5}", "not a text" }, { "{\"metadata\": []}", "not an object" }, { "{\"id\": \"y\"}", "another document" },
        { "{\"score\": \"1\"}", "not a number" }, { "", "no JSON object" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct one_chain c;

        begin_saying(&c, cases[i][0], "");
        assert_int_equal(one_chain_pass(&c, "x", span_of("text")), ST_FAILED);
        if (strstr(fail_message(), cases[i][1]) == NULL)
            fail_msg("%s: '%s' is not in: %s", cases[i][0], cases[i][1], fail_message());
        one_chain_end(&c);
    }
}

static void what_cannot_be_run_is_named(void **state)
{
    struct one_chain c;

    begin(&c, "[/nonexistent/program]", ", on-failure: keep");
    assert_int_equal(one_chain_pass(&c, "x", span_of("text")), ST_MISSING);
    assert_non_null(strstr(fail_message(), "/nonexistent/program"));
    one_chain_end(&c);
}

static size_t open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void nothing_is_left_open(void **state)
{
    size_t before = open_files();

    what_cannot_be_run_is_named(state);
    wrong_answers_are_named(state);
    answers_keep_change_and_drop(state);
    assert_int_equal(open_files(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_keep_change_and_drop),
        cmocka_unit_test(a_text_larger_than_all_pipes_comes_through),
        cmocka_unit_test(failures_end_the_run_drop_or_keep),
        cmocka_unit_test(wrong_answers_are_named),
        cmocka_unit_test(what_cannot_be_run_is_named),
        cmocka_unit_test(nothing_is_left_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
