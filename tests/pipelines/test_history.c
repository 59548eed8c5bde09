/* runs and compare, over records that stand here as a runner would write them. */
#include "test.h"

#include <sys/stat.h>

#include "base/json.h"
#include "pipelines/history/compare.h"
#include "pipelines/run/run_record.h"
#include "scene.h"

/* ---- records ---- */

static const char *const first_run =
    "{\"tundish\": 1, \"run\": \"2026-01-31T08-00-00Z\", \"pipeline\": \"p\", \"site\": null, \"program\": \"0.1.0\",\n"
    " \"begun\": 1769846400.25, \"seconds\": 12.5, \"outcome\": \"done\", \"message\": \"\", \"words\": [],\n"
    " \"params\": {\"lr\": 0.001, \"vocab\": 4096}, \"machine\": {\"host\": \"a\", \"jobs\": 2, \"threads\": 2, \"memory\": 25000000000},\n"
    " \"stages\": [\n"
    "  {\"name\": \"corpus\", \"uses\": \"curate\", \"after\": [], \"result\": \"ran\", \"why\": [\"never ran\"],\n"
    "   \"artifact\": \"corpus-0123456789ab\", \"digest\": \"1111111111111111111111111111111111111111111111111111111111111111\",\n"
    "   \"options\": {\"steps\": [{\"dedup\": {\"threshold\": 0.8}}]}, \"inputs\": {\"sources\": [{\"digest\": \"aa\", \"name\": \"notes\"}]},\n"
    "   \"asked\": {\"ranks\": 1, \"threads\": 0, \"memory\": 0, \"timeout\": 0},\n"
    "   \"attempts\": [{\"begun\": 0.1, \"seconds\": 2.5, \"cpu_seconds\": 3, \"peak_memory\": 1000000, \"code\": 0, \"signal\": 0, \"cause\": null, \"log\": \"corpus-1.log\"}],\n"
    "   \"saved_seconds\": null, \"gates\": [], \"metrics\": null},\n"
    "  {\"name\": \"score\", \"uses\": \"evaluate\", \"after\": [\"corpus\"], \"result\": \"ran\", \"why\": [],\n"
    "   \"options\": {\"lr\": 0.001, \"tag\": \"a \\\"quote\\\" [\"}, \"inputs\": {\"model\": [\"bb\"], \"store\": [\"cc\", \"dd\"]},\n"
    "   \"asked\": {\"ranks\": 1}, \"attempts\": [{\"seconds\": 4, \"cpu_seconds\": 8, \"peak_memory\": 5}, {\"seconds\": 1, \"cpu_seconds\": 1, \"peak_memory\": 7}],\n"
    "   \"gates\": [{\"metric\": \"bits_per_byte\", \"outcome\": \"passed\", \"words\": \"1.6 <= 2.0\", \"value\": 1.6}],\n"
    "   \"metrics\": {\"bits_per_byte\": 1.6, \"documents\": 10}},\n"
    "  {\"name\": \"old\", \"uses\": \"curate\", \"result\": \"cached\", \"metrics\": null}]}\n";

static const char *const second_run =
    "{\"tundish\": 1, \"run\": \"2026-01-31T08-00-00Z-2\", \"pipeline\": \"p\", \"program\": \"0.1.0\", \"begun\": 1769846410, \"seconds\": 25,\n"
    " \"outcome\": \"gate\", \"message\": \"stage 'score': bits_per_byte 1.68 is over 1.65\\nmore\", \"params\": {\"lr\": 0.0003, \"vocab\": 4096},\n"
    " \"machine\": {\"host\": \"a\", \"jobs\": 2, \"threads\": 2, \"memory\": 25000000000},\n"
    " \"stages\": [\n"
    "  {\"name\": \"corpus\", \"uses\": \"curate\", \"result\": \"cached\",\n"
    "   \"digest\": \"1111111111111111111111111111111111111111111111111111111111111111\", \"artifact\": \"corpus-0123456789ab\", \"after\": [],\n"
    "   \"options\": {\"steps\": [{\"dedup\": {\"threshold\": 0.7}}]}, \"inputs\": {\"sources\": [{\"digest\": \"aa\", \"name\": \"notes\"}]},\n"
    "   \"asked\": {\"ranks\": 1, \"threads\": 0, \"memory\": 0, \"timeout\": 0}, \"attempts\": []},\n"
    "  {\"name\": \"score\", \"uses\": \"evaluate\", \"after\": [\"corpus\"], \"result\": \"gate\",\n"
    "   \"options\": {\"lr\": 0.0003, \"tag\": \"a \\\"quote\\\" [\"}, \"inputs\": {\"model\": [\"bb\"], \"store\": [\"cc\", \"ee\"]},\n"
    "   \"asked\": {\"ranks\": 1}, \"attempts\": [{\"seconds\": 4, \"cpu_seconds\": 8, \"peak_memory\": 5}],\n"
    "   \"gates\": [{\"metric\": \"bits_per_byte\", \"outcome\": \"failed\", \"words\": \"1.68 <= 1.65\", \"value\": 1.68}],\n"
    "   \"metrics\": {\"bits_per_byte\": 1.68, \"documents\": 10}},\n"
    "  {\"name\": \"fresh\", \"uses\": \"curate\", \"result\": \"not run\"}]}\n";

static const char *const third_run =
    "{\"tundish\": 1, \"run\": \"2026-02-01T00-00-00Z\", \"pipeline\": \"p\", \"begun\": 1769904000, \"seconds\": null,\n"
    " \"outcome\": \"running\", \"message\": \"\", \"params\": {}, \"stages\": [{\"name\": \"corpus\", \"result\": \"ran\"}]}\n";

static void begin(struct scene *s)
{
    scene_begin(s);
    assert_ok(file_make_folders("work/p/runs"));
    scene_write("work/p/journal.jsonl", "");
    scene_write("p.yaml", "pipeline: p\nstages: {a: {uses: nothing like it}}\n");      /* wrong, and no matter */
    scene_write("work/p/runs/2026-01-31T08-00-00Z.json", first_run);
    scene_write("work/p/runs/2026-01-31T08-00-00Z-2.json", second_run);
    scene_write("work/p/runs/2026-02-01T00-00-00Z.json", third_run);
    setenv("TZ", "UTC", 1);
}

/* ---- which run ---- */

static const char *found(const char *word)
{
    static struct arena a;
    struct run_list all;
    struct run_place place;

    assert_ok(run_record_list(&a, "work/p", &all));
    if (run_record_find(&a, "work/p", &all, word, &place) != ST_OK)
        return fail_message();
    return path_base(place.path);
}

static void ids_stand_in_the_order_of_time_and_number(void **state)
{
    struct run_list all;
    struct arena a = { 0 };
    struct scene s;

    begin(&s);
    scene_write("work/p/runs/2026-01-31T08-00-00Z-10.json", first_run);
    scene_write("work/p/runs/2026-01-31T08-00-00Z.json.tmp.1", "");
    scene_write("work/p/runs/.json", "");
    assert_ok(run_record_list(&a, "work/p", &all));
    assert_int_equal(all.count, 4);
    assert_string_equal(all.ids[0], "2026-01-31T08-00-00Z");
    assert_string_equal(all.ids[1], "2026-01-31T08-00-00Z-2");
    assert_string_equal(all.ids[2], "2026-01-31T08-00-00Z-10");
    assert_string_equal(all.ids[3], "2026-02-01T00-00-00Z");
    assert_ok(run_record_list(&a, "nowhere", &all));
    assert_int_equal(all.count, 0);
    arena_release(&a);
    scene_end(&s);
}

static void a_run_is_named_in_several_ways(void **state)
{
    struct scene s;

    begin(&s);
    assert_string_equal(found("last"), "2026-02-01T00-00-00Z.json");
    assert_string_equal(found("last~1"), "2026-01-31T08-00-00Z-2.json");
    assert_string_equal(found("last~2"), "2026-01-31T08-00-00Z.json");
    assert_string_equal(found("last~3"), "there is no run 'last~3': the folder has 3");
    assert_string_equal(found("2026-02"), "2026-02-01T00-00-00Z.json");
    assert_string_equal(found("2026-01-31T08-00-00Z"), "2026-01-31T08-00-00Z.json");      /* whole, though -2 begins so */
    assert_string_equal(found("2026-01"), "several runs begin with '2026-01': 2026-01-31T08-00-00Z, "
                                          "2026-01-31T08-00-00Z-2; want more of the id");
    assert_string_equal(found("lats"), "there is no run 'lats'; did you mean 'last'?");
    assert_string_equal(found("2026-02-01T00-00-10Z"),
                        "there is no run '2026-02-01T00-00-10Z'; did you mean '2026-02-01T00-00-00Z'?");
    assert_non_null(strstr(found(""), "there is no run ''; want an id"));
    assert_non_null(strstr(found("last~x"), "there is no run 'last~x'"));
    assert_string_equal(found("work/p/runs/2026-02-01T00-00-00Z.json"), "2026-02-01T00-00-00Z.json");
    assert_string_equal(found("elsewhere.json"), "there is no file 'elsewhere.json'");
    scene_end(&s);
}

/* The named stages are whole, and so is all that is no stage. */
static void a_record_of_few_stages_lacks_only_the_others(void **state)
{
    const char *const records[] = { first_run, second_run, third_run };

    for (size_t i = 0; i < 3; i++) {
        json_t *whole, *less, *stage, *kept;
        size_t k;
        assert_ok(run_record_parse(records[i], strlen(records[i]), "whole", &whole));
        json_array_foreach(json_object_get(whole, "stages"), k, stage) {
            const char *names[] = { "no such stage", json_text(stage, "name"), NULL };
            struct buf few = { 0 };
            run_record_few(records[i], strlen(records[i]), names, &few);
            assert_ok(run_record_parse(few.p, few.n, "few", &less));
            kept = run_record_stage(less, names[1]);
            assert_true(json_equal(stage, kept));
            assert_true(json_array_size(json_object_get(less, "stages"))
                        < json_array_size(json_object_get(whole, "stages"))
                        || json_array_size(json_object_get(whole, "stages")) == 1);
            json_object_set(less, "stages", json_object_get(whole, "stages"));
            assert_true(json_equal(whole, less));
            json_decref(less);
            buf_release(&few);
        }
        json_decref(whole);
    }
}

/* What is left out comes out null, and nothing else changes. */
static void a_brief_record_lacks_only_what_is_long(void **state)
{
    static const char *const gone[] = { "options", "inputs", "why", "asked", "attempts" };
    const char *const records[] = { first_run, second_run, third_run };

    for (size_t i = 0; i < 3; i++) {
        struct buf brief = { 0 };
        json_t *whole, *less, *stage;
        size_t k;
        run_record_brief(records[i], strlen(records[i]), &brief);
        assert_ok(run_record_parse(records[i], strlen(records[i]), "whole", &whole));
        assert_ok(run_record_parse(brief.p, brief.n, "brief", &less));
        json_array_foreach(json_object_get(whole, "stages"), k, stage)
            for (size_t j = 0; j < 5; j++)
                if (json_object_get(stage, gone[j]) != NULL)
                    json_object_set_new(stage, gone[j], json_null());
        assert_true(json_equal(whole, less));
        json_decref(whole);
        json_decref(less);
        buf_release(&brief);
    }
}

/* ---- runs ---- */

static void runs_are_a_table_newest_last(void **state)
{
    struct scene s;

    begin(&s);
    assert_run(&s, 0, "runs", "p.yaml");
    assert_string_equal(
        s.out.p,
        "run                     begun                outcome  seconds  ran  cached  failed  metrics             message\n"
        "2026-01-31T08-00-00Z    2026-01-31 08:00:00  done       12.50    2       1       0  bits_per_byte=1.6\n"
        "2026-01-31T08-00-00Z-2  2026-01-31 08:00:10  gate       25.00    0       1       1  bits_per_byte=1.68  "
        "stage 'score': bits_per_byte 1.68 is over 1.65 ...\n"
        "2026-02-01T00-00-00Z    2026-02-01 00:00:00  cut off        -    1       0       0  -\n");
    assert_run(&s, 0, "runs", "work/p", "--last", "1");
    assert_lacks(s.out.p, "2026-01");
    assert_has(s.out.p, "2026-02-01T00-00-00Z");
    scene_end(&s);
}

static void only_the_newest_can_be_running(void **state)
{
    struct file_lock lock;
    struct scene s;

    begin(&s);
    scene_write("work/p/runs/2026-01-01T00-00-00Z.json", third_run);
    assert_ok(file_lock_take(&lock, "work/p/lock"));
    assert_run(&s, 0, "runs", "p.yaml");
    assert_has(s.out.p, "2026-02-01T00-00-00Z    2026-02-01 00:00:00  running ");
    assert_has(s.out.p, "2026-01-01T00-00-00Z    2026-02-01 00:00:00  cut off ");
    file_lock_drop(&lock);
    assert_run(&s, 0, "runs", "p.yaml", "--json");
    assert_has(s.out.p, "\"outcome\":\"cut off\"");
    scene_end(&s);
}

static void a_damaged_record_hides_no_other(void **state)
{
    struct scene s;
    json_t *all;

    begin(&s);
    scene_write("work/p/runs/2026-01-31T08-00-00Z-2.json", "{\"tundish\": 1, \"run\": \"x\", \"stages\": [{]}");
    assert_run(&s, 0, "runs", "p.yaml");
    assert_has(s.out.p, "2026-01-31T08-00-00Z-2  -                    unreadable        -    0       0       0  -");
    assert_has(s.out.p, "work/p/runs/2026-01-31T08-00-00Z-2.json:1:");
    assert_run(&s, 0, "runs", "p.yaml", "--json", "--last", "2");
    assert_ok(json_parse(s.out.p, s.out.n, "runs", &all));
    assert_int_equal(json_array_size(json_object_get(all, "runs")), 2);
    json_decref(all);
    scene_end(&s);
}

static void a_folder_without_runs_is_told(void **state)
{
    struct scene s;

    begin(&s);
    assert_run(&s, 2, "runs", "q.yaml");
    scene_write("q.yaml", "pipeline: q\n");
    assert_run(&s, 2, "runs", "q.yaml");
    assert_has(s.err.p, "there is no work folder 'work/q': nothing ran yet, or it was run with --work");
    assert_run(&s, 0, "runs", "q.yaml", "--work", "work/p");
    assert_has(s.out.p, "2026-02-01T00-00-00Z");
    assert_run(&s, 2, "runs", "work");
    assert_has(s.err.p, "'work' is a folder without a journal.jsonl");
    assert_run(&s, 2, "runs", "work/p", "--work", "x");
    scene_write("q.yaml", "name: q\n");
    assert_run(&s, 2, "runs", "q.yaml");
    assert_has(s.err.p, "q.yaml:1:1: want a pipeline file: a map with its name under 'pipeline'");
    assert_ok(file_remove_tree("work/p/runs"));
    assert_run(&s, 0, "runs", "p.yaml");
    assert_has(s.out.p, "run  begun  outcome");
    assert_run(&s, 2, "compare", "p.yaml");
    assert_has(s.err.p, "there is no run 'last': the folder has 0");
    scene_end(&s);
}

/* ---- compare ---- */

static void what_differs_stands_side_by_side(void **state)
{
    struct scene s;

    begin(&s);
    assert_run(&s, 0, "compare", "p.yaml", "last~2", "last~1");
    assert_string_equal(
        s.out.p,
        "                                   2026-01-31T08-00-00Z  2026-01-31T08-00-00Z-2                       difference\n"
        "outcome                            done                  gate\n"
        "seconds                            12.5                  25                                           +12.5 (+100 %)\n"
        "words                              []                    -\n"
        "message                            -                     stage 'score': bits_per_byte 1.68 is ove...\n"
        "param lr                           0.001                 0.0003                                       -0.0007 (-70 %)\n"
        "stage corpus\n"
        "  result                           ran                   cached\n"
        "  option steps[0].dedup.threshold  0.8                   0.7                                          -0.1 (-12.5 %)\n"
        "  used attempts                    1                     -\n"
        "  used seconds                     2.5                   -\n"
        "  used cpu_seconds                 3                     -\n"
        "  used peak_memory                 1.0 MB                -\n"
        "stage score\n"
        "  result                           ran                   gate\n"
        "  option lr                        0.001                 0.0003                                       -0.0007 (-70 %)\n"
        "  input store[1]                   dd                    ee\n"
        "  used attempts                    2                     1                                            -1 (-50 %)\n"
        "  used seconds                     5                     4                                            -1 (-20 %)\n"
        "  used cpu_seconds                 9                     8                                            -1 (-11.1 %)\n"
        "  used peak_memory                 7 B                   5 B                                          -2 B (-28.6 %)\n"
        "  gate 0 bits_per_byte             passed (1.6 <= 2.0)   failed (1.68 <= 1.65)\n"
        "  metric bits_per_byte             1.6                   1.68                                         +0.08 (+5 %)\n"
        "stage old                          cached                -                                            only in 2026-01-31T08-00-00Z\n"
        "stage fresh                        -                     not run                                      only in 2026-01-31T08-00-00Z-2\n");
    assert_run(&s, 0, "compare", "p.yaml", "last~2", "last~1", "--all");
    assert_has(s.out.p, "param vocab ");
    assert_has(s.out.p, "metric documents ");
    scene_end(&s);
}

static void one_run_stands_beside_the_one_before_it(void **state)
{
    struct scene s;

    begin(&s);
    assert_run(&s, 0, "compare", "work/p");
    assert_has(s.out.p, "  2026-02-01T00-00-00Z  difference\n");
    assert_has(s.out.p, "message                            stage 'score': bits_per_byte 1.68 is ove...  -\n");
    assert_run(&s, 0, "compare", "work/p", "last~1");
    assert_has(s.out.p, " 2026-01-31T08-00-00Z  2026-01-31T08-00-00Z-2 ");
    assert_run(&s, 2, "compare", "work/p", "last~2");
    assert_has(s.err.p, "run 2026-01-31T08-00-00Z is the first; want two runs");
    assert_run(&s, 0, "compare", "work/p", "last", "last");
    assert_has(s.out.p, "(no difference)");
    assert_run(&s, 0, "compare", "work/p", "last", "last~1", "last~2");
    assert_has(s.out.p, " 2026-02-01T00-00-00Z  2026-01-31T08-00-00Z-2                       2026-01-31T08-00-00Z\n");
    scene_end(&s);
}

static void json_has_every_value_and_metrics_their_difference(void **state)
{
    json_t *all, *stages, *metric, *values;
    struct scene s;
    double before, after, difference, percent;

    begin(&s);
    assert_run(&s, 0, "compare", "p.yaml", "last~2", "last~1", "--json");
    assert_ok(json_parse(s.out.p, s.out.n, "compare", &all));
    stages = json_object_get(all, "stages");
    metric = json_object_get(json_object_get(json_object_get(stages, "score"), "metrics"), "bits_per_byte");
    assert_int_equal(json_unpack(metric, "{s:[F, F], s:F, s:F}", "values", &before, &after, "difference",
                                 &difference, "percent", &percent), 0);
    assert_true(before == 1.6 && after == 1.68 && difference > 0.0799 && difference < 0.0801 && percent > 4.99
                && percent < 5.01);
    assert_null(json_object_get(json_object_get(json_object_get(stages, "score"), "metrics"), "documents"));
    values = json_object_get(json_object_get(stages, "old"), "in");
    assert_true(json_is_true(json_array_get(values, 0)) && json_is_false(json_array_get(values, 1)));
    json_decref(all);
    scene_end(&s);
}

static void a_record_of_the_wrong_shape_is_refused(void **state)
{
    static const char *const wrong[][2] = {
        { "[]", "is no run record: want a JSON object" },
        { "{\"tundish\": 2, \"run\": \"x\", \"stages\": []}", "has version 2, want 1" },
        { "{\"tundish\": 1, \"stages\": []}", "run" },
        { "{\"tundish\": 1, \"run\": \"x\"}", "it has no list of stages" },
        { "{\"tundish\": 1, \"run\": \"x\", \"stages\": [{\"name\": \"a\"}, {}]}", "stage 1 has no name" },
        { "{\"tundish\": 1, \"run\": \"x\", \"stages\": [7]}", "stage 0 has no name" },
        { "{\"tundish\": 1, \"run\": \"x\", \"run\": \"y\", \"stages\": []}", "duplicate" },
        { "", "" },
    };
    json_t *record;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(run_record_parse(wrong[i][0], strlen(wrong[i][0]), "x.json", &record), ST_FORMAT);
        assert_has(fail_message(), wrong[i][1]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_stand_in_the_order_of_time_and_number),
        cmocka_unit_test(a_run_is_named_in_several_ways),
        cmocka_unit_test(a_brief_record_lacks_only_what_is_long),
        cmocka_unit_test(a_record_of_few_stages_lacks_only_the_others),
        cmocka_unit_test(runs_are_a_table_newest_last),
        cmocka_unit_test(only_the_newest_can_be_running),
        cmocka_unit_test(a_damaged_record_hides_no_other),
        cmocka_unit_test(a_folder_without_runs_is_told),
        cmocka_unit_test(what_differs_stands_side_by_side),
        cmocka_unit_test(one_run_stands_beside_the_one_before_it),
        cmocka_unit_test(json_has_every_value_and_metrics_their_difference),
        cmocka_unit_test(a_record_of_the_wrong_shape_is_refused),
    };

    fake_be_program(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
