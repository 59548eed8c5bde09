/* The runner among things that go wrong: failures and retries, process trees that will not end, programs with
 * odd manners, two runners at once, leaks. */
#include "test.h"

#include "base/rng.h"
#include "pipelines/run/journal.h"
#include "pipelines/run/process.h"
#include "procs.h"
#include "scene.h"

#define SEED 9006

static void nap(int ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

    nanosleep(&t, NULL);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void write_stages(const char *stages)
{
    struct buf text = { 0 };

    buf_printf(&text, "pipeline: p\nstages:\n%s", stages);
    scene_write("p.yaml", text.p);
    buf_release(&text);
}

static void begin(struct scene *s, const char *stages)
{
    scene_begin(s);
    write_stages(stages);
}

static const char *text_of(const json_t *event, const char *member)
{
    const char *text = json_string_value(json_object_get(event, member));

    return text != NULL ? text : "";
}

static double time_of(const json_t *event) { return json_number_value(json_object_get(event, "t")); }

static void wait_for_file(const char *path)
{
    for (int i = 0; i < 1000 && !file_exists(path); i++)
        nap(10);
    if (!file_exists(path))
        fail_msg("'%s' never came", path);
}

static void assert_nothing_lives(const struct scene *s)
{
    for (int i = 0; i < 100 && procs_of_stages(s->folder) > 0; i++)
        nap(20);
    assert_int_equal(procs_of_stages(s->folder), 0);
}

/* ---- retries ---- */

#define FLAKY 12
#define TIMES_LIMIT 3

/* name, failures before it succeeds, how it fails, folder */
static const char *const flaky =
    "echo x >>count.$1; date +%s%N >>times.$1\n"
    "[ $(wc -l <count.$1) -gt $2 ] && { echo fine >\"$4/data\"; exit 0; }\n"
    "case $3 in\n"
    "exit) exit 3;;\n"
    "later) exit 75;;\n"
    "signal) kill -9 $$;;\n"
    "timeout) sleep 60;;\n"
    "esac\n";

struct flaky {
    int failures, times, cause;
    bool granted;                /* `on` names the cause */
};

static const char *const cause_words[] = { "exit", "later", "signal", "timeout" };

/* 1, 1 (the most) seconds: lower bounds. */
static void check_pauses(int i, int attempts)
{
    char path[32];
    struct buf text = { 0 };
    double before = 0;
    int line = 0;
    char *rest = NULL;

    snprintf(path, sizeof path, "times.f%d", i);
    scene_read(path, &text);
    for (char *p = strtok_r(text.p, "\n", &rest); p != NULL; p = strtok_r(NULL, "\n", &rest), line++) {
        double at = 1e-9 * strtod(p, NULL);
        if (line > 0 && at - before < 0.99)
            fail_msg("f%d: attempt %d began %g s behind the one before", i, line + 1, at - before);
        before = at;
    }
    assert_int_equal(line, attempts);
    buf_release(&text);
}

static void add_flaky(struct buf *text, int i, const struct flaky *f)
{
    buf_printf(text, "  f%d: {run: [sh, flaky.sh, f%d, %d, %s, \"{out}\"], timeout: %s, retry: {times: %d, on: [%s], "
               "wait: 1s, factor: 3, most: 1s}}\n", i, i, f->failures, cause_words[f->cause],
               f->cause == 3 ? "1s" : "1m", f->times, f->granted ? cause_words[f->cause] : "memory");
    buf_printf(text, "  b%d: {run: [sh, -c, \"echo b%d >>behind; cp {f}/data {out}/data\"], in: {f: \"@f%d\"}}\n", i, i,
               i);
}

static void a_stage_gets_as_many_attempts_as_it_is_granted(void **state)
{
    struct rng r = { .seed = SEED };
    struct flaky all[FLAKY];
    struct buf text = { 0 };
    int failed = 0, most = 0;
    struct scene s;

    scene_begin(&s);
    scene_write("flaky.sh", flaky);
    for (int i = 0; i < FLAKY; i++) {
        all[i] = (struct flaky){ (int)rng_below(&r, 4), (int)rng_below(&r, TIMES_LIMIT), i % 4,
                                   rng_below(&r, 4) > 0 };
        add_flaky(&text, i, &all[i]);
        failed += all[i].failures > (all[i].granted ? all[i].times : 0);
    }
    write_stages(text.p);
    assert_true(failed > 0 && failed < FLAKY);
    assert_run(&s, 1, "run", "p.yaml", "--keep-going", "--jobs", "8", "--threads", "8");
    scene_read("behind", &text);
    for (int i = 0; i < FLAKY; i++) {
        int granted = all[i].granted ? all[i].times : 0;
        bool good = all[i].failures <= granted;
        char line[8];
        snprintf(line, sizeof line, "b%d\n", i);
        check_pauses(i, (good ? all[i].failures : granted) + 1);
        most = good && all[i].failures > most ? all[i].failures : most;
        assert_int_equal(strstr(text.p, line) != NULL, good);
    }
    assert_true(most > 0);      /* the seed makes a retry that helps */
    assert_nothing_lives(&s);
    buf_release(&text);
    scene_end(&s);
}

/* Without --keep-going nothing is begun behind a failure, and no pause is waited for. */
static void the_first_failure_ends_the_run(void **state)
{
    double at;
    struct scene s;

    begin(&s, "  a: {run: [sh, -c, \"exit 75\"], retry: {times: 3, on: [later], wait: 60s}}\n"
              "  b: {run: [sh, -c, \"sleep 0.2; exit 3\"]}\n"
              "  c: {run: [touch, \"{out}/c\"], needs: d}\n"
              "  d: {run: [sh, -c, \"sleep 0.5; touch {out}/d\"]}\n");
    at = now();
    assert_run(&s, 1, "run", "p.yaml", "--jobs", "3", "--threads", "3");
    assert_true(now() - at < 20);
    assert_has(s.out.p, "d      ran");
    assert_has(s.out.p, "c      not run");
    scene_end(&s);
}

/* An own stage keeps its state when its time is over, and the next attempt goes on from it, even if it was
 * forced: what is there already is cleared away once. */
static void attempts_go_on_from_each_other(void **state)
{
    struct journal *j;
    struct scene s;

    begin(&s, "  way: {uses: walk, with: {steps: 2000}, timeout: 1s, "
              "retry: {times: 60, on: [timeout], wait: 0s}}\n");
    assert_run(&s, 0, "run", "p.yaml", "--force", "way");
    assert_ok(journal_open("work/p/journal.jsonl", &j));
    assert_true(journal_attempts(j, "way") >= 2);
    journal_close(j);
    scene_end(&s);
}

static void too_much_memory_is_a_cause_of_its_own(void **state)
{
    struct scene s;

    begin(&s, "  a: {run: [sh, hog.sh], resources: {memory: 64M}, retry: {times: 1, on: [memory], wait: 0s}}\n");
    scene_write("hog.sh", "[ -f again ] && exit 0\ntouch again\n"
                          "x=$(head -c 100000000 /dev/zero | tr '\\0' a)\nsleep 60\n");
    assert_run(&s, 0, "run", "p.yaml");
    assert_has(s.err.p, "it took more than 67.1 MB of memory");
    assert_nothing_lives(&s);
    scene_end(&s);
}

static void ctrl_c_does_not_wait_for_a_pause(void **state)
{
    double at = now();
    struct scene s;
    pid_t runner;

    begin(&s, "  a: {run: [sh, -c, \"touch up; exit 75\"], retry: {times: 3, on: [later], wait: 60s}}\n");
    runner = scene_start((const char *const[]){ "run", "p.yaml", NULL });
    wait_for_file("up");
    nap(300);
    assert_int_equal(kill(runner, SIGINT), 0);
    assert_int_equal(scene_wait(runner), 130);
    assert_true(now() - at < 20);
    scene_end(&s);
}

/* ---- process trees ---- */

/* The stage's children ignore SIGTERM, one of them in a session of its own; another stage's time limit is kept
 * all the while. */
static void a_timeout_ends_the_whole_tree_and_holds_up_nobody(void **state)
{
    struct journal *j;
    double at;
    struct scene s;

    begin(&s, "  a: {run: [sh, tree.sh], timeout: 1s}\n"
              "  b: {run: [sh, -c, \"sleep 3; date +%s >b.begun; exec sleep 60\"], timeout: 4s}\n"
              "  c: {run: [sh, -c, \"exit 75\"], timeout: 1m, retry: {times: 4, on: [later], wait: 1s, factor: 1}}\n");
    scene_write("tree.sh", "trap '' TERM\n(exec sleep 61) &\nsetsid sh -c 'trap \"\" TERM; exec sleep 62' &\n"
                           "trap 'exit 0' TERM\nsleep 63 & wait\n");
    at = now();
    assert_run(&s, 1, "run", "p.yaml", "--keep-going", "--jobs", "3", "--threads", "3");
    at = now() - at;
    assert_true(at < 30);
    assert_int_equal(procs_of_stages(s.folder), 0);
    assert_ok(journal_open("work/p/journal.jsonl", &j));
    assert_string_equal(text_of(journal_of(j, "a").end, "cause"), "timeout");
    assert_string_equal(text_of(journal_of(j, "b").end, "cause"), "timeout");
    assert_true(time_of(journal_of(j, "b").end) + 3 < time_of(journal_of(j, "a").end));
    assert_int_equal(journal_of(j, "c").attempts, 5);
    journal_close(j);
    scene_end(&s);
}

static void what_a_stage_leaves_alive_writes_into_no_artifact(void **state)
{
    struct scene s;

    begin(&s, "  a: {run: [sh, late.sh, \"{out}\"]}\n"
              "  b: {run: [cp, \"{a}/data\", \"{out}/data\"], in: {a: \"@a\"}}\n");
    scene_write("late.sh", "(sleep 3; while :; do echo late >>\"$1/data\"; done) &\necho good >\"$1/data\"\n");
    assert_run(&s, 0, "run", "p.yaml");
    assert_int_equal(procs_of_stages(s.folder), 0);
    scene_read("work/p/current/b/data", &s.out);
    assert_string_equal(s.out.p, "good\n");
    scene_end(&s);
}

/* A program that was told to end and says that it is fine has not made its artifact. */
static void a_program_that_ends_politely_is_not_done(void **state)
{
    struct scene s;
    pid_t runner;

    begin(&s, "  a: {run: [sh, polite.sh, \"{out}\"], timeout: 1s}\n");
    scene_write("polite.sh", "trap 'exit 0' TERM INT\necho half >\"$1/data\"\nsleep 60 & echo >up; wait\n");
    assert_run(&s, 1, "run", "p.yaml");
    assert_has(s.err.p, "it took longer than 1 s");
    write_stages("  a: {run: [sh, polite.sh, \"{out}\"]}\n");
    (void)unlink("up");
    runner = scene_start((const char *const[]){ "run", "p.yaml", NULL });
    wait_for_file("up");
    nap(50);
    assert_int_equal(kill(runner, SIGINT), 0);
    assert_int_equal(scene_wait(runner), 130);
    scene_write("polite.sh", "echo whole >\"$1/data\"\n");
    assert_run(&s, 0, "run", "p.yaml");
    scene_read("work/p/current/a/data", &s.out);
    assert_string_equal(s.out.p, "whole\n");
    scene_end(&s);
}

static const char *const stubborn = "trap '' INT TERM\n(exec sleep 60) &\necho >up$1\nwait\n";

static void a_second_ctrl_c_leaves_nothing_alive(void **state)
{
    double at;
    struct scene s;
    pid_t runner;

    begin(&s, "  a: {run: [sh, stubborn.sh, 1]}\n  b: {run: [sh, stubborn.sh, 2]}\n");
    scene_write("stubborn.sh", stubborn);
    runner = scene_start((const char *const[]){ "run", "p.yaml", "--jobs", "2", "--threads", "2", NULL });
    wait_for_file("up1");
    wait_for_file("up2");
    assert_int_equal(kill(runner, SIGINT), 0);
    nap(300);
    assert_true(procs_of_stages(s.folder) >= 4);
    at = now();
    assert_int_equal(kill(runner, SIGINT), 0);
    assert_int_equal(scene_wait(runner), 130);
    assert_true(now() - at < 5);
    assert_nothing_lives(&s);
    scene_end(&s);
}

/* kill -9 leaves a stage's own children; the next run ends them before it begins. */
static void the_next_run_ends_what_a_killed_one_left(void **state)
{
    struct scene s;
    pid_t runner;

    begin(&s, "  a: {run: [sh, stubborn.sh, 1]}\n");
    scene_write("stubborn.sh", "(exec sleep 60) &\necho >up$1\nwait\n");
    runner = scene_start((const char *const[]){ "run", "p.yaml", NULL });
    wait_for_file("up1");
    assert_int_equal(kill(runner, SIGKILL), 0);
    scene_wait(runner);
    assert_true(procs_of_stages(s.folder) > 0);
    write_stages("  b: {run: [\"true\"]}\n");      /* not even in the file any more */
    assert_run(&s, 0, "run", "p.yaml");
    assert_int_equal(procs_of_stages(s.folder), 0);
    scene_end(&s);
}

/* ---- programs with odd manners ---- */

static void odd_programs_do_no_harm(void **state)
{
    struct scene s;

    begin(&s, "  taken: {run: [sh, -c, \"echo {{}} >{out}/manifest.json\"]}\n"
              "  odd: {run: [sh, odd.sh, \"{out}\"]}\n"
              "  link: {run: [sh, -c, \"mkdir {out}/in; ln -s /etc/passwd {out}/in/l\"]}\n"
              "  fifo: {run: [mkfifo, \"{out}/pipe\"]}\n"
              "  none: {run: [\"true\"]}\n"
              "  large: {run: [sh, -c, \"head -c 30000000 /dev/zero >{out}/zeros\"]}\n"
              "  moved: {run: [sh, -c, \"rmdir {out}; mkdir there; touch there/x; ln -s $PWD/there {out}\"]}\n"
              "  away: {run: [rmdir, \"{out}\"]}\n"
              "  hungry: {run: [sh, -c, \"cat >{out}/in; echo $? >{out}/code\"]}\n"
              "  absent: {run: [no-such-program]}\n");
    scene_write("odd.sh", "cd \"$1\"; mkdir empty; echo x >closed; chmod 0 closed; echo y >'a b'\n");
    assert_run(&s, 1, "run", "p.yaml", "--keep-going");
    assert_has(s.err.p, "it wrote 'manifest.json' into its folder");
    assert_has(s.err.p, "cannot run 'no-such-program'");
    assert_has(s.out.p, "moved   failed");
    assert_has(s.out.p, "away    failed");
    assert_true(file_exists("there/x"));
    assert_has(s.err.p, "/in/l' is a link, want files and folders alone");
    assert_has(s.out.p, "link    failed");
    assert_has(s.out.p, "fifo    failed");
    assert_has(s.out.p, "large   ran");
    assert_has(s.out.p, "none    ran");
    scene_read("work/p/current/hungry/code", &s.err);
    assert_string_equal(s.err.p, "0\n");
    if (geteuid() == 0) {
        assert_has(s.out.p, "odd     ran");
        scene_read("work/p/current/odd/manifest.json", &s.err);
        assert_has(s.err.p, "\"a b\"");
    } else {
        assert_has(s.out.p, "odd     failed");
    }
    scene_end(&s);
}

/* 10 MB without a line's end, 10 MB of NULs: shown, in parts, and what comes behind them, too. */
static void words_without_an_end_are_shown_in_parts(void **state)
{
    char text[300000];
    struct scene s;
    size_t longest = 0, length = 0, bytes = 0, n;
    pid_t runner;
    FILE *f;

    begin(&s, "  chatty: {run: [sh, chatty.sh]}\n");
    scene_write("chatty.sh", "head -c 10000000 /dev/zero\nhead -c 10000000 /dev/zero | tr '\\0' x\necho the end\n");
    runner = scene_start((const char *const[]){ "run", "p.yaml", NULL });
    assert_int_equal(scene_wait(runner), 0);
    f = fopen(".stderr", "r");
    assert_non_null(f);
    while ((n = fread(text, 1, sizeof text, f)) > 0)
        for (size_t i = 0; i < n; i++, bytes++) {
            length = text[i] == '\n' ? 0 : length + 1;
            longest = length > longest ? length : longest;
        }
    fclose(f);
    assert_true(bytes > 20000000 && longest < 100000);
    scene_end(&s);
}

/* Another stage writes what this one reads, behind the look at it: what came out stands for what was
 * read, or for nothing. */
static void an_input_that_changes_meanwhile_is_noticed(void **state)
{
    struct scene s;

    begin(&s, "  slow: {uses: grow, with: {in: texts, nap: 400}, resources: {threads: 1}}\n"
              "  first: {run: [sh, -c, \"echo other >texts\"], resources: {threads: 1}}\n");
    scene_write("texts", "some");
    assert_run(&s, 1, "run", "p.yaml", "-j", "2", "--threads", "2");
    assert_has(s.err.p, "what its stage reads (in) changed while it began");
    assert_run(&s, 0, "run", "p.yaml", "-j", "2", "--threads", "2");
    assert_has(s.out.p, "slow   ran");
    scene_end(&s);
}

/* The cut may be inside a character, and a log may hold anything. */
static void the_end_of_a_log_is_shown_whatever_it_holds(void **state)
{
    struct scene s;

    begin(&s, "  a: {run: [sh, noise.sh]}\n  b: {run: [sh, letters.sh]}\n");
    scene_write("noise.sh", "head -c 3000 /dev/urandom | tr -d '\\000'\nexit 3\n");
    scene_write("letters.sh", "yes \xD0\xBA\xD0\xB8 | tr -d '\\n' | head -c 3001\nexit 3\n");
    assert_run(&s, 1, "run", "p.yaml", "-k");
    assert_has(s.err.p, "stage 'a' failed (exit code 3)");
    assert_has(s.err.p, "stage 'b' failed (exit code 3)");
    assert_true(file_exists("work/p/report.html"));
    assert_run(&s, 0, "runs", "p.yaml");
    assert_has(s.out.p, "  failed ");
    scene_end(&s);
}

static void what_changes_while_a_stage_reads_it_is_noticed(void **state)
{
    struct scene s;

    begin(&s, "  a: {run: [sh, -c, \"echo other >texts; cp {i} {out}/c\"], in: {i: texts}}\n");
    scene_write("texts", "some");
    assert_run(&s, 1, "run", "p.yaml");
    assert_has(s.err.p, "'texts' changed while stage 'a' ran");
    assert_run(&s, 0, "run", "p.yaml");
    scene_end(&s);
}

/* What a full disk does: the place of the logs is taken by a file. */
static void a_stage_that_cannot_be_started_stops_no_other(void **state)
{
    struct scene s;

    begin(&s, "  a: {run: [sh, -c, \"sleep 0.3\"]}\n"
              "  b: {run: [sh, -c, \"rm -r work/p/logs; : >work/p/logs; sleep 0.1\"]}\n"
              "  c: {uses: grow, needs: b}\n"
              "  d: {run: [\"true\"], needs: a}\n");
    assert_run(&s, 1, "run", "p.yaml", "-k", "-j", "2", "--threads", "2");
    assert_has(s.err.p, "stage 'c' cannot be started: cannot create the log");
    assert_has(s.out.p, "a      ran ");
    assert_has(s.out.p, "d      failed ");
    scene_end(&s);
}

static void a_stage_that_leaves_nothing_has_failed(void **state)
{
    struct scene s;

    begin(&s, "  a: {uses: grow}\n  b: {uses: grow, with: {in: \"@a\"}}\n");
    setenv("FAKE_LOSE", "1", 1);
    assert_run(&s, 1, "run", "p.yaml");
    unsetenv("FAKE_LOSE");
    assert_has(s.err.p, "stage 'a' said that it is done, but left no good artifact");
    assert_run(&s, 0, "run", "p.yaml");
    scene_end(&s);
}

/* Who starts us may ignore SIGCHLD, and then nobody is told how a child ended. */
static void an_ignored_sigchld_is_no_matter(void **state)
{
    struct scene s;

    begin(&s, "  a: {run: [sh, -c, \"exit 7\"]}\n");
    signal(SIGCHLD, SIG_IGN);
    {
        pid_t pid = scene_start((const char *const[]){ "run", "p.yaml", NULL });
        signal(SIGCHLD, SIG_DFL);
        assert_int_equal(scene_wait(pid), 1);
    }
    scene_read(".stderr", &s.err);
    assert_has(s.err.p, "exit code 7");
    scene_end(&s);
}

static void an_input_that_vanishes_fails_its_stage_alone(void **state)
{
    struct scene s;

    begin(&s, "  a: {run: [sh, -c, \"rm text; touch {out}/a\"]}\n"
              "  b: {uses: grow, with: {in: text}, needs: a}\n"
              "  c: {run: [sh, -c, \"sleep 0.5; touch {out}/c\"]}\n");
    scene_write("text", "x");
    assert_run(&s, 2, "run", "p.yaml", "--jobs", "2", "--threads", "2");
    assert_has(s.err.p, "no such file or folder: 'text'");
    assert_has(s.out.p, "c      ran");
    scene_end(&s);
}

/* ---- side by side ---- */

/* Each waits for all the others. */
static void so_many_jobs_are_really_at_work_at_one_time(void **state)
{
    struct scene s;

    begin(&s, "  a: {matrix: {v: [1, 2, 3, 4]}, run: [sh, meet.sh, \"${v}\"], timeout: 30s}\n");
    scene_write("meet.sh", "touch here.$1\nwhile [ $(ls here.* | wc -l) -lt 4 ]; do sleep 0.02; done\n");
    assert_run(&s, 0, "run", "p.yaml", "--jobs", "4", "--threads", "4");
    scene_end(&s);
}

static void of_several_runners_at_once_one_works(void **state)
{
    pid_t runners[4];
    int won = 0, held = 0;
    struct scene s;

    begin(&s, "  a: {uses: grow, with: {nap: 1500}}\n");
    for (int i = 0; i < 4; i++)
        runners[i] = scene_start((const char *const[]){ "run", "p.yaml", NULL });
    for (int i = 0; i < 4; i++) {
        int code = scene_wait(runners[i]);
        won += code == 0;
        held += code == 4;
    }
    assert_int_equal(won, 1);
    assert_int_equal(held, 3);
    assert_string_equal(scene_ran(&s), "a");
    scene_end(&s);
}

/* The runner as its last stage sees it: open files, zombies, memory; against those that its first one saw. */
static void hundreds_of_stages_leave_nothing_in_the_runner(void **state)
{
    struct buf text = { 0 };
    int files[2] = { 0 }, zombies[2] = { 0 }, rss[2] = { 0 };
    struct scene s;

    begin(&s, "  first: {run: [sh, look.sh, \"{out}\", a]}\n"
              "  many: {matrix: {x: [0,1,2,3,4,5,6,7,8,9], y: [0,1,2,3,4,5,6,7,8,9], z: [0,1,2]}, needs: first,\n"
              "         run: [\"true\", \"${x}${y}${z}\"]}\n"
              "  last: {run: [sh, look.sh, \"{out}\", b], needs: many}\n");
    scene_write("look.sh", "sleep 1; ls /proc/$PPID/fd | wc -l >\"$1/look\"\n"
                           "grep -l \"^PPid:.$PPID$\" /proc/[0-9]*/status 2>/dev/null | xargs grep -l '^State:.Z' | wc -l >>\"$1/look\"\n"
                           "sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$PPID/status >>\"$1/look\"\n");
    assert_run(&s, 0, "run", "p.yaml");
    for (int i = 0; i < 2; i++) {
        scene_read(i == 0 ? "work/p/current/first/look" : "work/p/current/last/look", &text);
        assert_int_equal(sscanf(text.p, "%d %d %d", &files[i], &zombies[i], &rss[i]), 3);
    }
    print_message("open files %d, then %d; zombies %d, then %d; resident %d KB, then %d KB\n", files[0], files[1],
                  zombies[0], zombies[1], rss[0], rss[1]);
    assert_true(files[1] <= files[0]);
    assert_true(zombies[1] <= 1);
    assert_true(rss[1] < rss[0] + 64 * 1024);
    buf_release(&text);
    scene_end(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stage_gets_as_many_attempts_as_it_is_granted),
        cmocka_unit_test(the_first_failure_ends_the_run),
        cmocka_unit_test(attempts_go_on_from_each_other),
        cmocka_unit_test(too_much_memory_is_a_cause_of_its_own),
        cmocka_unit_test(ctrl_c_does_not_wait_for_a_pause),
        cmocka_unit_test(a_timeout_ends_the_whole_tree_and_holds_up_nobody),
        cmocka_unit_test(what_a_stage_leaves_alive_writes_into_no_artifact),
        cmocka_unit_test(a_program_that_ends_politely_is_not_done),
        cmocka_unit_test(a_second_ctrl_c_leaves_nothing_alive),
        cmocka_unit_test(the_next_run_ends_what_a_killed_one_left),
        cmocka_unit_test(odd_programs_do_no_harm),
        cmocka_unit_test(an_input_that_changes_meanwhile_is_noticed),
        cmocka_unit_test(what_changes_while_a_stage_reads_it_is_noticed),
        cmocka_unit_test(the_end_of_a_log_is_shown_whatever_it_holds),
        cmocka_unit_test(a_stage_that_cannot_be_started_stops_no_other),
        cmocka_unit_test(a_stage_that_leaves_nothing_has_failed),
        cmocka_unit_test(an_ignored_sigchld_is_no_matter),
        cmocka_unit_test(an_input_that_vanishes_fails_its_stage_alone),
        cmocka_unit_test(words_without_an_end_are_shown_in_parts),
        cmocka_unit_test(so_many_jobs_are_really_at_work_at_one_time),
        cmocka_unit_test(of_several_runners_at_once_one_works),
        cmocka_unit_test(hundreds_of_stages_leave_nothing_in_the_runner),
    };

    fake_be_program(argc, argv);
    return cmocka_run_group_tests_name("run_faults", tests, NULL, NULL);
}
