/* logs: which log, what becomes of its bytes, and following it while a run goes on. */
#include "test.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "base/platform.h"
#include "scene.h"

static const char *const journal =
    "{\"event\":\"start\",\"stage\":\"train\",\"attempt\":1,\"log\":\"train-1.log\",\"t\":1769846400}\n"
    "{\"event\":\"failed\",\"stage\":\"train\",\"code\":2,\"signal\":0,\"seconds\":1.5,\"t\":1769846402}\n"
    "{\"event\":\"start\",\"stage\":\"corpus\",\"attempt\":1,\"log\":\"corpus-1.log\",\"t\":1769846400}\n"
    "{\"event\":\"done\",\"stage\":\"corpus\",\"seconds\":3,\"t\":1769846403}\n"
    "{\"event\":\"start\",\"stage\":\"train\",\"attempt\":2,\"log\":\"train-2.log\",\"t\":1769846410}\n"
    "{\"event\":\"done\",\"stage\":\"train\",\"seconds\":2,\"code\":0,\"signal\":0,\"t\":1769846412}\n";

static void append(const char *path, const char *text)
{
    FILE *f = fopen(path, "a");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void begin(struct scene *s, const char *events)
{
    scene_begin(s);
    assert_ok(file_make_folders("work/p/logs"));
    scene_write("work/p/journal.jsonl", events);
    scene_write("work/p/logs/train-1.log", "one\n");
    scene_write("work/p/logs/train-2.log", "two\n");
    scene_write("work/p/logs/corpus-1.log", "docs\n");
    scene_write("p.yaml", "pipeline: p\nstages: {corpus: {}, train: {}, score: {}}\n");
    setenv("TZ", "UTC", 1);
}

static void nap(int ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

    nanosleep(&t, NULL);
}

/* ---- which one ---- */

static void the_newest_attempt_is_printed_or_the_one_that_is_named(void **state)
{
    struct scene s;

    begin(&s, journal);
    assert_run(&s, 0, "logs", "p.yaml", "train");
    assert_string_equal(s.out.p, "two\n");
    assert_run(&s, 0, "logs", "work/p", "train", "--attempt", "1");
    assert_string_equal(s.out.p, "one\n");
    assert_run(&s, 2, "logs", "p.yaml", "train", "--attempt", "3");
    assert_has(s.err.p, "stage 'train' has no attempt 3; it has 1 to 2");
    assert_run(&s, 2, "logs", "p.yaml", "trian");
    assert_has(s.err.p, "there is no stage 'trian'; did you mean 'train'?");
    assert_run(&s, 2, "logs", "p.yaml", "scor");
    assert_has(s.err.p, "did you mean 'score'?");
    assert_run(&s, 2, "logs", "p.yaml", "score");
    assert_has(s.err.p, "stage 'score' has not run in 'work/p' yet");
    assert_run(&s, 2, "logs", "p.yaml");
    assert_has(s.err.p, "found 1 words, want two");
    assert_int_equal(unlink("work/p/logs/train-1.log"), 0);
    assert_run(&s, 2, "logs", "p.yaml", "train", "--attempt", "1");
    assert_has(s.err.p, "the log of attempt 1 was removed: 'work/p/logs/train-1.log'");
    scene_end(&s);
}

static void attempts_are_listed(void **state)
{
    struct scene s;

    begin(&s, journal);
    assert_int_equal(unlink("work/p/logs/train-1.log"), 0);
    assert_run(&s, 0, "logs", "p.yaml", "train", "--list");
    assert_string_equal(s.out.p,
                        "attempt  begun                seconds  result                log\n"
                        "      1  2026-01-31 08:00:00     1.50  failed (exit code 2)  (removed)\n"
                        "      2  2026-01-31 08:00:10     2.00  done                  work/p/logs/train-2.log\n");
    scene_end(&s);
}

static void a_matrix_has_a_log_for_each_of_its_stages(void **state)
{
    struct scene s;

    begin(&s, "{\"event\":\"start\",\"stage\":\"score[a=1]\",\"attempt\":1,\"log\":\"score.a=1-1.log\",\"t\":5}\n"
              "{\"event\":\"start\",\"stage\":\"score[a=2]\",\"attempt\":1,\"log\":\"score.a=2-1.log\",\"t\":5}\n");
    scene_write("work/p/logs/score.a=2-1.log", "second\n");
    assert_run(&s, 0, "logs", "p.yaml", "score[a=2]");
    assert_string_equal(s.out.p, "second\n");
    assert_run(&s, 2, "logs", "p.yaml", "score");
    assert_has(s.err.p, "stage 'score' is a matrix; want one of 'score[a=1]', 'score[a=2]'");
    scene_end(&s);
}

/* Without a word in the journal the files' names must do; a damaged line spoils no other. */
static void names_of_files_serve_where_the_journal_does_not(void **state)
{
    struct scene s;

    begin(&s, "{\"event\": \"sta\nrubbish\n{\"event\":\"start\",\"stage\":\"corpus\",\"attempt\":7,\"log\":\"corpus-1.log\",\"t\":5}\n{\"torn");
    scene_write("work/p/logs/train-10.log", "ten\n");
    assert_run(&s, 0, "logs", "work/p", "train");
    assert_string_equal(s.out.p, "ten\n");
    assert_run(&s, 0, "logs", "work/p", "corpus", "--attempt", "7");
    assert_string_equal(s.out.p, "docs\n");
    scene_write("work/p/journal.jsonl", "{\"event\":\"start\",\"stage\":\"x\",\"attempt\":1,\"log\":\"../journal.jsonl\"}\n");
    assert_run(&s, 2, "logs", "work/p", "x");
    scene_end(&s);
}

/* ---- bytes ---- */

static void progress_bars_become_lines(void **state)
{
    struct scene s;

    begin(&s, journal);
    scene_write("work/p/logs/train-2.log", "\r 10 %\r 50 %\r\r100 %\r\nnext\r\n\r\nlast\r");
    assert_run(&s, 0, "logs", "p.yaml", "train");
    assert_string_equal(s.out.p, " 10 %\n 50 %\n100 %\nnext\n\nlast\n");
    scene_write("work/p/logs/train-2.log", "no end");
    assert_run(&s, 0, "logs", "p.yaml", "train");
    assert_string_equal(s.out.p, "no end\n");
    scene_write("work/p/logs/train-2.log", "");
    assert_run(&s, 0, "logs", "p.yaml", "train");
    assert_string_equal(s.out.p, "");
    scene_end(&s);
}

static void a_large_log_takes_little_memory(void **state)
{
    static const char *const words[] = { "tundish", "logs", "p.yaml", "train", NULL };
    struct rusage use;
    struct scene s;
    struct stat st;
    int status;
    pid_t pid;

    begin(&s, journal);
    assert_int_equal(truncate("work/p/logs/train-2.log", 100 << 20), 0);
    pid = fork();
    if (pid == 0) {
        dup2(open("out", O_WRONLY | O_CREAT, 0666), 1);
        execv("/proc/self/exe", (char *const *)(uintptr_t)words);
        _exit(127);
    }
    assert_int_equal(wait4(pid, &status, 0, &use), pid);
    assert_int_equal(status, 0);
    assert_true(PLATFORM_ASAN || use.ru_maxrss < 30000);      /* kilobytes */
    assert_int_equal(stat("out", &st), 0);
    assert_int_equal(st.st_size, (100 << 20) + 1);
    scene_end(&s);
}

/* ---- following ---- */

/* Waits until .stdout holds exactly that; ten seconds. */
static void wait_for_output(struct scene *s, const char *want)
{
    for (int i = 0; i < 1000; i++, nap(10)) {
        scene_read(".stdout", &s->out);
        if (strcmp(s->out.p, want) == 0)
            return;
    }
    fail_msg("want '%s', found '%s'", want, s->out.p);
}

static pid_t follow(const char *stage)
{
    return scene_start((const char *const[]){ "logs", "p.yaml", stage, "-f", NULL });
}

static void following_ends_with_the_stage(void **state)
{
    struct file_lock lock;
    struct scene s;
    pid_t pid;

    begin(&s, "");
    assert_ok(file_lock_take(&lock, "work/p/lock"));
    scene_write("work/p/logs/score-1.log", "");
    pid = follow("score");
    append("work/p/logs/score-1.log", "a");
    append("work/p/journal.jsonl", "{\"event\":\"start\",\"stage\":\"score\",\"attempt\":1,\"log\":\"score-1.log\",\"t\":5}\n");
    wait_for_output(&s, "a");
    append("work/p/logs/score-1.log", "b\nc\r");
    wait_for_output(&s, "ab\nc");
    append("work/p/logs/score-1.log", "d\n");
    append("work/p/journal.jsonl", "{\"event\":\"done\",\"stage\":\"score\",");      /* half an event */
    wait_for_output(&s, "ab\nc\nd\n");
    nap(300);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    append("work/p/logs/score-1.log", "e\n");
    append("work/p/journal.jsonl", "\"t\":6}\n");
    assert_int_equal(scene_wait(pid), 0);
    wait_for_output(&s, "ab\nc\nd\ne\n");
    file_lock_drop(&lock);
    scene_end(&s);
}

static void following_goes_on_with_the_next_attempt(void **state)
{
    struct file_lock lock;
    struct scene s;
    pid_t pid;

    begin(&s, "{\"event\":\"start\",\"stage\":\"train\",\"attempt\":1,\"log\":\"train-1.log\",\"t\":5}\n");
    assert_ok(file_lock_take(&lock, "work/p/lock"));
    pid = follow("train");
    wait_for_output(&s, "one\n");
    append("work/p/journal.jsonl", "{\"event\":\"failed\",\"stage\":\"train\",\"code\":75,\"t\":6}\n");
    nap(500);
    scene_read(".stderr", &s.err);
    assert_has(s.err.p, "attempt 1 failed; waiting for another one while the run goes on");
    append("work/p/journal.jsonl", "{\"event\":\"start\",\"stage\":\"train\",\"attempt\":2,\"log\":\"train-2.log\",\"t\":7}\n");
    wait_for_output(&s, "one\ntwo\n");
    append("work/p/logs/train-2.log", "two more\n");
    wait_for_output(&s, "one\ntwo\ntwo more\n");
    file_lock_drop(&lock);      /* killed: no end event will come */
    assert_int_equal(scene_wait(pid), 0);
    scene_end(&s);
}

/* The runner writes a long journal anew: what is old goes, and what is known must not come twice. */
static void a_journal_that_is_written_anew_is_read_anew(void **state)
{
    static const char *const anew =
        "{\"event\":\"done\",\"stage\":\"train\",\"key\":\"of long ago\",\"t\":1}\n"
        "{\"event\":\"start\",\"stage\":\"train\",\"attempt\":1,\"log\":\"train-1.log\",\"t\":5}\n";
    struct file_lock lock;
    struct scene s;
    pid_t pid;

    begin(&s, journal);
    append("work/p/journal.jsonl", "{\"event\":\"start\",\"stage\":\"train\",\"attempt\":1,\"log\":\"train-1.log\",\"t\":5}\n");
    assert_ok(file_lock_take(&lock, "work/p/lock"));
    pid = follow("train");
    wait_for_output(&s, "one\n");
    assert_ok(file_write_atomic("work/p/journal.jsonl", anew, strlen(anew)));
    nap(500);
    append("work/p/logs/train-1.log", "more\n");
    wait_for_output(&s, "one\nmore\n");
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    append("work/p/journal.jsonl", "{\"event\":\"done\",\"stage\":\"train\",\"t\":6}\n");
    assert_int_equal(scene_wait(pid), 0);
    wait_for_output(&s, "one\nmore\n");
    file_lock_drop(&lock);
    scene_end(&s);
}

static void following_without_a_run_prints_and_ends(void **state)
{
    struct scene s;

    begin(&s, journal);
    assert_int_equal(scene_wait(follow("train")), 0);
    wait_for_output(&s, "two\n");
    assert_int_equal(scene_wait(follow("score")), 2);
    scene_read(".stderr", &s.err);
    assert_has(s.err.p, "stage 'score' has not run");
    scene_end(&s);
}

static void a_log_that_was_cut_is_read_from_its_begin(void **state)
{
    struct file_lock lock;
    struct scene s;
    pid_t pid;

    begin(&s, "{\"event\":\"start\",\"stage\":\"train\",\"attempt\":1,\"log\":\"train-1.log\",\"t\":5}\n");
    assert_ok(file_lock_take(&lock, "work/p/lock"));
    pid = follow("train");
    wait_for_output(&s, "one\n");
    assert_int_equal(truncate("work/p/logs/train-1.log", 0), 0);
    append("work/p/logs/train-1.log", "x\n");
    wait_for_output(&s, "one\nx\n");
    scene_read(".stderr", &s.err);
    assert_has(s.err.p, "'work/p/logs/train-1.log' was cut; from its begin:");
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(scene_wait(pid), 130);
    file_lock_drop(&lock);
    scene_end(&s);
}

/* The real thing: a run that is followed while it walks. */
static void a_run_is_followed_to_its_end(void **state)
{
    struct scene s;
    pid_t reader;

    scene_begin(&s);
    scene_write("p.yaml", "pipeline: p\nstages:\n  way: {uses: walk, with: {steps: 5, nap: 800}}\n");
    reader = fork();
    if (reader == 0) {
        for (int i = 0; i < 2000 && !file_exists("work/p/logs/way-1.log"); i++)
            nap(5);
        dup2(open("followed", O_WRONLY | O_CREAT, 0666), 1);
        execl("/proc/self/exe", "tundish", "logs", "p.yaml", "way", "-f", NULL);
        _exit(127);
    }
    assert_run(&s, 0, "run", "p.yaml");
    assert_int_equal(scene_wait(reader), 0);
    scene_read("followed", &s.out);
    assert_has(s.out.p, "$ tundish walk ");
    assert_has(s.out.p, "words of way-");
    scene_end(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_attempt_is_printed_or_the_one_that_is_named),
        cmocka_unit_test(attempts_are_listed),
        cmocka_unit_test(a_matrix_has_a_log_for_each_of_its_stages),
        cmocka_unit_test(names_of_files_serve_where_the_journal_does_not),
        cmocka_unit_test(progress_bars_become_lines),
        cmocka_unit_test(a_large_log_takes_little_memory),
        cmocka_unit_test(following_ends_with_the_stage),
        cmocka_unit_test(following_goes_on_with_the_next_attempt),
        cmocka_unit_test(a_journal_that_is_written_anew_is_read_anew),
        cmocka_unit_test(following_without_a_run_prints_and_ends),
        cmocka_unit_test(a_log_that_was_cut_is_read_from_its_begin),
        cmocka_unit_test(a_run_is_followed_to_its_end),
    };

    fake_be_program(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
