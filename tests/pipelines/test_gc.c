/* gc: what stays and why, what goes, and that a run afterwards finds what it would have found. */
#include "test.h"

#include <sys/file.h>

#include "base/json.h"
#include "base/rng.h"
#include "scene.h"

static const char *const chain =
    "pipeline: p\n"
    "params: {size: 1, steps: 3}\n"
    "stages:\n"
    "  a: {uses: grow, with: {size: \"${size}\"}}\n"
    "  b: {uses: grow, with: {in: \"@a\"}}\n"
    "  c: {uses: walk, with: {thing: \"@b\", steps: \"${steps}\"}}\n";

static void begin(struct scene *s)
{
    scene_begin(s);
    scene_write("p.yaml", chain);
}

/* Runs with that size (and steps, or NULL), so that each leaves artifacts of its own. */
static void run_with(struct scene *s, const char *size)
{
    char set[32];

    snprintf(set, sizeof set, "size=%s", size);
    assert_run(s, 0, "run", "p.yaml", "--set", set);
    scene_ran(s);
}


/* Everything below the work folder, so that only rules without a clock are left. */
static void make_all_old(int days)
{
    static const char *const folders[] = { "artifacts", "logs", "runs", "reports", "current" };
    char command[256];

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(command, sizeof command,
                 "test ! -d work/p/%s || find work/p/%s -exec touch -h -d '%d days ago' {} +", folders[i],
                 folders[i], days);
        assert_int_equal(system(command), 0);
    }
}

/* The name of the stage's artifact with that number of digits in `current`. */
static char *current_of(const char *stage)
{
    char link[200], target[400];
    ssize_t n;

    snprintf(link, sizeof link, "work/p/current/%s", stage);
    n = readlink(link, target, sizeof target - 1);
    assert_true(n > 0);
    target[n] = 0;
    return strdup(path_base(target));
}

static bool has_artifact(const char *name)
{
    char path[400];

    snprintf(path, sizeof path, "work/p/artifacts/%s/manifest.json", name);
    return file_exists(path);
}

/* The item of that name in the words of --json; owned by *all. */
static json_t *item_of(struct scene *s, json_t **all, const char *name)
{
    json_t *one;
    size_t i;

    assert_ok(json_parse(s->out.p, s->out.n, "gc", all));
    json_array_foreach(json_object_get(*all, "items"), i, one)
        if (strcmp(path_base(json_string_value(json_object_get(one, "name"))), name) == 0)
            return one;
    fail_msg("no item '%s' in:\n%s", name, s->out.p);
    return NULL;
}

static void assert_kept(struct scene *s, const char *name, const char *why)
{
    json_t *all, *one = item_of(s, &all, name);
    const char *kept = json_string_value(json_object_get(one, "kept"));

    if (kept == NULL || why == NULL ? kept != why : strstr(kept, why) == NULL)
        fail_msg("'%s' is kept because '%s', want '%s'", name, kept ? kept : "-", why ? why : "-");
    json_decref(all);
}

#define GC(s, code, ...) assert_run(s, code, "gc", "p.yaml", __VA_ARGS__)
#define GC_ALL(s, ...) GC(s, 0, "--keep-days", "0", "--keep-last", "0", __VA_ARGS__)

/* ---- rules ---- */

static void young_ones_and_the_newest_stay(void **state)
{
    char *first, *second, *third;
    struct scene s;

    begin(&s);
    run_with(&s, "2");
    first = current_of("a");
    run_with(&s, "3");
    second = current_of("a");
    run_with(&s, "1");
    third = current_of("a");
    GC(&s, 0, "-n", "--json");
    assert_kept(&s, first, "one of the newest 3 of stage a");
    GC(&s, 0, "-n", "--keep-last", "0", "--json");
    assert_kept(&s, first, "younger than 30 days");
    make_all_old(31);
    GC(&s, 0, "-n", "--keep-last", "0", "--json");
    assert_kept(&s, first, NULL);
    assert_kept(&s, third, "fits stage a");
    assert_true(has_artifact(first));      /* nothing was done yet */
    GC_ALL(&s, "--json");
    assert_false(has_artifact(first));
    assert_false(has_artifact(second));
    assert_true(has_artifact(third));
    assert_false(file_exists("work/p/logs/a-1.log"));
    assert_true(file_exists("work/p/logs/a-3.log"));
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "");
    free(first);
    free(second);
    free(third);
    scene_end(&s);
}

static void a_dry_run_is_a_table_with_reasons_and_removes_nothing(void **state)
{
    char *first;
    struct scene s;

    begin(&s);
    run_with(&s, "2");
    first = current_of("a");
    run_with(&s, "1");
    GC_ALL(&s, "--dry-run");
    assert_has(s.out.p, first);
    assert_has(s.out.p, "keep    fits stage a\n");
    assert_has(s.err.p, "would remove ");
    assert_true(has_artifact(first));
    free(first);
    scene_end(&s);
}

static void pinned_ones_stay_with_what_they_were_made_from(void **state)
{
    char *a, *b, *c;
    struct scene s;

    begin(&s);
    run_with(&s, "2");
    a = current_of("a");
    b = current_of("b");
    c = current_of("c");
    GC(&s, 0, "--pin", "b");
    run_with(&s, "1");
    GC_ALL(&s, "--json");
    assert_kept(&s, b, "pinned");
    assert_kept(&s, a, " was made from it");
    assert_true(has_artifact(a));
    assert_false(has_artifact(c));
    GC(&s, 2, "--pin", "d");
    assert_has(s.err.p, "there is no artifact 'd' in 'work/p/artifacts'");
    GC(&s, 2, "--unpin", "a");
    assert_has(s.err.p, "is not pinned");
    GC(&s, 0, "--unpin", b);
    GC_ALL(&s, "--json");
    assert_false(has_artifact(a));
    assert_false(has_artifact(b));
    free(a);
    free(b);
    free(c);
    scene_end(&s);
}

/* As `promote` leaves it: a copy under versions/, a link to it. */
static void copy_to_registry(const char *artifact)
{
    char command[500];

    snprintf(command, sizeof command,
             "mkdir -p reg/versions && cp -r work/p/artifacts/%s reg/versions/0123456789abcdef && "
             "ln -sfn versions/0123456789abcdef reg/champion && rm -rf work/p/artifacts/%s", artifact,
             artifact);
    assert_int_equal(system(command), 0);
}

static void what_a_registered_model_was_made_from_stays(void **state)
{
    char *a, *b, *c;
    struct scene s;

    begin(&s);
    run_with(&s, "2");
    a = current_of("a");
    b = current_of("b");
    c = current_of("c");
    copy_to_registry(c);      /* the work folder's own is gone */
    run_with(&s, "1");
    GC_ALL(&s, "-n", "--json");
    assert_kept(&s, b, NULL);
    GC_ALL(&s, "--registry", "reg", "--json");
    assert_kept(&s, b, "a model in the registry 'reg' leads to it");
    assert_kept(&s, a, " was made from it");
    GC(&s, 2, "--registry", "rge");
    scene_write("gated.yaml",
                "pipeline: p\n"
                "stages:\n"
                "  a: {run: [sh, -c, \"true\"], gate: [{metric: m, versus: reg/champion, better: lower}]}\n");
    assert_run(&s, 0, "gc", "gated.yaml", "--dry-run", "--keep-days", "0", "--keep-last", "0", "--json");
    assert_kept(&s, b, "a model in the registry 'reg' leads to it");
    assert_int_equal(system("mv reg/versions reg/reports"), 0);
    GC_ALL(&s, "--registry", "reg", "-n", "--json");
    assert_kept(&s, b, "a model in the registry 'reg' leads to it");
    assert_int_equal(system("mv reg/reports reg/versions"), 0);
    scene_write("reg/versions/0123456789abcdef/manifest.json", "{");
    GC(&s, 2, "--registry", "reg", "--keep-days", "0", "--keep-last", "0");
    assert_true(has_artifact(b));
    free(a);
    free(b);
    free(c);
    scene_end(&s);
}

static void what_is_in_use_is_passed_over(void **state)
{
    char *a, path[400];
    struct scene s;
    int fd;

    begin(&s);
    run_with(&s, "2");
    a = current_of("a");
    run_with(&s, "1");
    snprintf(path, sizeof path, "work/p/artifacts/%s/manifest.json", a);
    fd = open(path, O_RDONLY);
    assert_int_equal(flock(fd, LOCK_SH), 0);
    GC_ALL(&s, "--json");
    assert_kept(&s, a, "in use");
    assert_has(s.err.p, "1 in use; they go another time");
    close(fd);
    assert_true(has_artifact(a));
    GC_ALL(&s, "--json");
    assert_false(has_artifact(a));
    free(a);
    scene_end(&s);
}

static void a_folder_at_work_is_held(void **state)
{
    struct file_lock lock;
    struct scene s;

    begin(&s);
    run_with(&s, "1");
    assert_ok(file_lock_take(&lock, "work/p/lock"));
    GC(&s, 4, "--keep-days", "0");
    assert_has(s.err.p, "a run of 'p' is at work: ");
    GC(&s, 0, "--dry-run");
    file_lock_drop(&lock);
    scene_write("q.yaml", "pipeline: q\nstages:\n  a: {uses: grow}\n");
    assert_run(&s, 2, "gc", "q.yaml");
    assert_has(s.err.p, "there is no work folder 'work/q'");
    scene_end(&s);
}

static void unfinished_stages_go_on_after_it(void **state)
{
    struct scene s;
    struct buf before = { 0 }, after = { 0 };
    struct timespec nap = { 0, 300000000 };
    pid_t runner;

    begin(&s);
    run_with(&s, "1");
    runner = scene_start((const char *const[]){ "run", "p.yaml", "--set", "steps=100000", NULL });
    nanosleep(&nap, NULL);
    kill(runner, SIGINT);
    assert_int_equal(scene_wait(runner), 130);
    scene_ran(&s);
    make_all_old(100);
    assert_int_equal(system("cat work/p/artifacts/c-*.work/state >before"), 0);
    GC_ALL(&s, "--set", "steps=100000");
    assert_int_equal(system("cat work/p/artifacts/c-*.work/state >after"), 0);
    scene_read("before", &before);
    scene_read("after", &after);
    assert_string_equal(before.p, after.p);
    GC_ALL(&s, "--set", "steps=5");      /* its last attempt is kept even if another key fits now */
    assert_int_equal(system("cat work/p/artifacts/c-*.work/state >after"), 0);
    run_with(&s, "1");                   /* done: what was begun is history */
    assert_run(&s, 0, "run", "p.yaml", "--set", "steps=7");
    make_all_old(100);
    GC_ALL(&s, "--set", "steps=7");
    assert_int_equal(system("ls -d work/p/artifacts/*.work 2>/dev/null"), 2 << 8);
    buf_release(&before);
    buf_release(&after);
    scene_end(&s);
}

/* ---- leftovers, links, bytes ---- */

static void leftovers_of_dead_processes_and_links_to_nowhere_go(void **state)
{
    char mine[400];
    struct scene s;
    pid_t dead = fork();

    if (dead == 0)
        _exit(0);
    assert_int_equal(scene_wait(dead), 0);
    begin(&s);
    run_with(&s, "1");
    snprintf(mine, sizeof mine, "mkdir -p work/p/artifacts/x-0123456789ab.tmp.%d && cd work/p && touch "
             "digests.tmp.%d runs.tmp.zero artifacts/x-0123456789ab.tmp.%d/f && "
             "ln -s ../artifacts/gone-0123456789ab current/gone", dead, dead, dead);
    assert_int_equal(system(mine), 0);
    scene_write("work/p/logs/a-1.log.progress", "{}");
    snprintf(mine, sizeof mine, "work/p/artifacts/y-0123456789ab.tmp.%d", getppid());
    scene_write(mine, "of somebody who lives");
    GC(&s, 0, "--json");
    assert_true(file_exists(mine));
    assert_true(file_exists("work/p/runs.tmp.zero"));
    assert_false(file_exists("work/p/logs/a-1.log.progress"));
    assert_true(file_exists("work/p/logs/a-1.log"));
    snprintf(mine, sizeof mine, "work/p/artifacts/x-0123456789ab.tmp.%d", dead);
    assert_false(file_exists(mine));
    snprintf(mine, sizeof mine, "work/p/digests.tmp.%d", dead);
    assert_false(file_exists(mine));
    assert_int_equal(readlink("work/p/current/gone", mine, sizeof mine), -1);
    assert_true(file_exists("work/p/current/a/manifest.json"));
    scene_end(&s);
}

static json_int_t freed(struct scene *s)
{
    json_t *all;
    json_int_t n;

    assert_ok(json_parse(s->out.p, s->out.n, "gc", &all));
    n = json_integer_value(json_object_get(all, "freed"));
    json_decref(all);
    return n;
}

static void only_last_links_count_as_freed(void **state)
{
    char *a, command[600];
    json_int_t alone, linked;
    struct scene s;

    begin(&s);
    run_with(&s, "2");
    a = current_of("a");
    run_with(&s, "1");
    snprintf(command, sizeof command, "head -c 1000000 /dev/urandom >work/p/artifacts/%s/big && sync work/p/artifacts/%s/big",
             a, a);
    assert_int_equal(system(command), 0);
    GC_ALL(&s, "-n", "--json");
    alone = freed(&s);
    assert_true(alone >= 1000000);
    snprintf(command, sizeof command, "ln work/p/artifacts/%s/big outside", a);
    assert_int_equal(system(command), 0);
    GC_ALL(&s, "-n", "--json");
    linked = freed(&s);
    assert_true(alone - linked >= 1000000 && alone - linked < 1100000);
    assert_int_equal(unlink("outside"), 0);
    snprintf(command, sizeof command, "ln work/p/artifacts/%s/big work/p/artifacts/%s/again", a, a);
    assert_int_equal(system(command), 0);
    GC_ALL(&s, "--json");      /* both names go, so the file does */
    assert_int_equal(freed(&s), alone);
    assert_true(file_exists("work/p"));
    free(a);
    scene_end(&s);
}

/* ---- the property ---- */

static const char *const sizes[] = { "1", "2", "3", "4" };

static void random_run(struct scene *s, struct rng *r)
{
    char size[32], steps[32];

    snprintf(size, sizeof size, "size=%s", sizes[rng_below(r, 4)]);
    snprintf(steps, sizeof steps, "steps=%d", 1 + (int)rng_below(r, 3));
    (void)scene_run(s, "run", "p.yaml", "--set", size, "--set", steps);
}

/* Things that happen to a work folder. */
static void random_mischief(struct rng *r)
{
    static const char *const commands[] = {
        "true",
        "ls -d work/p/artifacts/b-????????????  | head -1 | xargs rm -rf",
        "ls work/p/artifacts/*.key | head -1 | xargs rm -f",
        "ls work/p/artifacts/c-*/data 2>/dev/null | tail -1 | xargs rm -f",
        "rm -f work/p/current/b",
        "rm -rf work/p/runs",
    };

    assert_int_equal(system(commands[rng_below(r, sizeof commands / sizeof *commands)]), 0);
}

/* The words of `status`, without what only tells history. */
static void cached_stages(struct scene *s, const char *const *sets, char *out, size_t room)
{
    json_t *all, *one;
    size_t i;

    assert_run(s, 0, "status", "p.yaml", "--json", "--set", sets[0], "--set", sets[1]);
    assert_ok(json_parse(s->out.p, s->out.n, "status", &all));
    out[0] = 0;
    json_array_foreach(json_object_get(all, "stages"), i, one)
        if (strcmp(json_string_value(json_object_get(one, "state")), "done") == 0) {
            assert_true(strlen(out) + 8 < room);
            strcat(out, json_string_value(json_object_get(one, "name")));
            strcat(out, " ");
        }
    json_decref(all);
}

static void what_was_cached_before_is_cached_after(void **state)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct rng r = { .seed = seed };
        char days[12], last[12], before[200], after[200];
        const char *sets[2];
        char size[32], steps[32];
        struct scene s;

        begin(&s);
        for (int runs = 2 + (int)rng_below(&r, 3); runs > 0; runs--)
            random_run(&s, &r);
        random_mischief(&r);
        make_all_old((int)rng_below(&r, 60));
        snprintf(size, sizeof size, "size=%s", sizes[rng_below(&r, 4)]);
        snprintf(steps, sizeof steps, "steps=%d", 1 + (int)rng_below(&r, 3));
        snprintf(days, sizeof days, "%d", (int)rng_below(&r, 3) * 20);
        snprintf(last, sizeof last, "%d", (int)rng_below(&r, 3));
        sets[0] = size;
        sets[1] = steps;
        cached_stages(&s, sets, before, sizeof before);
        assert_run(&s, 0, "gc", "p.yaml", "--set", size, "--set", steps, "--keep-days", days,
                   "--keep-last", last);
        cached_stages(&s, sets, after, sizeof after);
        if (strcmp(before, after) != 0)
            fail_msg("seed %d: '%s' was done, now '%s' is", (int)seed, before, after);
        assert_run(&s, 0, "run", "p.yaml", "--set", size, "--set", steps);
        scene_ran(&s);
        assert_run(&s, 0, "gc", "p.yaml", "--set", size, "--set", steps, "--keep-days", "0", "--keep-last", "0");
        assert_run(&s, 0, "run", "p.yaml", "--set", size, "--set", steps);
        assert_string_equal(scene_ran(&s), "");
        scene_end(&s);
    }
}

/* Killed at any moment, what is left is whole or garbage, and the next one ends the work. */
static void a_gc_that_is_killed_leaves_nothing_half(void **state)
{
    for (int i = 0; i < 8; i++) {
        struct timespec nap = { 0, 500000L + i * 700000L };
        struct scene s;
        pid_t gc;

        begin(&s);
        run_with(&s, "2");
        run_with(&s, "3");
        run_with(&s, "1");
        gc = scene_start((const char *const[]){ "gc", "p.yaml", "--keep-days", "0", "--keep-last", "0", NULL });
        nanosleep(&nap, NULL);
        kill(gc, SIGKILL);
        scene_wait(gc);
        assert_run(&s, 0, "run", "p.yaml");
        assert_string_equal(scene_ran(&s), "");
        GC_ALL(&s, "--json");
        assert_int_equal(system("test $(ls -d work/p/artifacts/?-???????????? | wc -l) = 3"), 0);
        assert_int_equal(system("! ls work/p/artifacts | grep -q tmp"), 0);
        scene_end(&s);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(young_ones_and_the_newest_stay),
        cmocka_unit_test(a_dry_run_is_a_table_with_reasons_and_removes_nothing),
        cmocka_unit_test(pinned_ones_stay_with_what_they_were_made_from),
        cmocka_unit_test(what_a_registered_model_was_made_from_stays),
        cmocka_unit_test(what_is_in_use_is_passed_over),
        cmocka_unit_test(a_folder_at_work_is_held),
        cmocka_unit_test(unfinished_stages_go_on_after_it),
        cmocka_unit_test(leftovers_of_dead_processes_and_links_to_nowhere_go),
        cmocka_unit_test(only_last_links_count_as_freed),
        cmocka_unit_test(what_was_cached_before_is_cached_after),
        cmocka_unit_test(a_gc_that_is_killed_leaves_nothing_half),
    };

    fake_be_program(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
