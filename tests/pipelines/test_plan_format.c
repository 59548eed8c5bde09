/* What a pipeline file can say beyond stages and options: matrices, programs, parts, sites, policies, gates, notices. */
#include "test.h"

#include "pipelines/plan/param.h"
#include "pipelines/plan/plan.h"
#include "pipelines/plan/program.h"
#include "pipelines/run/cache.h"
#include "scene.h"

static struct plan *plan_of(struct arena *a, const char *text, const char *site)
{
    struct plan_args args = { .name = "test.yaml", .commands = fake_commands, .site = site };
    struct plan *p;

    assert_ok(plan_parse(a, &args, text, strlen(text), &p));
    return p;
}

static const struct plan_stage *stage_of(const struct plan *p, const char *name)
{
    struct plan_span span;

    assert_ok(plan_find(p, "test", name, &span));
    assert_int_equal(span.count, 1);
    return &p->stages[span.first];
}

/* The text of a stage's option. */
static const char *option_of(const struct plan_stage *s, const char *name)
{
    const struct yaml *value = yaml_get(s->with, name);

    return value == NULL || value->kind != YAML_SCALAR ? NULL : value->text;
}

/* "a b c": the stages that it waits for, as often as it says so. */
static const char *after_of(struct arena *a, const struct plan *p, const char *name)
{
    const struct plan_stage *s = stage_of(p, name);
    const char *text = "";

    for (size_t i = 0; i < s->after_count; i++)
        text = arena_printf(a, "%s%s%s", text, i ? " " : "", p->names[s->after[i].from]);
    return text;
}

/* ---- matrix ---- */

static const char matrix_text[] =
    "pipeline: p\n"
    "params: {best: 20, sizes: [10, 20]}\n"
    "stages:\n"
    "  all: {uses: grow, with: {in: [\"@g\", notes, \"@first\"], sources: [{path: \"@g[size=${best},text=x]\"}]}}\n"
    "  last: {uses: mill.fine, with: {thing: \"@g[size=10,text=y]\"}, needs: [one]}\n"
    "  g:\n"
    "    uses: grow\n"
    "    matrix: {size: \"${sizes}\", text: [x, y]}\n"
    "    with: {size: \"${size}\", text: \"${text}-${size}\", in: \"@first\"}\n"
    "  one: {uses: grow, matrix: {size: [7]}, with: {size: \"${size}\"}}\n"
    "  first: {uses: grow}\n"
    "  waits: {uses: grow, needs: g}\n";

static void a_matrix_is_a_stage_for_each_combination(void **state)
{
    static const char *const names[] = { "all", "last", "g[size=10,text=x]", "g[size=10,text=y]", "g[size=20,text=x]",
                                         "g[size=20,text=y]", "one[size=7]", "first", "waits" };
    struct arena a = { 0 };
    struct plan *p = plan_of(&a, matrix_text, NULL);

    assert_int_equal(p->count, 9);
    for (size_t i = 0; i < 9; i++)
        assert_string_equal(p->names[i], names[i]);
    assert_null(p->names[9]);
    assert_string_equal(p->stages[3].slug, "g.size=10,text=y");
    assert_string_equal(p->stages[0].slug, "all");
    assert_string_equal(option_of(&p->stages[4], "text"), "x-20");
    assert_true(yaml_get(p->stages[4].with, "size")->plain);
    assert_string_equal(option_of(&p->stages[3], "text"), "y-10");
    arena_release(&a);
}

static void a_matrix_is_read_whole_or_by_instance(void **state)
{
    struct arena a = { 0 };
    struct plan *p = plan_of(&a, matrix_text, NULL);
    const struct plan_stage *all = stage_of(p, "all");

    assert_int_equal(all->input_count, 7);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(all->inputs[i].from, 2 + i);
        assert_int_equal(all->inputs[i].index, i);
        assert_string_equal(all->inputs[i].node->text, arena_printf(&a, "@%s", p->names[2 + i]));
    }
    assert_string_equal(all->inputs[4].node->text, "notes");
    assert_int_equal(all->inputs[6].from, 4);      /* ${best} inside the name */
    assert_string_equal(after_of(&a, p, "last"), "g[size=10,text=y] one[size=7]");
    assert_string_equal(after_of(&a, p, "waits"),
                        "g[size=10,text=x] g[size=10,text=y] g[size=20,text=x] g[size=20,text=y]");
    assert_string_equal(after_of(&a, p, "g[size=20,text=y]"), "first");
    arena_release(&a);
}

static void values_that_make_no_name_are_numbered_and_slugs_are_told_apart(void **state)
{
    static const char text[] = "pipeline: p\nstages:\n  a:\n    uses: grow\n"
                               "    matrix: {words: [[x, y], a/b, a%b, \"a b\", \"\", \"1234567890123456789012345678901234567890x\"]}\n"
                               "    with: {words: \"${words}\"}\n";
    struct arena a = { 0 };
    struct plan *p = plan_of(&a, text, NULL);

    assert_string_equal(p->names[0], "a[words=#1]");
    assert_string_equal(p->names[1], "a[words=a/b]");
    assert_string_equal(p->names[3], "a[words=#4]");
    assert_string_equal(p->names[4], "a[words=#5]");
    assert_string_equal(p->names[5], "a[words=#6]");
    assert_string_equal(p->stages[0].slug, "a.words=_1");
    assert_string_equal(p->stages[1].slug, "a.words=a_b");
    assert_int_equal(strncmp(p->stages[2].slug, "a.words=a_b+", 12), 0);
    assert_int_equal(strlen(p->stages[2].slug), 20);
    arena_release(&a);
}

static void long_names_have_short_slugs(void **state)
{
    struct arena a = { 0 };
    struct buf text = { 0 };
    struct plan *p;

    buf_adds(&text, "pipeline: p\nstages:\n  a:\n    uses: grow\n    matrix:\n");
    for (int i = 0; i < 4; i++)
        buf_printf(&text, "      key%d: [%036d, %036d]\n", i, i, i + 100);
    p = plan_of(&a, text.p, NULL);
    assert_int_equal(p->count, 16);
    for (size_t i = 0; i < p->count; i++)
        for (size_t j = 0; j <= i; j++) {
            assert_true(strlen(p->stages[i].slug) <= 130);
            assert_true((strcmp(p->stages[i].slug, p->stages[j].slug) == 0) == (i == j));
        }
    buf_release(&text);
    arena_release(&a);
}

static void matrices_are_selected_whole_or_by_instance(void **state)
{
    const char *words[] = { "g", "g[size=10,text=y]", NULL };
    struct opt_list whole = { words, 1 }, instance = { words + 1, 1 };
    struct arena a = { 0 };
    struct plan *p = plan_of(&a, matrix_text, NULL);
    bool *run, *force;
    struct plan_span span;

    assert_ok(plan_select(p, &(struct plan_selection){ .only = &whole }, &run, &force));
    assert_true(run[2] && run[3] && run[4] && run[5] && !run[0] && !run[6]);
    assert_ok(plan_select(p, &(struct plan_selection){ .only = &instance }, &run, &force));
    assert_true(run[3] && !run[2] && !run[4]);
    assert_ok(plan_select(p, &(struct plan_selection){ .until = "g" }, &run, &force));
    assert_true(run[2] && run[5] && run[7] && !run[0] && !run[6] && !run[8]);
    assert_ok(plan_select(p, &(struct plan_selection){ .from = "g", .force = &whole }, &run, &force));
    assert_true(run[0] && run[1] && run[2] && run[8] && !run[6] && !run[7] && force[2] && force[5] && !force[0]);
    assert_ok(plan_select(p, &(struct plan_selection){ .from = "g[size=10,text=y]", .force = &whole }, &run, &force));
    assert_true(run[3] && run[1] && !run[2] && force[3] && !force[2]);
    assert_ok(plan_find(p, "explain", "g", &span));
    assert_true(span.first == 2 && span.count == 4);
    assert_int_equal(plan_find(p, "explain", "g[size=30,text=x]", &span), ST_USAGE);
    assert_has(fail_message(), "there are g[size=10,text=x], ");
    arena_release(&a);
}

static void a_matrix_of_ten_thousand_is_a_plan(void **state)
{
    struct arena a = { 0 };
    struct buf text = { 0 };
    struct plan *p;

    buf_adds(&text, "pipeline: p\nstages:\n  a:\n    uses: grow\n    with: {size: \"${x}\"}\n    matrix:\n");
    for (int k = 0; k < 2; k++) {
        buf_printf(&text, "      %c: [", 'x' + k);
        for (int i = 1; i <= (k ? 10 : 999); i++)
            buf_printf(&text, "%d%s", i, i == (k ? 10 : 999) ? "]\n" : ", ");
    }
    buf_adds(&text, "  b: {uses: grow, with: {in: \"@a\"}}\n");
    p = plan_of(&a, text.p, NULL);
    assert_int_equal(p->count, 9991);
    assert_int_equal(stage_of(p, "b")->input_count, 9990);
    assert_string_equal(option_of(stage_of(p, "a[x=999,y=10]"), "size"), "999");
    buf_release(&text);
    arena_release(&a);
}

/* ---- programs ---- */

static const char program_text[] =
    "pipeline: p\n"
    "params: {script: work.py}\n"
    "stages:\n"
    "  a: {uses: grow}\n"
    "  b:\n"
    "    run: [python3, \"${script}\", \"--in={data}\", \"{out}/x\", \"{{}}{threads}{{data}}\", \"\", 7]\n"
    "    in: {data: \"@a\", more: notes}\n"
    "    resources: {threads: 3}\n";

static void a_program_is_a_stage_with_words(void **state)
{
    static const char *const want[] = { "python3", "work.py", "--in=/art/a", "/art/b/x", "{}3{data}", "", "7" };
    struct arena a = { 0 };
    struct plan *p = plan_of(&a, program_text, NULL);
    struct plan_stage *s = &p->stages[1];
    const char **argv;

    assert_ptr_equal(s->command, &stage_program);
    assert_int_equal(s->threads, 3);
    assert_int_equal(s->input_count, 2);
    assert_int_equal(s->inputs[0].from, 0);
    assert_int_equal(s->inputs[1].from, PLAN_OUTSIDE);
    assert_int_equal(s->inputs[1].index, 1);
    s->inputs[0].node->text = "/art/a";
    argv = program_argv(&a, s, "/art/b", s->threads);
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(argv[i], want[i]);
    assert_null(argv[7]);
    arena_release(&a);
}

static void the_key_of_a_program_has_words_and_contents_but_no_paths(void **state)
{
    struct input_value values[] = { { .digest = "d1" }, { .digest = "d2", .name = "notes" } };
    struct arena a = { 0 };
    struct plan *p = plan_of(&a, program_text, NULL);
    json_t *record, *moved;

    assert_ok(key_record(&a, &p->stages[1], values, &record));
    assert_string_equal(json_string_value(json_object_get(record, "kind")), "run");
    assert_string_equal(json_string_value(json_array_get(json_object_get(json_object_get(record, "options"), "argv"), 2)),
                        "--in={data}");
    assert_int_equal(json_array_size(json_object_get(json_object_get(record, "inputs"), "in")), 2);
    p->stages[1].inputs[0].node->text = "/elsewhere/a";
    assert_ok(key_record(&a, &p->stages[1], values, &moved));
    assert_true(json_equal(record, moved));
    json_decref(record);
    json_decref(moved);
    arena_release(&a);
}

/* ---- what stages may take ---- */

static void a_stage_has_its_own_policy_over_the_defaults(void **state)
{
    static const char text[] =
        "pipeline: p\n"
        "params: {pause: 5s}\n"
        "defaults: {timeout: 2h, resources: {threads: 8, memory: 1G}, retry: 4}\n"
        "stages:\n"
        "  plain: {uses: grow}\n"
        "  own: {uses: grow, timeout: 1h30m, resources: {memory: 512M, ranks: 2}, retry: {times: 1, on: exit, wait: \"${pause}\"}}\n"
        "  free: {uses: grow, timeout: none, retry: 0, with: {threads: 2}}\n"
        "  slow: {run: [sleep, \"5\"], resources: {time: 1d}, retry: {times: 2, wait: 1h}}\n";
    struct arena a = { 0 };
    struct plan *p = plan_of(&a, text, NULL);
    const struct plan_stage *s = p->stages;

    assert_true(s[0].timeout == 7200 && s[0].threads == 8 && s[0].memory == 1u << 30 && s[0].ranks == 1);
    assert_int_equal(s[0].retry.times, 4);
    assert_int_equal(s[0].retry.on, 1u << CAUSE_LATER | 1u << CAUSE_SIGNAL | 1u << CAUSE_TIMEOUT | 1u << CAUSE_MEMORY);
    assert_true(s[0].retry.wait == 10 && s[0].retry.factor == 2 && s[0].retry.most == 600);
    assert_true(s[1].timeout == 5400 && s[1].threads == 8 && s[1].memory == 512u << 20 && s[1].ranks == 2);
    assert_int_equal(s[1].retry.on, 1u << CAUSE_EXIT);
    assert_true(s[1].retry.times == 1 && s[1].retry.wait == 5);
    assert_true(s[2].timeout == 0 && s[2].threads == 2 && s[2].retry.times == 0);
    assert_null(option_of(&s[2], "threads"));      /* said once, by the runner */
    assert_true(s[3].timeout == 7200);             /* `timeout` of the defaults goes before `time` */
    assert_true(s[3].retry.wait == 3600 && s[3].retry.most == 3600);
    arena_release(&a);
}

static void time_is_the_timeout_where_none_is_given(void **state)
{
    struct arena a = { 0 };
    struct plan *p = plan_of(&a, "pipeline: p\nstages:\n  a: {uses: grow, resources: {time: 90s}}\n", NULL);

    assert_true(p->stages[0].timeout == 90);
    arena_release(&a);
}

static void a_site_goes_over_what_stages_say(void **state)
{
    static const char text[] =
        "pipeline: p\nstages:\n"
        "  a: {uses: grow, timeout: 1h, resources: {threads: 2}, matrix: {size: [1, 2]}, with: {size: \"${size}\"}}\n"
        "  b: {uses: mill.fine, with: {thing: x, threads: 4}, timeout: 1h}\n"
        "  c: {run: [touch, \"{out}/x\"]}\n"
        "notify: {run: [tell, file]}\n";
    struct arena a = { 0 };
    struct scene scene;
    struct plan *p;

    scene_begin(&scene);
    scene_write("here.yaml", "site: here\njobs: 3\nthreads: 16\nmemory: 32G\n"
                             "kinds:\n  grow: {resources: {threads: 6}, timeout: 2h}\n"
                             "  mill.fine: {resources: {threads: 7}}\n  run: {timeout: 5m, retry: 2}\n"
                             "stages:\n  a: {timeout: 3h}\n  \"a[size=2]\": {timeout: 4h, resources: {memory: 8G}}\n"
                             "  of-another-pipeline: {retry: 1}\n"
                             "notify: [{run: [tell, site], on: failed}]\n");
    p = plan_of(&a, text, "here.yaml");
    assert_string_equal(p->site, "here");
    assert_true(p->jobs == 3 && p->threads == 16 && p->memory == UINT64_C(32) << 30);
    assert_true(p->stages[0].timeout == 3 * 3600 && p->stages[0].threads == 6 && p->stages[0].memory == 0);
    assert_true(p->stages[1].timeout == 4 * 3600 && p->stages[1].memory == UINT64_C(8) << 30);
    assert_int_equal(p->stages[2].threads, 7);
    assert_null(option_of(&p->stages[2], "threads"));
    assert_true(p->stages[2].timeout == 3600 && p->stages[3].timeout == 300 && p->stages[3].retry.times == 2);
    assert_int_equal(p->notify_count, 2);
    assert_string_equal(p->notify[0].argv[1], "file");
    assert_true(p->notify[0].on_done && p->notify[0].on_failed && p->notify[0].on_gate && p->notify[0].on_interrupted);
    assert_string_equal(p->notify[1].argv[1], "site");
    assert_true(p->notify[1].on_failed && !p->notify[1].on_done && !p->notify[1].on_gate);
    assert_null(p->notify[1].argv[2]);
    scene_end(&scene);
    arena_release(&a);
}

static void the_commands_take_a_site(void **state)
{
    struct scene scene;

    scene_begin(&scene);
    scene_write("p.yaml", "pipeline: p\nstages:\n  a: {run: [sleep, \"60\"]}\n");
    scene_write("here.yaml", "site: here\nkinds: {run: {timeout: 1s}}\n");
    scene_write("wrong.yaml", "site: here\nstages: {a: {with: {nap: 0}}}\n");
    assert_run(&scene, 2, "graph", "p.yaml", "--site", "wrong.yaml");
    assert_has(scene.err.p, "wrong.yaml:2:14: 'with' belongs in the pipeline file");
    assert_run(&scene, 2, "status", "p.yaml", "--site", "none.yaml");
    assert_run(&scene, 0, "explain", "p.yaml", "--site", "here.yaml");
    assert_true(scene_run(&scene, "run", "p.yaml", "--site", "here.yaml") != 0);
    assert_has(scene.err.p, "it took longer than 1 s");
    scene_end(&scene);
}

static void a_file_may_not_be_too_large(void **state)
{
    struct arena a = { 0 };
    struct plan_args args = { .name = "huge.yaml", .commands = fake_commands };
    struct scene scene;
    struct plan *p;
    char *text = mem_alloc((5u << 20) + 1);

    scene_begin(&scene);
    memset(text, '#', 5u << 20);
    scene_write("huge.yaml", text);
    scene_write("p.yaml", "include: huge.yaml\npipeline: p\nstages: {a: {uses: grow}}\n");
    assert_int_equal(plan_read_file(&a, &args, &p), ST_CONFIG);
    args.name = "p.yaml";
    assert_int_equal(plan_read_file(&a, &args, &p), ST_CONFIG);
    assert_has(fail_message(), "p.yaml:1:10: cannot include: 'huge.yaml' is larger than the limit");
    scene_write("p.yaml", "pipeline: p\nstages: {a: {uses: grow}}\n");
    args.site = "huge.yaml";
    assert_int_equal(plan_read_file(&a, &args, &p), ST_CONFIG);
    scene_end(&scene);
    arena_release(&a);
    free(text);
}

/* ---- gates ---- */

static void gates_are_bounds_or_comparisons(void **state)
{
    static const char text[] =
        "pipeline: p\nparams: {bound: 2.5}\nstages:\n"
        "  f: {uses: mill.fine, with: {thing: x}}\n"
        "  s:\n    uses: weigh\n    with: {flour: \"@f\"}\n"
        "    gate:\n"
        "    - {metric: bits_per_byte, max: \"${bound}\"}\n"
        "    - {metric: arc.accuracy, min: 0.3, max: 1}\n"
        "    - {metric: bits_per_byte, versus: registry/champion}\n"
        "    - {metric: arc.accuracy, versus: r/best, gain: 0.01, confidence: 0.95}\n"
        "    - {metric: taste, versus: r/best, better: higher, confidence: 0.9, resamples: 500, seed: 9}\n";
    struct arena a = { 0 };
    struct plan *p = plan_of(&a, text, NULL);
    const struct plan_gate *g = p->stages[1].gates;

    assert_int_equal(p->stages[1].gate_count, 5);
    assert_true(g[0].has_max && !g[0].has_min && g[0].max == 2.5 && g[0].versus == NULL);
    assert_true(g[1].has_max && g[1].has_min && g[1].min == 0.3);
    assert_string_equal(g[1].metric, "arc.accuracy");
    assert_string_equal(g[2].versus, "registry/champion");
    assert_true(!g[2].higher_is_better && g[2].confidence == 0 && g[2].gain == 0);
    assert_true(g[3].higher_is_better && g[3].gain == 0.01 && g[3].resamples == 2000 && g[3].seed == 1);
    assert_true(g[4].higher_is_better && g[4].confidence == 0.9 && g[4].resamples == 500 && g[4].seed == 9);
    assert_int_equal(p->stages[0].gate_count, 0);
    arena_release(&a);
}

/* ---- parts ---- */

static void parts_bring_params_stages_and_notices(void **state)
{
    static const char text[] = "pipeline: p\ninclude: [parts/one.yaml, parts/two.yaml]\n"
                               "params: {size: 30}\ndefaults: {timeout: 1h, retry: 1}\n"
                               "stages:\n  end: {uses: grow, with: {in: [\"@one\", \"@two\"], size: \"${other}\"}}\n";
    struct arena a = { 0 };
    struct scene scene;
    struct plan *p;

    scene_begin(&scene);
    assert_ok(file_make_folders("parts/deep"));
    scene_write("parts/one.yaml", "pipeline: by-itself\ninclude: deep/shared.yaml\nparams: {size: 10}\ndefaults: {timeout: 2h}\n"
                                  "stages:\n  one: {uses: grow, with: {size: \"${size}\"}}\n");
    scene_write("parts/two.yaml", "include: [deep/../deep/shared.yaml]\nstages: {two: {uses: grow, with: {in: \"@shared\"}}}\n"
                                  "notify: {run: [tell]}\n");
    scene_write("parts/deep/shared.yaml", "params: {size: 20, other: 21}\nstages: {shared: {uses: grow}}\n");
    p = plan_of(&a, text, NULL);
    assert_string_equal(p->name, "p");
    assert_int_equal(p->count, 4);
    assert_string_equal(p->names[0], "shared");      /* parts in front, each once */
    assert_string_equal(p->names[1], "one");
    assert_string_equal(p->names[2], "two");
    assert_string_equal(option_of(&p->stages[1], "size"), "30");
    assert_string_equal(option_of(&p->stages[3], "size"), "21");
    assert_true(p->stages[0].timeout == 7200 && p->stages[1].timeout == 7200);
    assert_true(p->stages[2].timeout == 3600 && p->stages[1].retry.times == 1);
    assert_int_equal(p->notify_count, 1);
    assert_int_equal(p->params->count, 2);
    scene_end(&scene);
    arena_release(&a);
}

static void parts_may_not_lie_too_deep(void **state)
{
    struct arena a = { 0 };
    struct plan_args args = { .name = "p0.yaml", .commands = fake_commands };
    struct scene scene;
    struct plan *p;

    scene_begin(&scene);
    for (int i = 0; i < 20; i++)
        scene_write(arena_printf(&a, "p%d.yaml", i),
                    i == 0    ? "pipeline: p\ninclude: p1.yaml\nstages: {a: {uses: grow}}\n"
                    : i == 19 ? "stages: {b: {uses: grow}}\n"
                              : arena_printf(&a, "include: p%d.yaml\n", i + 1));
    assert_int_equal(plan_read_file(&a, &args, &p), ST_CONFIG);
    assert_has(fail_message(), "p16.yaml:1:10: included more than 16 deep: p0.yaml -> p1.yaml");
    scene_write("p16.yaml", "stages: {b: {uses: grow}}\n");
    assert_ok(plan_read_file(&a, &args, &p));
    assert_int_equal(p->count, 2);
    scene_end(&scene);
    arena_release(&a);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_matrix_is_a_stage_for_each_combination),
        cmocka_unit_test(a_matrix_is_read_whole_or_by_instance),
        cmocka_unit_test(values_that_make_no_name_are_numbered_and_slugs_are_told_apart),
        cmocka_unit_test(long_names_have_short_slugs),
        cmocka_unit_test(matrices_are_selected_whole_or_by_instance),
        cmocka_unit_test(a_matrix_of_ten_thousand_is_a_plan),
        cmocka_unit_test(a_program_is_a_stage_with_words),
        cmocka_unit_test(the_key_of_a_program_has_words_and_contents_but_no_paths),
        cmocka_unit_test(a_stage_has_its_own_policy_over_the_defaults),
        cmocka_unit_test(time_is_the_timeout_where_none_is_given),
        cmocka_unit_test(a_site_goes_over_what_stages_say),
        cmocka_unit_test(the_commands_take_a_site),
        cmocka_unit_test(a_file_may_not_be_too_large),
        cmocka_unit_test(gates_are_bounds_or_comparisons),
        cmocka_unit_test(parts_bring_params_stages_and_notices),
        cmocka_unit_test(parts_may_not_lie_too_deep),
    };

    fake_be_program(argc, argv);
    return cmocka_run_group_tests_name("plan_format", tests, NULL, NULL);
}
