/* The runner: order, failures, Ctrl-C, locks, what is left alive, and what people see. */
#include "test.h"

#include <sys/resource.h>

#include "pipelines/run/journal.h"
#include "pipelines/run/process.h"
#include "scene.h"

static void begin(struct scene *s, const char *stages)
{
    struct buf text = { 0 };

    scene_begin(s);
    buf_printf(&text, "pipeline: p\nparams: {nap: 0, fail: 0, steps: 3, size: 1}\nstages:\n%s", stages);
    scene_write("p.yaml", text.p);
    buf_release(&text);
}

static const char *const four =
    "  last: {uses: mill.fine, with: {thing: \"@second\"}}\n"
    "  second: {uses: grow, with: {in: \"@first\", fail: \"${fail}\", size: \"${size}\"}}\n"
    "  first: {uses: grow}\n"
    "  aside: {uses: grow, needs: last, with: {text: hi}}\n";

static void stages_run_in_the_order_of_the_graph_and_are_told_of(void **state)
{
    struct scene s;

    begin(&s, four);
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "first second last aside");
    assert_has(s.err.p, "pipeline p, 4 stages: 2 to run, 2 waits (work in work/p)");
    assert_has(s.err.p, "  first   run      never ran");
    assert_has(s.err.p, "  second  waits    for stage first");
    assert_has(s.err.p, "words of first-");      /* the stages' own words come through */
    assert_has(s.out.p, "stage   result     seconds  artifact\n");
    assert_has(s.out.p, "  work/p/artifacts/second-");
    scene_read("work/p/logs/second-1.log", &s.out);
    assert_int_equal(strncmp(s.out.p, "$ tundish grow --in=work/p/artifacts/first-", 43), 0);
    assert_has(s.out.p, " --out=work/p/artifacts/second-");
    assert_has(s.out.p, "\nwords of second-");
    assert_true(file_exists("work/p/current/last/manifest.json"));
    scene_end(&s);
}

static void a_failed_stage_stops_what_is_behind_it_and_is_tried_again(void **state)
{
    struct scene s;

    begin(&s, four);
    assert_run(&s, 1, "run", "p.yaml", "--set", "fail=7");
    assert_string_equal(scene_ran(&s), "first second");
    assert_has(s.err.p, "error: stage 'second' failed (exit code 7); its log is work/p/logs/second-1.log\n"
                        "  | words of second-");
    assert_has(s.err.p, "\n  | it went wrong\n");
    assert_has(s.out.p, "second  failed ");
    assert_has(s.out.p, "last    not run");
    assert_run(&s, 0, "status", "p.yaml", "--set", "fail=7");
    assert_has(s.out.p, "second  failed ");
    assert_has(s.out.p, "last    waits ");
    assert_run(&s, 0, "explain", "p.yaml");
    assert_has(s.out.p, "failed last time with exit code 7, see work/p/logs/second-1.log");
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "second last aside");
    assert_true(file_exists("work/p/logs/second-2.log"));
    scene_end(&s);
}

static void a_stage_that_says_it_was_interrupted_interrupts_the_run(void **state)
{
    struct scene s;

    begin(&s, four);
    assert_run(&s, 130, "run", "p.yaml", "--set", "fail=130");
    assert_has(s.err.p, "stage 'second' was interrupted; the same command goes on from there");
    assert_has(s.out.p, "second  stopped ");
    assert_run(&s, 0, "explain", "p.yaml");
    assert_has(s.out.p, "second: run\n  was interrupted; goes on from there");
    scene_end(&s);
}

/* ---- selection ---- */

static void from_until_only_and_force_choose_what_runs(void **state)
{
    struct scene s;

    begin(&s, four);
    assert_run(&s, 2, "run", "p.yaml", "--only", "second");
    assert_has(s.err.p, "stage 'second' reads stage 'first', which is not selected and has no artifact yet");
    assert_run(&s, 0, "run", "p.yaml", "--until", "second");
    assert_string_equal(scene_ran(&s), "first second");
    assert_has(s.out.p, "last    left out");
    assert_run(&s, 0, "run", "p.yaml", "--force", "first", "--until", "last");
    assert_string_equal(scene_ran(&s), "first last");      /* second's input came out the same */
    assert_has(s.err.p, "first   run      forced");
    assert_run(&s, 0, "run", "p.yaml", "--only", "second", "--only", "aside", "--force", "second");
    assert_string_equal(scene_ran(&s), "second aside");
    assert_run(&s, 2, "run", "p.yaml", "--from", "frist");
    assert_has(s.err.p, "--from: pipeline 'p' has no stage 'frist'; did you mean 'first'?");
    scene_end(&s);
}

/* What is in front of --from is used as it is, even if it is out of date, and that is said. */
static void from_keeps_what_is_in_front(void **state)
{
    struct scene s;

    begin(&s, four);
    assert_run(&s, 0, "run", "p.yaml");
    scene_ran(&s);
    assert_run(&s, 0, "run", "p.yaml", "--set", "size=2", "--from", "last", "--force", "last");
    assert_string_equal(scene_ran(&s), "last");
    assert_has(s.err.p, "  second  kept     option size: 1 -> 2");
    assert_run(&s, 0, "run", "p.yaml", "--set", "size=2");
    assert_string_equal(scene_ran(&s), "second last");
    scene_end(&s);
}

/* The raw texts may be gone by the time that only training goes on. */
static void from_does_not_miss_what_only_the_stages_in_front_read(void **state)
{
    struct scene s;

    begin(&s, "  corpus: {uses: grow, with: {in: texts}}\n"
              "  way: {uses: walk, with: {thing: \"@corpus\", steps: \"${steps}\"}}\n");
    scene_write("texts", "some");
    assert_run(&s, 0, "run", "p.yaml");
    scene_ran(&s);
    assert_int_equal(unlink("texts"), 0);
    assert_run(&s, 2, "run", "p.yaml", "--set", "steps=4");
    assert_run(&s, 0, "run", "p.yaml", "--set", "steps=4", "--from", "way");
    assert_string_equal(scene_ran(&s), "way");
    assert_has(s.err.p, "corpus  kept     in: no such file or folder: 'texts'");
    scene_end(&s);
}

static void a_dry_run_shows_the_plan_and_does_nothing(void **state)
{
    struct scene s;

    begin(&s, four);
    assert_run(&s, 0, "run", "p.yaml", "--dry-run");
    assert_has(s.out.p, "pipeline p, 4 stages: 2 to run, 2 waits (work in work/p)\n  first   run      never ran\n");
    assert_string_equal(s.err.p, "");
    assert_false(file_exists("work"));
    scene_end(&s);
}

static void an_input_that_does_not_exist_is_told_with_its_place_before_anything_runs(void **state)
{
    struct scene s;

    begin(&s, "  a: {uses: grow}\n"
              "  b: {uses: grow, with: {in: [\"@a\", nowhere/at/all]}}\n");
    assert_run(&s, 2, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "");
    assert_has(s.err.p, "p.yaml:5:37: no such file or folder: 'nowhere/at/all'");
    assert_run(&s, 0, "status", "p.yaml");
    assert_has(s.out.p, "b      blocked ");
    assert_run(&s, 0, "explain", "p.yaml");
    assert_has(s.out.p, "b: blocked\n  in: no such file or folder: 'nowhere/at/all'");
    scene_end(&s);
}

static void a_wrong_file_ends_with_exit_code_2(void **state)
{
    struct scene s;

    begin(&s, "  a: {uses: grwo}\n");
    assert_run(&s, 2, "run", "p.yaml");
    assert_has(s.err.p, "error: p.yaml:4:13: no stage kind 'grwo'; did you mean 'grow'?");
    assert_run(&s, 2, "run", "q.yaml");
    assert_run(&s, 2, "run", "p.yaml", "more");
    assert_has(s.err.p, "--file is given twice; the second time as 'more'");
    assert_run(&s, 2, "explain", "p.yaml", "a", "b");
    assert_has(s.err.p, "unexpected word 'b' behind the file and a stage");
    scene_end(&s);
}

/* ---- signals ---- */

static void nap(int ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

    nanosleep(&t, NULL);
}

/* Waits until a file holds the text; at most ten seconds. */
static void wait_for(const char *path, const char *text)
{
    struct buf b = { 0 };

    for (int i = 0; i < 1000; i++, nap(10)) {
        scene_read(path, &b);
        if (strstr(b.p, text) != NULL) {
            buf_release(&b);
            return;
        }
    }
    fail_msg("'%s' never held '%s'", path, text);
}

/* The process of the stage's newest start in the journal. */
static struct process_id process_of(const char *stage)
{
    struct process_id id;
    struct journal *j;

    wait_for("work/p/journal.jsonl", "\"event\":\"process\"");      /* the stage may be faster than the runner */
    assert_ok(journal_open("work/p/journal.jsonl", &j));
    id = journal_process(journal_of(j, stage).start);
    assert_true(id.pid > 1);
    journal_close(j);
    return id;
}

static const char *const walker = "  way: {uses: walk, with: {steps: \"${steps}\", nap: \"${nap}\"}}\n";

static pid_t start_run(const char *set)
{
    return scene_start((const char *const[]){ "run", "p.yaml", "--set", set, NULL });
}

static void ctrl_c_lets_the_stage_keep_its_state_and_the_next_run_goes_on(void **state)
{
    struct scene s;
    char state_path[200];
    struct buf kept = { 0 };
    pid_t runner;

    begin(&s, walker);
    runner = start_run("steps=100000");
    wait_for("work/p/journal.jsonl", "\"start\"");
    nap(100);
    assert_int_equal(kill(runner, SIGINT), 0);
    assert_int_equal(scene_wait(runner), 130);
    scene_read(".stderr", &s.err);
    assert_has(s.err.p, "stage 'way' was interrupted; the same command goes on from there");
    assert_run(&s, 0, "status", "p.yaml", "--set", "steps=100000");
    assert_has(s.out.p, "way    interrupted");
    scene_read("work/p/report.html", &kept);
    assert_has(kept.p, ">interrupted</span>");
    assert_has(kept.p, "<span class=\"bad\">stopped</span>");
    assert_has(kept.p, "The end of its log");
    {      /* its state is kept beside the artifact's place */
        struct journal *j;
        assert_ok(journal_open("work/p/journal.jsonl", &j));
        snprintf(state_path, sizeof state_path, "work/p/artifacts/%s.work/state",
                 json_string_value(json_object_get(journal_of(j, "way").start, "artifact")));
        journal_close(j);
    }
    scene_read(state_path, &kept);
    assert_true(strtol(kept.p, NULL, 10) > 0);
    runner = start_run("steps=100000");      /* goes on with the same words */
    wait_for("work/p/logs/way-2.log", "words of way-");
    nap(100);
    assert_int_equal(kill(runner, SIGTERM), 0);
    assert_int_equal(scene_wait(runner), 130);
    scene_read(state_path, &s.out);
    assert_true(strtol(s.out.p, NULL, 10) > strtol(kept.p, NULL, 10));
    buf_release(&kept);
    scene_end(&s);
}

static void a_second_ctrl_c_stops_at_once_and_nothing_lives_on(void **state)
{
    struct scene s;
    struct process_id stage;
    pid_t runner;

    begin(&s, walker);
    runner = start_run("nap=60000");
    wait_for("work/p/logs/way-1.log", "words of way-");
    stage = process_of("way");
    assert_true(process_is_alive(&stage));
    assert_int_equal(kill(runner, SIGINT), 0);
    nap(300);
    assert_true(process_is_alive(&stage));      /* its unit is in hand */
    assert_int_equal(kill(runner, SIGINT), 0);
    assert_int_equal(scene_wait(runner), 130);
    for (int i = 0; i < 200 && process_is_alive(&stage); i++)
        nap(10);
    assert_false(process_is_alive(&stage));
    scene_end(&s);
}

static void a_killed_runner_takes_its_stage_with_it(void **state)
{
    struct scene s;
    struct process_id stage;
    pid_t runner;

    begin(&s, walker);
    runner = start_run("nap=60000");
    wait_for("work/p/logs/way-1.log", "words of way-");
    stage = process_of("way");
    assert_int_equal(kill(runner, SIGKILL), 0);
    scene_wait(runner);
    for (int i = 0; i < 200 && process_is_alive(&stage); i++)
        nap(10);
    assert_false(process_is_alive(&stage));
    assert_run(&s, 0, "run", "p.yaml");
    scene_end(&s);
}

static pid_t start_sleeper(const char *mark)
{
    pid_t pid = fork();

    if (pid == 0) {
        setpgid(0, 0);
        setenv(PROCESS_MARK, mark, 1);
        execlp("sleep", "sleep", "60", NULL);
        _exit(127);
    }
    nap(100);
    return pid;
}

static void write_start(const struct process_id *id, const char *mark)
{
    struct journal *j;

    assert_ok(file_make_folders("work/p"));
    assert_ok(journal_open("work/p/journal.jsonl", &j));
    assert_ok(journal_append(j, json_pack("{s:s, s:s, s:s, s:i, s:I, s:s, s:s}", "event", "start", "stage",
                                          "way", "key", "x", "pid", (int)id->pid, "ticks",
                                          (json_int_t)id->ticks, "boot", id->boot, "mark", mark)));
    journal_close(j);
}

/* Stages that outlived their runner all the same (a launcher with its ranks) are ended before they
 * could run twice: the process itself, and what else has its mark; nothing else. */
static void what_is_still_alive_of_an_earlier_run_is_ended_first(void **state)
{
    char mark[PROCESS_MARK_ROOM], other_mark[PROCESS_MARK_ROOM];
    struct process_id id;
    struct scene s;
    pid_t launcher, rank, other;

    begin(&s, walker);
    process_new_mark(mark);
    process_new_mark(other_mark);
    assert_string_not_equal(mark, other_mark);
    launcher = start_sleeper("none");
    rank = start_sleeper(mark);
    other = start_sleeper(other_mark);
    assert_true(process_identify(launcher, &id));
    assert_int_equal(process_count_marked(mark), 1);
    write_start(&id, mark);
    assert_run(&s, 0, "status", "p.yaml");
    assert_has(s.out.p, "way    running");
    assert_run(&s, 0, "run", "p.yaml");
    assert_has(s.err.p, "of an earlier run (stage way)");
    assert_int_equal(scene_wait(launcher), 128 + SIGTERM);
    assert_int_equal(scene_wait(rank), 128 + SIGTERM);
    assert_int_equal(process_count_marked(other_mark), 1);
    assert_int_equal(kill(other, SIGKILL), 0);
    scene_wait(other);
    scene_end(&s);
}

/* The number alone is not enough: it may belong to someone else now. */
static void a_process_that_only_has_the_same_number_is_left_alone(void **state)
{
    struct process_id id;
    struct scene s;

    begin(&s, walker);
    assert_true(process_identify(getpid(), &id));
    id.ticks--;
    write_start(&id, "none");
    assert_run(&s, 0, "run", "p.yaml");      /* and we are still here */
    scene_end(&s);
}

static void two_runners_do_not_share_a_folder(void **state)
{
    char who[64];
    struct scene s;
    pid_t runner;

    begin(&s, walker);
    runner = start_run("nap=2000");
    wait_for("work/p/logs/way-1.log", "words of way-");
    assert_run(&s, 4, "run", "p.yaml");
    snprintf(who, sizeof who, "is held by process %ld", (long)runner);
    assert_has(s.err.p, "another run of 'p' is at work: ");
    assert_has(s.err.p, who);
    assert_run(&s, 0, "status", "p.yaml");      /* looking is free */
    assert_has(s.out.p, "way    running");
    assert_run(&s, 0, "run", "p.yaml", "--work", "other");
    assert_int_equal(scene_wait(runner), 0);
    scene_end(&s);
}

/* ---- words ---- */

/* `tundish run ... 2>&1 | head` must not end hours of work. */
static void a_stderr_that_nobody_reads_does_not_end_a_stage(void **state)
{
    struct scene s;
    char text[64];
    int fds[2];
    pid_t runner;

    begin(&s, "  a: {uses: grow, with: {nap: 200}}\n"
              "  b: {uses: grow, with: {in: \"@a\"}}\n");
    assert_int_equal(pipe(fds), 0);
    runner = fork();
    if (runner == 0) {
        close(fds[0]);
        dup2(fds[1], 2);
        close(fds[1]);
        dup2(open("/dev/null", O_WRONLY), 1);
        signal(SIGPIPE, SIG_DFL);
        execl("/proc/self/exe", "tundish", "run", "p.yaml", NULL);
        _exit(127);
    }
    close(fds[1]);
    assert_true(read(fds[0], text, sizeof text) > 0);      /* reads some of the plan, then goes away */
    close(fds[0]);
    assert_int_equal(scene_wait(runner), 0);
    assert_string_equal(scene_ran(&s), "a b");
    scene_read("work/p/logs/b-1.log", &s.out);
    assert_has(s.out.p, "words of b-");
    scene_end(&s);
}

/* Ranks are started by mpirun, which here is a script that starts one. */
static void several_ranks_are_started_by_mpirun(void **state)
{
    const char *path = getenv("PATH");
    char wider[8192];
    struct scene s;

    begin(&s, "  a: {uses: grow, with: {text: x}, resources: {ranks: 3, threads: 2}}\n");
    assert_ok(file_make_folders("bin"));
    scene_write("bin/mpirun", "#!/bin/sh\necho \"$@\" >mpirun.words\nwhile [ \"$1\" != -np ]; do shift; done\n"
                              "shift 2\nexec \"$@\"\n");
    assert_int_equal(chmod("bin/mpirun", 0777), 0);
    snprintf(wider, sizeof wider, "%s/bin:%s", s.folder, path);
    setenv("PATH", wider, 1);
    assert_run(&s, 0, "run", "p.yaml");
    wider[strlen(wider) - strlen(path)] = 0;
    setenv("PATH", path, 1);
    scene_read("mpirun.words", &s.out);
    assert_has(s.out.p, "--oversubscribe --bind-to none ");
    assert_has(s.out.p, " -np 3 /");
    assert_has(s.out.p, " grow --text=x --threads=2 --out=work/p/artifacts/a-");
    scene_write("p.yaml", "pipeline: p\nstages:\n  a: {uses: grow, with: {text: x}}\n");
    scene_ran(&s);
    assert_run(&s, 0, "run", "p.yaml");      /* ranks are not part of the result */
    assert_string_equal(scene_ran(&s), "");
    scene_end(&s);
}

static void a_launcher_that_is_missing_is_a_clear_failure(void **state)
{
    const char *path = getenv("PATH");
    char *kept = strdup(path);
    struct scene s;

    begin(&s, "  a: {uses: grow, resources: {ranks: 2}}\n");
    setenv("PATH", "/nowhere", 1);
    assert_run(&s, 1, "run", "p.yaml");
    setenv("PATH", kept, 1);
    free(kept);
    assert_has(s.err.p, "  | tundish: cannot run 'mpirun': No such file or directory");
    scene_end(&s);
}

static void options_longer_than_a_command_line_are_a_clear_failure(void **state)
{
    struct buf text = { 0 };
    struct scene s;

    begin(&s, "  a: {uses: grow}\n");
    buf_adds(&text, "pipeline: p\nstages:\n  a: {uses: grow, with: {text: ");
    for (int i = 0; i < 30000; i++)
        buf_adds(&text, "longer");
    buf_adds(&text, "}}\n");
    scene_write("p.yaml", text.p);
    buf_release(&text);
    assert_run(&s, 1, "run", "p.yaml");
    assert_has(s.err.p, "its options are too long for a command line");
    scene_end(&s);
}

static void status_is_json_when_asked(void **state)
{
    json_t *all, *first;
    struct scene s;

    begin(&s, four);
    assert_run(&s, 0, "run", "p.yaml", "--until", "first");
    assert_run(&s, 0, "status", "p.yaml", "--json");
    assert_ok(json_parse(s.out.p, s.out.n, "status", &all));
    assert_string_equal(json_string_value(json_object_get(all, "pipeline")), "p");
    assert_int_equal(json_array_size(json_object_get(all, "stages")), 4);
    first = json_array_get(json_object_get(all, "stages"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "name")), "first");
    assert_string_equal(json_string_value(json_object_get(first, "state")), "done");
    assert_int_equal(strlen(json_string_value(json_object_get(first, "digest"))), 64);
    assert_true(json_number_value(json_object_get(first, "seconds")) >= 0);
    first = json_array_get(json_object_get(all, "stages"), 2);
    assert_string_equal(json_string_value(json_object_get(first, "state")), "waits");
    assert_true(json_is_null(json_object_get(first, "artifact")));
    json_decref(all);
    scene_end(&s);
}

static void the_graph_is_shown_without_any_work_folder(void **state)
{
    struct scene s;

    begin(&s, four);
    assert_run(&s, 0, "graph", "p.yaml");
    assert_string_equal(s.out.p, "aside (grow)\n└─ last (mill fine)\n   └─ second (grow)\n      └─ first (grow)\n");
    assert_run(&s, 0, "graph", "p.yaml", "--format", "dot");
    assert_int_equal(strncmp(s.out.p, "digraph \"p\" {\n", 14), 0);
    scene_end(&s);
}

static double ms_of(struct timeval t) { return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3; }

/* Processor time of all children so far: what a busy machine does not change. */
static double children_ms(void)
{
    struct rusage u;

    assert_int_equal(getrusage(RUSAGE_CHILDREN, &u), 0);
    return ms_of(u.ru_utime) + ms_of(u.ru_stime);
}

/* Everything cached: read, hash, look, tell. */
static void a_run_with_nothing_to_do_takes_well_under_100_ms(void **state)
{
    double best = 1e9;
    struct scene s;

    begin(&s, four);
    assert_run(&s, 0, "run", "p.yaml");
    for (int i = 0; i < 5; i++) {
        double before = children_ms(), ms;
        assert_run(&s, 0, "run", "p.yaml");
        ms = children_ms() - before;
        best = ms < best ? ms : best;
    }
    print_message("nothing to do: %.1f ms of processor time\n", best);
    assert_true(best < 100);
    scene_end(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_run_in_the_order_of_the_graph_and_are_told_of),
        cmocka_unit_test(a_failed_stage_stops_what_is_behind_it_and_is_tried_again),
        cmocka_unit_test(a_stage_that_says_it_was_interrupted_interrupts_the_run),
        cmocka_unit_test(from_until_only_and_force_choose_what_runs),
        cmocka_unit_test(from_keeps_what_is_in_front),
        cmocka_unit_test(from_does_not_miss_what_only_the_stages_in_front_read),
        cmocka_unit_test(a_dry_run_shows_the_plan_and_does_nothing),
        cmocka_unit_test(an_input_that_does_not_exist_is_told_with_its_place_before_anything_runs),
        cmocka_unit_test(a_wrong_file_ends_with_exit_code_2),
        cmocka_unit_test(ctrl_c_lets_the_stage_keep_its_state_and_the_next_run_goes_on),
        cmocka_unit_test(a_second_ctrl_c_stops_at_once_and_nothing_lives_on),
        cmocka_unit_test(a_killed_runner_takes_its_stage_with_it),
        cmocka_unit_test(what_is_still_alive_of_an_earlier_run_is_ended_first),
        cmocka_unit_test(a_process_that_only_has_the_same_number_is_left_alone),
        cmocka_unit_test(two_runners_do_not_share_a_folder),
        cmocka_unit_test(a_stderr_that_nobody_reads_does_not_end_a_stage),
        cmocka_unit_test(several_ranks_are_started_by_mpirun),
        cmocka_unit_test(a_launcher_that_is_missing_is_a_clear_failure),
        cmocka_unit_test(options_longer_than_a_command_line_are_a_clear_failure),
        cmocka_unit_test(status_is_json_when_asked),
        cmocka_unit_test(the_graph_is_shown_without_any_work_folder),
        cmocka_unit_test(a_run_with_nothing_to_do_takes_well_under_100_ms),
    };

    fake_be_program(argc, argv);
    return cmocka_run_group_tests_name("runner", tests, NULL, NULL);
}
