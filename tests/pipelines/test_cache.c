/* What decides a stage's key, what is found cached, and what `explain` says of a change. */
#include "test.h"

#include "pipelines/plan/options.h"
#include "pipelines/plan/plan.h"
#include "pipelines/run/cache.h"
#include "pipelines/run/journal.h"
#include "scene.h"

/* ---- keys ---- */

static struct plan *parse(struct arena *a, const char *text)
{
    struct plan_args args = { .name = "test.yaml", .commands = fake_commands };
    struct plan *p;

    assert_ok(plan_parse(a, &args, text, strlen(text), &p));
    return p;
}

static json_t *record_of(struct arena *a, const char *with, const struct input_value *values)
{
    struct plan *p = parse(a, arena_printf(a, "pipeline: p\nstages:\n  a: {uses: grow, with: %s}\n", with));
    json_t *record;

    assert_ok(key_record(a, &p->stages[0], values, &record));
    return record;
}

/* The key of a grow stage with that map, whose inputs have the digests d0, d1, d2 ... */
static const char *key_with(struct arena *a, const char *with, const char *name)
{
    struct input_value values[4] = { { "d0", name }, { "d1", name }, { "d2", name }, { "d3", name } };
    json_t *record = record_of(a, with, values);
    char key[SHA256_HEX];

    key_of_record(record, key);
    json_decref(record);
    return arena_strdup(a, key);
}

static void a_key_does_not_know_paths_threads_or_the_order_of_keys(void **state)
{
    static const char *const same[] = {
        "{in: [x, y], sources: [{path: z}], size: 10}",
        "{in: [/other/x, y2], sources: [{path: /away/z}], size: 10}",
        "{size: 10, in: [x, y], text: \"\", sources: [{path: z}]}",
        "{in: [x, y], sources: [{path: z}], threads: 7, nap: 3, fail: 0}",
        "{in: [x, y], sources: [{path: z}], rate: 0.50, room: 1024, group: {flag: false}}",
        "{in: [x, y], sources: [{path: z}], group.flag: false}",
    };
    struct arena a = { 0 };
    const char *first = key_with(&a, same[0], NULL);

    for (size_t i = 1; i < sizeof same / sizeof *same; i++)
        assert_string_equal(key_with(&a, same[i], NULL), first);
    arena_release(&a);
}

static void a_key_knows_every_option_input_and_name(void **state)
{
    static const char *const other[] = {
        "{in: [x, y], sources: [{path: z}], size: 11}",
        "{in: [x, y], sources: [{path: z}], text: hello}",
        "{in: [x, y], sources: [{path: z}], rate: 0.25}",
        "{in: [x, y], sources: [{path: z}], room: 2K}",
        "{in: [x, y], sources: [{path: z}], group: {flag: true}}",
        "{in: [x, y], sources: [{path: z}], style: fancy}",
        "{in: [x, y], sources: [{path: z}], plan: [{cut: 1}]}",
        "{in: [x, y], sources: [{path: z, as: w}]}",
        "{in: [x, y, z]}",
        "{in: [x], sources: [y, z]}",
        "{in: [x, y]}",
    };
    const size_t n = sizeof other / sizeof *other;
    const char *keys[sizeof other / sizeof *other + 2];
    struct arena a = { 0 };

    keys[n] = key_with(&a, "{in: [x, y], sources: [{path: z}], size: 10}", NULL);
    keys[n + 1] = key_with(&a, "{in: [x, y], sources: [{path: z}], size: 10}", "notes");
    for (size_t i = 0; i < n; i++)
        keys[i] = key_with(&a, other[i], NULL);
    for (size_t i = 0; i < n + 2; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(keys[i], keys[j]);
    arena_release(&a);
}

/* The bytes that a key is made of are a contract: a release that changes them would build
 * everything anew. */
static void a_key_stays_what_it_is_from_release_to_release(void **state)
{
    struct input_value values[2] = { { "d0", NULL }, { "d1", "notes" } };
    struct arena a = { 0 };
    struct buf text = { 0 };
    json_t *record = record_of(&a, "{in: [x], sources: [{path: z, as: w}], plan: [{cut: 0.5}]}", values);
    char key[SHA256_HEX];

    json_canonical(&text, record);
    assert_string_equal(text.p,
        "{\"inputs\":{\"in\":[\"d0\"],\"sources\":[{\"digest\":\"d1\",\"name\":\"notes\"}]},\"kind\":\"grow\","
        "\"numeric_class\":null,\"options\":{\"group.flag\":false,\"plan\":[{\"cut\":0.5}],\"rate\":0.5,"
        "\"room\":1024,\"size\":10,\"sources\":[{\"as\":\"w\",\"path\":null}],\"style\":\"plain\",\"text\":\"\",\"words\":[\"one\"]},"
        "\"version\":1}");
    key_of_record(record, key);
    assert_string_equal(key, "3e7ba2065bd13bddf265d2e16201eecfbb4c5fa309bf168a067593c873ff6a5b");
    json_decref(record);
    buf_release(&text);
    arena_release(&a);
}

static void versions_and_numeric_classes_are_part_of_a_key_and_explained(void **state)
{
    struct arena a = { 0 };
    struct plan *p = parse(&a, "pipeline: p\nstages:\n  a: {uses: walk, with: {steps: 5}}\n");
    struct command newer = fake_walk;
    struct words why = { .arena = &a };
    json_t *before, *after;

    newer.stage_version = 4;
    setenv("FAKE_CLASS", "cpu-f32", 1);
    assert_ok(key_record(&a, &p->stages[0], NULL, &before));
    p->stages[0].command = &newer;
    setenv("FAKE_CLASS", "cpu-bf16", 1);
    assert_ok(key_record(&a, &p->stages[0], NULL, &after));
    key_explain(p, &p->stages[0], before, after, 10, &why);
    assert_int_equal(why.count, 2);
    assert_string_equal(why.v[0], "stage version: 3 -> 4");
    assert_string_equal(why.v[1], "numeric class: \"cpu-f32\" -> \"cpu-bf16\"");
    json_decref(before);
    json_decref(after);
    unsetenv("FAKE_CLASS");
    arena_release(&a);
}

static void differences_are_told_in_words_and_counted_when_they_are_many(void **state)
{
    struct input_value old_values[2] = { { "d0", NULL }, { "d1", "notes" } };
    struct input_value new_values[2] = { { "e0", NULL }, { "d1", "papers" } };
    struct arena a = { 0 };
    struct words why = { .arena = &a }, few = { .arena = &a };
    struct plan *p = parse(&a, "pipeline: p\nstages:\n  b: {uses: grow}\n  a: {uses: grow, with: "
                               "{in: \"@b\", sources: [papers], plan: [{cut: 2}, {fold: x}], text: long}}\n");
    json_t *before = record_of(&a, "{in: [x], sources: [notes], plan: [{cut: 1}, {fold: x}], size: 3}", old_values);
    json_t *after;

    p->stages[1].inputs[0].node->text = "x";
    assert_ok(key_record(&a, &p->stages[1], new_values, &after));
    key_explain(p, &p->stages[1], before, after, 10, &why);
    assert_int_equal(why.count, 5);
    assert_string_equal(why.v[0], "option text: \"\" -> \"long\"");
    assert_string_equal(why.v[1], "option size: 3 -> 10");
    assert_string_equal(why.v[2], "option plan[0].cut: 1 -> 2");
    assert_string_equal(why.v[3], "input in: digest changed (artifact of stage b)");
    assert_string_equal(why.v[4], "input sources: now named \"papers\"");
    key_explain(p, &p->stages[1], before, after, 2, &few);
    assert_int_equal(few.count, 3);
    assert_string_equal(few.v[2], "and 3 more");
    json_decref(before);
    json_decref(after);
    arena_release(&a);
}

/* ---- what is cached ---- */

static const char *const chain =
    "pipeline: p\n"
    "params: {size: 5, coarse: 1000000, docs: docs}\n"
    "stages:\n"
    "  corpus: {uses: grow, with: {sources: [{path: \"${docs}\"}], size: \"${size}\"}}\n"
    "  meal: {uses: mill.fine, with: {thing: \"@corpus\", modulo: \"${coarse}\"}}\n"
    "  way: {uses: walk, with: {thing: \"@meal\", steps: 3}}\n";

static void begin(struct scene *s, const char *pipeline)
{
    scene_begin(s);
    assert_ok(file_make_folders("docs"));
    scene_write("docs/a.txt", "first");
    scene_write("docs/b.txt", "second");
    scene_write("p.yaml", pipeline);
}

static void a_second_run_finds_everything_cached(void **state)
{
    struct scene s;

    begin(&s, chain);
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "corpus meal way");
    assert_has(s.out.p, "corpus  ran ");
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "");
    assert_has(s.out.p, "corpus  cached ");
    assert_has(s.err.p, "3 stages: 3 cached");
    scene_end(&s);
}

static void a_changed_option_runs_that_stage_and_what_reads_it(void **state)
{
    struct scene s;

    begin(&s, chain);
    assert_run(&s, 0, "run", "p.yaml");
    scene_ran(&s);
    assert_run(&s, 0, "run", "p.yaml", "--set", "coarse=999999");
    assert_string_equal(scene_ran(&s), "meal way");
    assert_run(&s, 0, "run", "p.yaml", "--set", "size=6");
    assert_string_equal(scene_ran(&s), "corpus meal way");
    assert_run(&s, 0, "run", "p.yaml");      /* back: still there */
    assert_string_equal(scene_ran(&s), "");
    scene_end(&s);
}

/* corpus changes, meal comes out as "0" again: way is not touched. */
static void equal_output_cuts_off_what_is_behind(void **state)
{
    struct scene s;

    begin(&s, chain);
    assert_run(&s, 0, "run", "p.yaml", "--set", "coarse=1");
    scene_ran(&s);
    assert_run(&s, 0, "run", "p.yaml", "--set", "coarse=1", "--set", "size=6");
    assert_string_equal(scene_ran(&s), "corpus meal");
    assert_has(s.err.p, "way     waits    for stage meal");
    assert_has(s.out.p, "way     cached");
    scene_end(&s);
}

static void inputs_count_by_content_and_name_not_by_place_or_time(void **state)
{
    struct scene s;

    begin(&s, chain);
    assert_run(&s, 0, "run", "p.yaml");
    scene_ran(&s);
    scene_write("docs/a.txt", "first");      /* new times, same bytes */
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "");
    scene_write("docs/a.txt", "other");      /* same size */
    assert_run(&s, 0, "explain", "p.yaml", "corpus");
    assert_has(s.out.p, "input sources: the content of 'docs' changed");
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "corpus meal way");
    assert_ok(file_make_folders("far/away"));
    assert_int_equal(rename("docs", "far/away/docs"), 0);
    assert_run(&s, 0, "run", "p.yaml", "--set", "docs=far/away/docs/");
    assert_string_equal(scene_ran(&s), "");
    assert_int_equal(rename("far/away/docs", "texts"), 0);
    assert_run(&s, 0, "explain", "p.yaml", "corpus", "--set", "docs=texts");
    assert_has(s.out.p, "input sources: now named \"texts\"");
    scene_end(&s);
}

static const char *artifact_of(struct arena *a, const char *stage)
{
    char target[4096];
    ssize_t n = readlink(arena_printf(a, "work/p/current/%s", stage), target, sizeof target);

    assert_true(n > 0);
    return arena_printf(a, "work/p/current/%.*s", (int)n, target);
}

static void an_artifact_that_is_missing_damaged_or_strange_is_made_again(void **state)
{
    struct arena a = { 0 };
    struct scene s;

    begin(&s, chain);
    assert_run(&s, 0, "run", "p.yaml");
    scene_ran(&s);
    assert_ok(file_remove_tree(artifact_of(&a, "meal")));
    assert_run(&s, 0, "explain", "p.yaml");
    assert_has(s.out.p, "meal: run\n  its artifact is missing\n");
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "meal");
    scene_write(path_join(&a, artifact_of(&a, "corpus"), "data"), "short");
    assert_run(&s, 0, "explain", "p.yaml");
    assert_has(s.out.p, "corpus: run\n  its artifact is damaged: ");
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "corpus");      /* the same bytes: the rest stays */
    assert_int_equal(unlink(arena_printf(&a, "%s.key", artifact_of(&a, "way"))), 0);
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "way");
    assert_has(s.err.p, "it has no key file");
    scene_end(&s);
    arena_release(&a);
}

static void another_numeric_class_runs_the_stages_that_have_one(void **state)
{
    struct scene s;

    begin(&s, chain);
    assert_run(&s, 0, "run", "p.yaml");
    scene_ran(&s);
    setenv("FAKE_CLASS", "fake-2", 1);
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "way");
    assert_has(s.err.p, "numeric class: \"fake-1\" -> \"fake-2\"");
    scene_end(&s);
}

static void a_work_folder_may_be_moved(void **state)
{
    struct scene s;

    begin(&s, chain);
    assert_run(&s, 0, "run", "p.yaml");
    scene_ran(&s);
    assert_int_equal(rename("work/p", "elsewhere"), 0);
    assert_run(&s, 0, "run", "p.yaml", "--work", "elsewhere");
    assert_string_equal(scene_ran(&s), "");
    scene_end(&s);
}

static void explain_tells_every_stage_why(void **state)
{
    struct scene s;

    begin(&s, chain);
    assert_run(&s, 0, "explain", "p.yaml");
    assert_string_equal(s.out.p, "corpus: run\n  never ran\nmeal: waits\n  for stage corpus\n"
                                 "way: waits\n  for stage meal\n");
    assert_false(file_exists("work"));      /* it looks, and leaves nothing behind */
    assert_run(&s, 0, "run", "p.yaml");
    assert_run(&s, 0, "explain", "p.yaml", "--set", "size=8");
    assert_string_equal(s.out.p, "corpus: run\n  option size: 5 -> 8\nmeal: waits\n  for stage corpus\n"
                                 "way: waits\n  for stage meal\n");
    assert_run(&s, 0, "explain", "p.yaml", "meal");
    assert_has(s.out.p, "meal: cached\nkind: mill fine, version 1\nkey: ");
    assert_has(s.out.p, "input thing: artifact of stage corpus, digest ");
    assert_has(s.out.p, "last attempt: number 1, ");
    assert_run(&s, 2, "explain", "p.yaml", "meel");
    assert_has(s.err.p, "no stage 'meel'; did you mean 'meal'?");
    scene_end(&s);
}

/* ---- the journal ---- */

static void append(struct journal *j, const char *event, const char *stage)
{
    assert_ok(journal_append(j, json_pack("{s:s, s:s}", "event", event, "stage", stage)));
}

static void a_torn_last_line_is_ignored_and_cut_off_by_the_next_writer(void **state)
{
    static const char *const tails[] = { "{\"event\":\"st", "{\"event\":\"done\",\"stage\":\"a\"}", "garbage\n",
                                         "\n" };
    struct scene s;

    scene_begin(&s);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        struct journal *j;
        FILE *f;
        (void)unlink("j");
        assert_ok(journal_open("j", &j));
        append(j, "start", "a");
        append(j, "start", "b");
        journal_close(j);
        f = fopen("j", "a");
        fputs(tails[i], f);
        assert_int_equal(fclose(f), 0);
        assert_ok(journal_open("j", &j));
        assert_null(journal_of(j, "a").end);      /* also of a whole event without its line end */
        append(j, "done", "b");
        journal_close(j);
        assert_ok(journal_open("j", &j));
        assert_non_null(journal_of(j, "b").done);
        assert_int_equal(journal_of(j, "a").attempts, 1);
        journal_close(j);
    }
    scene_end(&s);
}

static void a_wrong_line_in_the_middle_is_an_error_with_its_number(void **state)
{
    struct journal *j;
    struct scene s;

    scene_begin(&s);
    scene_write("j", "{\"event\":\"start\",\"stage\":\"a\"}\n[1]\n{\"event\":\"done\",\"stage\":\"a\"}\n");
    assert_int_equal(journal_open("j", &j), ST_INTEGRITY);
    assert_has(fail_message(), "line 2");
    scene_end(&s);
}

static void a_run_goes_on_behind_a_torn_journal(void **state)
{
    struct scene s;
    FILE *f;

    begin(&s, chain);
    assert_run(&s, 0, "run", "p.yaml");
    scene_ran(&s);
    f = fopen("work/p/journal.jsonl", "a");
    fputs("{\"event\":\"start\",\"stage\":\"way\",\"pi", f);
    fclose(f);
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "");
    assert_run(&s, 0, "run", "p.yaml", "--set", "size=6");
    assert_string_equal(scene_ran(&s), "corpus meal way");
    scene_end(&s);
}

/* Artifacts speak for themselves: without the journal, nothing is built again. */
static void a_lost_journal_costs_history_not_work(void **state)
{
    struct scene s;

    begin(&s, chain);
    assert_run(&s, 0, "run", "p.yaml");
    scene_ran(&s);
    assert_int_equal(unlink("work/p/journal.jsonl"), 0);
    assert_ok(file_remove_tree("work/p/current"));
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "");
    assert_run(&s, 0, "status", "p.yaml");
    assert_has(s.out.p, "corpus  done ");
    assert_true(file_exists("work/p/current/way/manifest.json"));
    assert_run(&s, 0, "explain", "p.yaml", "--set", "size=6");      /* what was found is known again */
    assert_has(s.out.p, "option size: 5 -> 6");
    scene_end(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_does_not_know_paths_threads_or_the_order_of_keys),
        cmocka_unit_test(a_key_knows_every_option_input_and_name),
        cmocka_unit_test(a_key_stays_what_it_is_from_release_to_release),
        cmocka_unit_test(versions_and_numeric_classes_are_part_of_a_key_and_explained),
        cmocka_unit_test(differences_are_told_in_words_and_counted_when_they_are_many),
        cmocka_unit_test(a_second_run_finds_everything_cached),
        cmocka_unit_test(a_changed_option_runs_that_stage_and_what_reads_it),
        cmocka_unit_test(equal_output_cuts_off_what_is_behind),
        cmocka_unit_test(inputs_count_by_content_and_name_not_by_place_or_time),
        cmocka_unit_test(an_artifact_that_is_missing_damaged_or_strange_is_made_again),
        cmocka_unit_test(another_numeric_class_runs_the_stages_that_have_one),
        cmocka_unit_test(a_work_folder_may_be_moved),
        cmocka_unit_test(explain_tells_every_stage_why),
        cmocka_unit_test(a_torn_last_line_is_ignored_and_cut_off_by_the_next_writer),
        cmocka_unit_test(a_wrong_line_in_the_middle_is_an_error_with_its_number),
        cmocka_unit_test(a_run_goes_on_behind_a_torn_journal),
        cmocka_unit_test(a_lost_journal_costs_history_not_work),
    };

    fake_be_program(argc, argv);
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
