/* kill -9 of the runner at random moments, then the same command again: the same bytes, and no
 * stage ever twice at once (`walk` locks its state and fails if it is not alone). */
#include "test.h"

#include "base/rng.h"
#include "pipelines/run/process.h"
#include "scene.h"

#define ROUNDS 4
#define KILLS_LIMIT 60       /* a round, after which it is let through */

static const char *const pipeline =
    "pipeline: p\n"
    "stages:\n"
    "  corpus: {uses: grow, with: {text: begin, nap: 10}}\n"
    "  way: {uses: walk, with: {thing: \"@corpus\", steps: 40}}\n"
    "  meal: {uses: mill.fine, with: {thing: \"@way\"}}\n"
    "  back: {uses: walk, with: {thing: \"@meal\", steps: 30}}\n";

/* "digest digest ..." of all stages. */
static void digests(struct scene *s, const char *work, char *out, size_t room)
{
    json_t *all, *stage;
    size_t i;

    assert_run(s, 0, "status", "p.yaml", "--json", "--work", work);
    assert_ok(json_parse(s->out.p, s->out.n, "status", &all));
    out[0] = 0;
    json_array_foreach(json_object_get(all, "stages"), i, stage)
    {
        const char *digest = json_string_value(json_object_get(stage, "digest"));
        assert_non_null(digest);
        snprintf(out + strlen(out), room - strlen(out), "%s ", digest);
    }
    json_decref(all);
}

static void nap_us(uint64_t us)
{
    struct timespec t = { (time_t)(us / 1000000), (long)(us % 1000000) * 1000 };

    nanosleep(&t, NULL);
}

/* Runs with kills, each at most latest_us behind the start, until it comes through; how many kills
 * that took. */
static int run_with_kills(struct scene *s, struct rng *r, const char *work, uint64_t latest_us)
{
    const char *const words[] = { "run", "p.yaml", "--work", work, NULL };
    int kills = 0;

    for (; kills < KILLS_LIMIT; kills++) {
        pid_t runner = scene_start(words);
        int code;
        nap_us(1000 + rng_below(r, latest_us));
        kill(runner, SIGKILL);
        code = scene_wait(runner);
        if (code == 0)
            return kills;
        scene_read(".stderr", &s->err);
        if (code != 128 + SIGKILL)
            fail_msg("exit code %d:\n%s", code, s->err.p);
    }
    fail_msg("killed %d times and still not through", kills);
    return kills;
}

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void a_run_that_is_killed_again_and_again_gives_the_same_bytes(void **state)
{
    char want[1000], got[1000], work[16];
    struct rng r = { .seed = 3 };
    struct scene s;
    int kills = 0;
    uint64_t calm;

    scene_begin(&s);
    scene_write("p.yaml", pipeline);
    calm = now_us();
    assert_run(&s, 0, "run", "p.yaml", "--work", "calm");
    calm = now_us() - calm;
    digests(&s, "calm", want, sizeof want);
    for (int round = 0; round < ROUNDS; round++) {
        snprintf(work, sizeof work, "round%d", round);
        kills += run_with_kills(&s, &r, work, calm * 3 / 4);
        digests(&s, work, got, sizeof got);
        assert_string_equal(got, want);
    }
    print_message("%d kills in %d rounds\n", kills, ROUNDS);
    assert_true(kills >= ROUNDS);
    scene_end(&s);
}

/* The stage itself is killed, as the kernel does when memory runs out: a failure, and the next run
 * goes on. */
static void a_stage_that_is_killed_fails_and_goes_on_next_time(void **state)
{
    struct scene s;
    pid_t runner, stage = 0;

    scene_begin(&s);
    scene_write("p.yaml", "pipeline: p\nstages:\n  way: {uses: walk, with: {steps: 3, nap: 60000}}\n");
    runner = scene_start((const char *const[]){ "run", "p.yaml", NULL });
    for (int i = 0; i < 1000 && stage == 0; i++) {
        const char *pid;
        nap_us(10000);
        scene_read("work/p/journal.jsonl", &s.out);
        pid = strstr(s.out.p, "\"pid\":");
        stage = pid != NULL ? (pid_t)strtol(pid + 6, NULL, 10) : 0;
    }
    assert_true(stage > 1);
    nap_us(100000);
    assert_int_equal(kill(stage, SIGKILL), 0);
    assert_int_equal(scene_wait(runner), 1);
    scene_read(".stderr", &s.err);
    assert_has(s.err.p, "stage 'way' failed (ended by signal 9, Killed)");
    scene_write("p.yaml", "pipeline: p\nstages:\n  way: {uses: walk, with: {steps: 3}}\n");
    assert_run(&s, 0, "run", "p.yaml");
    scene_end(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_is_killed_again_and_again_gives_the_same_bytes),
        cmocka_unit_test(a_stage_that_is_killed_fails_and_goes_on_next_time),
    };

    fake_be_program(argc, argv);
    return cmocka_run_group_tests_name("kill", tests, NULL, NULL);
}
