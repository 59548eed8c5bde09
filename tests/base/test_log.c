#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pty.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/progress.h"
#include "child.h"

/* Runs fn with a terminal of 60 columns as its stderr; what it wrote there goes to words. */
static void on_a_terminal(void (*fn)(void *), const char *no_color, char *words, size_t size)
{
    struct winsize window = { .ws_row = 20, .ws_col = 60 };
    int master, slave, status;
    size_t used = 0;
    ssize_t n;
    pid_t pid;

    if (openpty(&master, &slave, NULL, NULL, &window) != 0)
        skip();      /* no pseudo-terminals here, as in a bare chroot */
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        dup2(slave, STDERR_FILENO);
        close(master);
        close(slave);
        setenv("TERM", "xterm", 1);
        if (no_color)
            setenv("NO_COLOR", no_color, 1);
        else
            unsetenv("NO_COLOR");
        fn(NULL);
        exit(0);
    }
    close(slave);
    while ((n = read(master, words + used, size - 1 - used)) > 0)   /* EIO when the child has gone */
        used += (size_t)n;
    words[used] = 0;
    close(master);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void pause_for(double seconds)
{
    struct timespec t = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };

    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

static void speak(void *ctx)
{
    log_info("read %d files", 3);
    log_warn("odd");
    log_error("bad");
}

static void speak_quietly(void *ctx)
{
    log_set_quiet(true);
    speak(NULL);
}

static void messages_are_lines_and_quiet_silences_info_alone(void **state)
{
    assert_string_equal(child_run(speak, NULL).words, "read 3 files\nwarning: odd\nerror: bad\n");
    assert_string_equal(child_run(speak_quietly, NULL).words, "warning: odd\nerror: bad\n");
}

static void speak_of_an_evil_name(void *ctx)
{
    log_error("cannot open '%s'", "a\033[2Jb\nc\x7f\xC2\x9B" "d\xFF\xC3\xA4");
}

static void a_name_cannot_steer_the_terminal(void **state)
{
    assert_string_equal(child_run(speak_of_an_evil_name, NULL).words,
                        "error: cannot open 'a\\x1b[2Jb\\nc\\x7f\\x9bd\xEF\xBF\xBD\xC3\xA4'\n");
}

static void colours_are_for_terminals_without_no_color(void **state)
{
    char words[4096];

    on_a_terminal(speak, NULL, words, sizeof words);
    assert_string_equal(words, "read 3 files\r\n\033[33mwarning: \033[0modd\r\n\033[31merror: \033[0mbad\r\n");
    on_a_terminal(speak, "1", words, sizeof words);
    assert_string_equal(words, "read 3 files\r\nwarning: odd\r\nerror: bad\r\n");
    on_a_terminal(speak, "", words, sizeof words);   /* empty is as unset: no-color.org */
    assert_non_null(strstr(words, "\033[33m"));
}

static void work_for_a_while(void *ctx)
{
    progress_start("tokenize", "docs", 4000);
    progress_note("loss %.2f", 3.21);
    pause_for(0.25);
    progress_add(1000);
    log_info("a message meanwhile");
    pause_for(0.25);
    progress_add(3000);
    progress_end();
    log_info("after");
}

static void a_terminal_shows_a_bar_under_the_messages(void **state)
{
    char words[8192], *bar, *message, *end;

    on_a_terminal(work_for_a_while, NULL, words, sizeof words);
    bar = strstr(words, "\r\033[Ktokenize: [=====>              ] 25 %, 1,000 of 4,000 docs");
    assert_non_null(bar);
    message = strstr(bar, "\r\033[Ka message meanwhile\r\ntokenize: [");   /* the bar goes and comes again */
    assert_non_null(message);
    end = strstr(message, "\r\033[Ktokenize: 4,000 docs in ");
    assert_non_null(end);
    assert_non_null(strstr(end, "loss 3.21\r\nafter\r\n"));
    for (char *line = strtok(bar, "\r\n"); line && line < end; line = strtok(NULL, "\r\n"))
        assert_true(strlen(line) < 60 + strlen("\033[K"));   /* cut to the width */
}

static void work_and_return_too_soon(void *ctx)
{
    progress_start("count", "bytes", 0);
    pause_for(0.25);
    progress_add(2500000);
    log_error("broken");
}

static void the_bar_goes_with_the_process(void **state)
{
    char words[4096];

    on_a_terminal(work_and_return_too_soon, "1", words, sizeof words);
    assert_non_null(strstr(words, "count: 2.5 MB, "));
    assert_non_null(strstr(words, "\r\033[Kerror: broken\r\ncount: 2.5 MB"));
    assert_true(strlen(words) > 4);
    assert_string_equal(words + strlen(words) - 4, "\r\033[K");
}

static void work_quietly(void *ctx)
{
    log_set_quiet(true);
    work_for_a_while(NULL);
}

static void short_work_off_a_terminal_and_quiet_work_say_nothing(void **state)
{
    char words[4096];

    assert_string_equal(child_run(work_for_a_while, NULL).words, "a message meanwhile\nafter\n");
    on_a_terminal(work_quietly, NULL, words, sizeof words);
    assert_string_equal(words, "");
}

static void work_out_of_order(void *ctx)
{
    progress_add(5);
    progress_note("x");
    progress_end();
    progress_start("one", "docs", 1);
    progress_start("two", "docs", 1);
    progress_add(7);   /* more than the total */
    progress_end();
    progress_end();
}

static void calls_out_of_order_do_no_harm(void **state)
{
    struct child_end end = child_run(work_out_of_order, NULL);

    assert_int_equal(end.code, 0);
    assert_string_equal(end.words, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_lines_and_quiet_silences_info_alone),
        cmocka_unit_test(a_name_cannot_steer_the_terminal),
        cmocka_unit_test(colours_are_for_terminals_without_no_color),
        cmocka_unit_test(a_terminal_shows_a_bar_under_the_messages),
        cmocka_unit_test(the_bar_goes_with_the_process),
        cmocka_unit_test(short_work_off_a_terminal_and_quiet_work_say_nothing),
        cmocka_unit_test(calls_out_of_order_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
