/* Gates in a run, programs that are told of it, and its record. */
#include "test.h"

#include "base/json.h"
#include "pipelines/run/run_record.h"
#include "promoted.h"
#include "scene.h"

/* A stage that makes metrics.json with that loss, one behind it, and one beside both. */
static void write_plan(const char *gate, const char *more)
{
    struct buf text = { 0 };

    buf_printf(&text,
               "pipeline: p\n"
               "params: {loss: 2}\n"
               "%s"
               "stages:\n"
               "  score:\n"
               "    run: [sh, -c, 'echo \"{{\\\"loss\\\": $2, \\\"note\\\": \\\"x\\\"}}\" >\"$1/metrics.json\"', sh, \"{out}\", \"${loss}\"]\n"
               "    gate: %s\n"
               "  behind: {uses: grow, needs: score, with: {text: b}}\n"
               "  aside: {uses: grow, with: {text: a}}\n",
               more, gate);
    scene_write("p.yaml", text.p);
    buf_release(&text);
}

static json_t *last_record(void)
{
    struct run_list runs;
    struct arena a;
    json_t *record;

    arena_init(&a);
    assert_ok(run_record_list(&a, "work/p", &runs));
    assert_true(runs.count > 0);
    assert_ok(run_record_load(run_record_path(&a, "work/p", runs.ids[runs.count - 1]), &record));
    arena_release(&a);
    return record;
}

static void a_shut_gate_stops_what_waits_and_nothing_else(void **state)
{
    struct scene s;
    json_t *record, *gate;

    scene_begin(&s);
    write_plan("{metric: loss, max: 1.5}", "");
    assert_run(&s, 3, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "aside");
    assert_has(s.err.p, "error: the gate of stage 'score' is shut: loss 2 is over 1.5 by 0.5");
    assert_has(s.out.p, "score   gate ");
    assert_has(s.out.p, "behind  not run");
    record = last_record();
    assert_string_equal(json_text(record, "outcome"), "gate");
    gate = json_array_get(json_object_get(run_record_stage(record, "score"), "gates"), 0);
    assert_string_equal(json_text(gate, "outcome"), "failed");
    assert_true(json_number_value(json_object_get(gate, "value")) == 2);
    assert_string_equal(json_text(run_record_stage(record, "behind"), "result"), "not run");
    json_decref(record);
    assert_run(&s, 3, "run", "p.yaml");      /* asked again, of the cached artifact */
    assert_string_equal(scene_ran(&s), "");
    write_plan("{metric: loss, max: 2}", "");
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "behind");
    write_plan("{metric: lost, max: 2}", "");
    assert_run(&s, 2, "run", "p.yaml");
    assert_has(s.err.p, "gate of stage 'score': ");
    assert_has(s.err.p, "did you mean 'loss'?");
    scene_end(&s);
}

/* Someone else's model came under the alias before this one's turn: asked again. */
static void a_verdict_on_a_model_that_was_replaced_is_no_verdict(void **state)
{
    struct promote_args first = { .model = "m1", .report = "r1", .to = "reg/champion" };
    struct promote_args other = { .model = "m2", .report = "r2", .to = "reg/champion" };
    struct promotion promoted_now;
    struct arena a;
    struct scene s;

    scene_begin(&s);
    arena_init(&a);
    promoted_artifact(&promoted_model, "m1", "model.safetensors", "1", "config.json", "{}");
    promoted_artifact(&promoted_model, "m2", "model.safetensors", "2", "config.json", "{}");
    promoted_artifact(&promoted_report, "r1", "metrics.json", "{\"loss\": 3}", NULL, NULL);
    promoted_artifact(&promoted_report, "r2", "metrics.json", "{\"loss\": 1}", NULL, NULL);
    assert_ok(registry_promote(&a, &first, &promoted_now));
    write_plan("{metric: loss, versus: reg/champion, gain: 0.25}", "");
    assert_run(&s, 0, "run", "p.yaml", "--until", "score");
    assert_ok(registry_promote(&a, &other, &promoted_now));
    assert_run(&s, 3, "run", "p.yaml");      /* `behind` has still to run, and 2 is worse than 1 */
    assert_has(s.out.p, "behind  not run");
    arena_release(&a);
    scene_end(&s);
}

/* The next run is not held against what this one has put there. */
static void a_verdict_of_a_finished_pipeline_stands(void **state)
{
    struct promote_args args = { .model = "model", .report = "report", .to = "reg/champion" };
    struct promotion promoted_now;
    struct arena a;
    struct scene s;

    scene_begin(&s);
    arena_init(&a);
    promoted_artifact(&promoted_model, "model", "model.safetensors", "m", "config.json", "{}");
    promoted_artifact(&promoted_report, "report", "metrics.json", "{\"loss\": 1.5}", NULL, NULL);
    write_plan("{metric: loss, versus: reg/champion, gain: 0.25}", "");
    assert_run(&s, 0, "run", "p.yaml");
    assert_has(s.err.p, "gate of score: open: ");
    assert_ok(registry_promote(&a, &args, &promoted_now));
    assert_run(&s, 0, "run", "p.yaml");      /* 2 is worse than 1.5: it was let through before */
    assert_run(&s, 3, "run", "p.yaml", "--set", "loss=1.4");
    assert_has(s.err.p, "by 0.1, want a gain of at least 0.25");
    assert_run(&s, 0, "run", "p.yaml", "--set", "loss=1.2");
    write_plan("{metric: loss, versus: reg/champion, gain: 0.5}", "");
    assert_run(&s, 3, "run", "p.yaml", "--set", "loss=1.2");      /* another question */
    arena_release(&a);
    scene_end(&s);
}

static void programs_are_told_how_a_run_ended(void **state)
{
    static const char *const notify =
        "notify:\n"
        "  - {run: [sh, -c, 'cat >told'], on: [done]}\n"
        "  - {run: [sh, -c, 'cat >shut; echo heard >&2'], on: [gate, failed]}\n"
        "  - {run: [no-such-program], on: [gate]}\n"
        "  - {run: [sh, -c, 'exit 7'], on: [gate]}\n";
    struct scene s;
    json_t *told;

    scene_begin(&s);
    write_plan("{metric: loss, max: 1.5}", notify);
    assert_run(&s, 3, "run", "p.yaml");
    assert_has(s.err.p, "heard\n");
    assert_has(s.err.p, "cannot run 'no-such-program'");
    assert_has(s.err.p, "'no-such-program' ended with exit code 127");
    assert_has(s.err.p, "'sh' ended with exit code 7");
    assert_false(file_exists("told"));
    assert_ok(json_read_file("shut", &told));
    assert_string_equal(json_text(told, "outcome"), "gate");
    json_decref(told);
    assert_run(&s, 0, "run", "p.yaml", "--set", "loss=1", "-j", "1");
    assert_ok(json_read_file("told", &told));
    assert_string_equal(json_text(told, "outcome"), "done");
    assert_string_equal(json_string_value(json_array_get(json_object_get(told, "words"), 0)),
                        "--set=loss=1");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(told, "params"), "loss")), 1);
    json_decref(told);
    assert_int_equal(unlink("told"), 0);
    assert_run(&s, 0, "run", "p.yaml", "--set", "loss=1");      /* nothing happened: nobody is told */
    assert_false(file_exists("told"));
    scene_end(&s);
}

static void a_record_tells_attempts_what_was_saved_and_metrics(void **state)
{
    struct scene s;
    json_t *record, *stage, *attempts;

    scene_begin(&s);
    scene_write("p.yaml",
                "pipeline: p\n"
                "params: {go: 1}\n"
                "stages:\n"
                "  first: {uses: grow, with: {nap: 30}}\n"
                "  flaky:\n"
                "    run: [sh, -c, 'test -e \"$3\" || {{ : >\"$3\"; exit 75; }}; echo \"{{\\\"loss\\\": 1, \\\"by\\\": \\\"x\\\"}}\" >\"$2/metrics.json\"',\n"
                "          sh, \"{first}\", \"{out}\", \"${go}\"]\n"
                "    in: {first: \"@first\"}\n"
                "    retry: {times: 2, wait: 1s}\n"
                "    resources: {threads: 1, memory: 1G}\n");
    assert_run(&s, 0, "run", "p.yaml");
    record = last_record();
    stage = run_record_stage(record, "flaky");
    attempts = json_object_get(stage, "attempts");
    assert_int_equal(json_array_size(attempts), 2);
    assert_string_equal(json_text(json_array_get(attempts, 0), "cause"), "later");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(attempts, 0), "code")), 75);
    assert_true(json_is_null(json_object_get(json_array_get(attempts, 1), "cause")));
    assert_true(json_number_value(json_object_get(json_array_get(attempts, 1), "begun")) >= 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(stage, "asked"), "memory")),
                     1 << 30);
    assert_int_equal(json_object_size(json_object_get(stage, "metrics")), 1);      /* numbers alone */
    json_decref(record);
    assert_run(&s, 0, "run", "p.yaml", "--set", "go=2");
    record = last_record();
    stage = run_record_stage(record, "first");
    assert_string_equal(json_text(stage, "result"), "cached");
    assert_true(json_number_value(json_object_get(stage, "saved_seconds")) >= 0.03);
    json_decref(record);
    scene_end(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shut_gate_stops_what_waits_and_nothing_else),
        cmocka_unit_test(a_verdict_on_a_model_that_was_replaced_is_no_verdict),
        cmocka_unit_test(a_verdict_of_a_finished_pipeline_stands),
        cmocka_unit_test(programs_are_told_how_a_run_ended),
        cmocka_unit_test(a_record_tells_attempts_what_was_saved_and_metrics),
    };

    fake_be_program(argc, argv);
    return cmocka_run_group_tests_name("gating", tests, NULL, NULL);
}
