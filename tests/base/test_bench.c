#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bench.h"
#include "base/platform.h"
#include "base/child.h"

/* ---- commands with benches that measure nothing ---- */

static enum status one_value(struct bench *b)
{
    double x = 2.5;

    bench_report(b, &(struct bench_result){ .unit = "MB/s", .values = &x, .count = 1 });
    return ST_OK;
}

static enum status many_values(struct bench *b)
{
    static const double values[] = { 5, 1, 4, 2 };
    int n = b->repeat < 4 ? b->repeat : 4;

    bench_report(b, &(struct bench_result){ .variant = "of \"n\"", .unit = "GFLOP/s", .values = values, .count = n,
                                            .yardstick = "peak", .yardstick_value = 10 });
    return ST_OK;
}

static enum status echo(struct bench *b)
{
    double x = b->threads;

    bench_report(b, &(struct bench_result){ .variant = b->in, .unit = "threads", .values = &x, .count = 1 });
    return ST_OK;
}

static enum status broken(struct bench *b) { return fail(ST_LIMIT, "too much"); }

static const struct opt no_options[] = { OPT_END };
static const struct bench_case train_cases[] = { { "merge", one_value }, { NULL, NULL } };
static const struct bench_case encode_cases[] = { { "encode cold", one_value }, { "encode warm", many_values },
                                                  { "echo", echo }, { NULL, NULL } };
static const struct bench_case bad_cases[] = { { "broken", broken }, { "after", one_value }, { NULL, NULL } };
static const struct command train = { .name = "tokenizer train", .opts = no_options, .benches = train_cases };
static const struct command encode = { .name = "tokenizer encode", .opts = no_options, .benches = encode_cases };
static const struct command bad = { .name = "bad", .opts = no_options, .benches = bad_cases };
static const struct command none = { .name = "none", .opts = no_options };
static const struct command *const commands[] = { &none, &train, &encode, &bad, &cmd_bench, NULL };

struct call {
    int argc;
    char **argv;
};

/* `tundish bench` in a child; a failure's message ends what is captured. */
static void call_bench(void *ctx)
{
    const struct call *call = ctx;
    struct arena a;
    void *cfg = mem_alloc(cmd_bench.cfg_size);
    enum status st;

    dup2(STDERR_FILENO, STDOUT_FILENO);
    command_set_all(commands);
    arena_init(&a);
    st = opt_parse(cmd_bench.opts, &a, call->argc, call->argv, cfg);
    if (st == ST_OK)
        st = cmd_bench.run(&a, cfg);
    if (st != ST_OK)
        printf("%s\n", fail_message());
    fflush(stdout);
    _exit(status_exit_code(st));
}

static void expect(char **argv, int code, const char *words)
{
    struct call call = { 0, argv };
    struct child_end end;

    while (argv[call.argc])
        call.argc++;
    end = child_run(call_bench, &call);
    assert_string_equal(end.words, words);
    assert_int_equal(end.code, code);
}
#define EXPECT(code, words, ...) expect((char *[]){ __VA_ARGS__, NULL }, code, words)

/* ---- tests ---- */

static void groups_and_cases_are_listed(void **state)
{
    EXPECT(0, "tokenizer\tmerge\ntokenizer\tencode cold\ntokenizer\tencode warm\ntokenizer\techo\nbad\tbroken\nbad\tafter\n",
           "--list");
    EXPECT(0, "tokenizer\tencode cold\ntokenizer\tencode warm\n", "tokenizer", "enc", "--list");
}

static void cases_are_chosen_by_how_they_begin(void **state)
{
    EXPECT(0, "{\"bench\": \"tokenizer\", \"case\": \"encode cold\", \"threads\": 1, \"value\": 2.5, \"unit\": \"MB/s\"}\n",
           "tokenizer", "encode cold");
    EXPECT(0, "{\"bench\": \"tokenizer\", \"case\": \"merge\", \"threads\": 3, \"value\": 2.5, \"unit\": \"MB/s\"}\n",
           "tokenizer", "m", "--threads=3");
    EXPECT(0, "{\"bench\": \"tokenizer\", \"case\": \"echo f.txt\", \"threads\": 1, \"value\": 1, \"unit\": \"threads\"}\n",
           "tokenizer", "echo", "--in=f.txt");
}

static void several_values_give_minimum_median_maximum(void **state)
{
    EXPECT(0, "{\"bench\": \"tokenizer\", \"case\": \"encode warm of \\\"n\\\"\", \"threads\": 1, \"value\": 3, "
              "\"unit\": \"GFLOP/s\", \"minimum\": 1, \"median\": 3, \"maximum\": 5, "
              "\"yardstick\": \"peak\", \"yardstick_value\": 10, \"ratio\": 0.3}\n",
           "tokenizer", "encode warm", "--repeat=4");
    EXPECT(0, "{\"bench\": \"tokenizer\", \"case\": \"encode warm of \\\"n\\\"\", \"threads\": 1, \"value\": 4, "
              "\"unit\": \"GFLOP/s\", \"minimum\": 1, \"median\": 4, \"maximum\": 5, "
              "\"yardstick\": \"peak\", \"yardstick_value\": 10, \"ratio\": 0.4}\n",
           "tokenizer", "encode warm", "--repeat=3");
}

static void what_is_not_there_is_named(void **state)
{
    EXPECT(2, "want a GROUP of benches; there are 'tokenizer', 'bad'\n", "--repeat=2");
    EXPECT(2, "no benches for 'tokenzer'; did you mean 'tokenizer'?\n", "tokenzer");
    EXPECT(2, "no benches for 'none'; there are 'tokenizer', 'bad'\n", "none");
    EXPECT(2, "'bad' has no bench 'aftre'; did you mean 'after'?\n", "bad", "aftre");
    EXPECT(2, "'bad' has no bench 'zzz'; there are 'broken', 'after'\n", "bad", "zzz", "--list");
    EXPECT(2, "unexpected word 'c' behind GROUP and CASE\n", "a", "b", "c");
    EXPECT(2, "--repeat: want a whole number, 1 to 1000; found the number 0\n", "bad", "--repeat=0");
}

static void a_case_that_fails_stops_the_rest(void **state) { EXPECT(1, "too much\n", "bad"); }

static void zero_threads_are_all_that_are_usable(void **state)
{
    char want[256];

    snprintf(want, sizeof want, "{\"bench\": \"tokenizer\", \"case\": \"echo\", \"threads\": %d, \"value\": %d, "
             "\"unit\": \"threads\"}\n", cpu_count(), cpu_count());
    EXPECT(0, want, "tokenizer", "echo", "--threads=0");
}

static void values_that_json_lacks_become_null(void **state)
{
    json_t *line;
    char *text = NULL;
    size_t n = 0;
    FILE *kept = stdout;
    double x = INFINITY;

    stdout = open_memstream(&text, &n);
    bench_report(&(struct bench){ .group = "g", .name = "c", .threads = 1 },
                 &(struct bench_result){ .unit = "u", .values = &x, .count = 1, .yardstick = "y" });
    fclose(stdout);
    stdout = kept;
    assert_ok(json_parse(text, n, "line", &line));
    assert_true(json_is_null(json_object_get(line, "value")));
    assert_true(json_is_null(json_object_get(line, "ratio")));
    json_decref(line);
    free(text);
}

static void the_clock_goes_forward_and_memory_has_a_speed(void **state)
{
    double before = bench_now(), rate = bench_memory_scan(1 << 20);

    assert_true(bench_now() > before);
    assert_true(rate > 0.01 && rate < 1e5);
    assert_true(bench_memory_scan(1) >= 0);      /* less than one step of the scan */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_and_cases_are_listed),
        cmocka_unit_test(cases_are_chosen_by_how_they_begin),
        cmocka_unit_test(several_values_give_minimum_median_maximum),
        cmocka_unit_test(what_is_not_there_is_named),
        cmocka_unit_test(a_case_that_fails_stops_the_rest),
        cmocka_unit_test(zero_threads_are_all_that_are_usable),
        cmocka_unit_test(values_that_json_lacks_become_null),
        cmocka_unit_test(the_clock_goes_forward_and_memory_has_a_speed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
