#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/status.h"
#include "base/str.h"
#include "child.h"

static void names_are_lower_case_and_codes_those_of_the_list(void **state)
{
    assert_string_equal(status_name(ST_OK), "ok");
    assert_string_equal(status_name(ST_INTEGRITY), "integrity");
    assert_string_equal(status_name(ST_UNSUPPORTED), "unsupported");
    assert_string_equal(status_name(ST_INTERRUPTED), "interrupted");
    assert_int_equal(status_exit_code(ST_OK), 0);
    assert_int_equal(status_exit_code(ST_FORMAT), 2);
    assert_int_equal(status_exit_code(ST_GATE), 3);
    assert_int_equal(status_exit_code(ST_INTERRUPTED), 130);
}

static void fail_records_and_replaces(void **state)
{
    assert_int_equal(fail(ST_IO, "saw %d, want %s", 3, "four"), ST_IO);
    assert_string_equal(fail_message(), "saw 3, want four");
    assert_int_equal(fail(ST_FORMAT, "second"), ST_FORMAT);
    assert_string_equal(fail_message(), "second");
}

static void fail_errno_tells_the_cause_even_if_formatting_changes_it(void **state)
{
    errno = ENOENT;
    assert_int_equal(fail_errno(ST_MISSING, "cannot open '%s'", "x"), ST_MISSING);
    assert_string_equal(fail_message(), "cannot open 'x': No such file or directory");
}

static void fail_within_goes_in_front(void **state)
{
    fail(ST_FORMAT, "bad byte");
    assert_int_equal(fail_within(ST_FORMAT, "in '%s': ", "f"), ST_FORMAT);
    assert_string_equal(fail_message(), "in 'f': bad byte");
    fail_within(ST_FORMAT, "stage 2, ");
    assert_string_equal(fail_message(), "stage 2, in 'f': bad byte");
}

static void a_message_may_quote_the_last_one(void **state)
{
    fail(ST_IO, "inner");
    fail(ST_FAILED, "outer (%s)", fail_message());
    assert_string_equal(fail_message(), "outer (inner)");
}

static void a_long_message_is_cut_between_characters(void **state)
{
    char text[9001];

    for (int i = 0; i < 9000; i += 3)
        memcpy(text + i, "\xE2\x82\xAC", 3);   /* euro signs: 4000 is no multiple of 3 */
    text[9000] = 0;
    fail(ST_IO, "%s", text);
    assert_int_equal(strlen(fail_message()), 3999);
    assert_true(utf8_valid(fail_message(), strlen(fail_message())));

    memset(text, 'a', 4000);
    text[4000] = 0;
    fail(ST_IO, "%s", text);
    assert_int_equal(strlen(fail_message()), 4000);
    fail_within(ST_IO, "%s", "front ");
    assert_int_equal(strlen(fail_message()), 4000);
    assert_memory_equal(fail_message(), "front aaa", 9);
    memset(text, 'b', 9000);
    fail_within(ST_IO, "%s", text);
    assert_int_equal(strlen(fail_message()), 4000);
    assert_int_equal(fail_message()[3999], 'b');
}

static void *fail_elsewhere(void *ctx)
{
    assert_string_equal(fail_message(), "");
    failure_save(ctx, fail(ST_LIMIT, "from the worker"));
    return NULL;
}

static void messages_belong_to_threads_and_can_be_moved(void **state)
{
    struct failure f;
    pthread_t t;

    fail(ST_IO, "mine");
    assert_int_equal(pthread_create(&t, NULL, fail_elsewhere, &f), 0);
    pthread_join(t, NULL);
    assert_string_equal(fail_message(), "mine");
    assert_int_equal(failure_restore(&f), ST_LIMIT);
    assert_string_equal(fail_message(), "from the worker");
}

static enum status try_it(enum status st, int *reached)
{
    TRY(st);
    *reached = 1;
    return ST_OK;
}

static void try_passes_failures_up(void **state)
{
    int reached = 0;

    assert_int_equal(try_it(ST_GATE, &reached), ST_GATE);
    assert_int_equal(reached, 0);
    assert_int_equal(try_it(ST_OK, &reached), ST_OK);
    assert_int_equal(reached, 1);
}

static void bug(void *ctx)
{
    BUG_IF(*(int *)ctx == 7);
}

static void fail_with_ok(void *ctx)
{
    fail(ST_OK, "never");
}

static void a_bug_aborts_and_names_its_line(void **state)
{
    int n = 7;
    struct child_end end = child_run(bug, &n);

    assert_int_equal(end.code, 128 + SIGABRT);
    assert_non_null(strstr(end.words, "test_status.c:"));
    assert_non_null(strstr(end.words, "*(int *)ctx == 7"));
    n = 8;
    assert_int_equal(child_run(bug, &n).code, 0);
    assert_int_equal(child_run(fail_with_ok, NULL).code, 128 + SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_lower_case_and_codes_those_of_the_list),
        cmocka_unit_test(fail_records_and_replaces),
        cmocka_unit_test(fail_errno_tells_the_cause_even_if_formatting_changes_it),
        cmocka_unit_test(fail_within_goes_in_front),
        cmocka_unit_test(a_message_may_quote_the_last_one),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(messages_belong_to_threads_and_can_be_moved),
        cmocka_unit_test(try_passes_failures_up),
        cmocka_unit_test(a_bug_aborts_and_names_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
