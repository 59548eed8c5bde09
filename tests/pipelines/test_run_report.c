/* The page of a run: what it says of attempts, resources, savings, gates and the runs before. Each page is also
 * read by tool_wellformed: it nests, its links lead somewhere, and it loads nothing. */
#include "test.h"

#include <dirent.h>
#include <math.h>

#include "base/rng.h"
#include "pipelines/registry/gate.h"
#include "pipelines/run/run_record.h"
#include "promoted.h"
#include "scene.h"

static struct buf page;          /* report.html as it was read last */

static void check_sound(const struct scene *s, const char *path)
{
    char command[600];

    snprintf(command, sizeof command, "%.200s/tests/tool_wellformed %.300s", s->before, path);
    if (system(command) != 0)
        fail_msg("'%s' is not a sound page", path);
}

static void read_page(const struct scene *s)
{
    check_sound(s, "work/p/report.html");
    assert_ok(file_read("work/p/report.html", 8 << 20, &page));
}

static size_t count_of(const char *text, const char *part)
{
    size_t n = 0;

    for (const char *p = text; (p = strstr(p, part)) != NULL; p += strlen(part))
        n++;
    return n;
}

#define assert_times(want_, part_)                                                                 \
    do {                                                                                           \
        if (count_of(page.p, (part_)) != (size_t)(want_))                                          \
            fail_msg("'%s' stands %zu times, want %d, in:\n%s", part_, count_of(page.p, (part_)),  \
                     (int)(want_), strstr(page.p, "<main>"));                                      \
    } while (0)
#define says(...) assert_has(page.p, arena_printf(&scratch_arena, __VA_ARGS__))
#define lacks(...) assert_lacks(page.p, arena_printf(&scratch_arena, __VA_ARGS__))

/* The record of run number n, oldest first, 0 the first; in *id its id. */
static json_t *record_at(size_t n, const char **id)
{
    struct run_list all;
    json_t *record;

    assert_ok(run_record_list(&scratch_arena, "work/p", &all));
    assert_true(n < all.count);
    *id = all.ids[n];
    assert_ok(run_record_load(run_record_path(&scratch_arena, "work/p", all.ids[n]), &record));
    return record;
}

/* The part of the page from one text to another. */
static const char *part_of(const char *from, const char *to)
{
    const char *p = strstr(page.p, from), *end = p != NULL ? strstr(p, to) : NULL;

    if (end == NULL)
        fail_msg("no part from '%s' to '%s' in:\n%s", from, to, page.p);
    return arena_strndup(&scratch_arena, p, (size_t)(end - p));
}

/* ---- attempts, resources, savings, failures ---- */

static const char busy[] =
    "pipeline: p\n"
    "params: {code: 0}\n"
    "stages:\n"
    "  base: {run: [sh, -c, \"sleep 0.2; echo base > {out}/x\"]}\n"
    "  again:\n"
    "    run: [sh, -c, \"echo 1 >> tries; test $(wc -l < tries) -ge 3 || exit 75; echo x > {out}/x\", \"{in}\"]\n"
    "    in: {in: \"@base\"}\n"
    "    retry: {times: 3, on: [later], wait: 1s}\n"
    "  slow: {run: [sh, -c, \"echo began; exec sleep 30\"], timeout: 1s}\n"
    "  side:\n"
    "    matrix: {n: [1, 2]}\n"
    "    run: [sh, -c, \"sleep 0.5; echo ${n} > {out}/x\", \"{in}\"]\n"
    "    in: {in: \"@base\"}\n"
    "    resources: {threads: 2, memory: 4G}\n"
    "    timeout: 1h\n"
    "  bad: {uses: grow, with: {in: \"@base\", fail: \"${code}\", text: \"<i>&\\\"'\", size: 77}}\n"
    "  behind: {uses: grow, with: {in: \"@bad\"}}\n";

static void attempts_and_what_they_took_are_shown(void **state)
{
    struct scene s;
    const char *id, *part;
    json_t *record, *stage;

    scene_begin(&s);
    scene_write("p.yaml", busy);
    scene_write("site.yaml", "site: lab-1\njobs: 7\nthreads: 9\nmemory: 64G\n");
    assert_run(&s, 0, "run", "p.yaml", "--only", "base");
    assert_run(&s, 1, "run", "p.yaml", "--site", "site.yaml", "--keep-going", "--set", "code=9");
    read_page(&s);
    record = record_at(1, &id);

    /* the drawing: two attempts of `again` that failed, the one of `slow`, the one of `bad` */
    part = part_of("<svg role=\"group\" aria-label=\"bars of 5 stages", "</svg>");
    assert_int_equal(count_of(part, "<rect class=\"fell\""), 4);
    assert_int_equal(count_of(part, "<path class=\"cross\""), 4);
    assert_int_equal(count_of(part, "<rect class=\"span\""), 3);
    assert_int_equal(count_of(part, "<path class=\"pause\""), 2);
    assert_int_equal(count_of(part, "<path class=\"had\""), 1);      /* base was cached */
    assert_has(part, ">timeout, ");
    assert_has(part, ">exit 9, ");
    assert_has(part, "href=\"#stage-side.n=1\"");
    assert_has(part, ">side[n=1]<");
    says("5 stages ran, at most ");

    /* asked and used */
    stage = run_record_stage(record, "side[n=2]");
    part = part_of("<caption>What each stage took", "</table>");
    part = strstr(part, ">side[n=2]</a>");
    assert_non_null(part);
    stage = json_array_get(json_object_get(stage, "attempts"), 0);
    assert_has(part, arena_printf(&scratch_arena, "<td class=\"n\">%.2f <span class=\"soft\">of 1 h</span>",
                                  json_number_value(json_object_get(stage, "seconds"))));
    assert_has(part, "<span class=\"soft\">of 2</span>");
    assert_has(part, "<span class=\"soft\">of 4.3 GB</span>");
    assert_true(json_integer_value(json_object_get(stage, "peak_memory")) > 100000);
    says("with 9 threads, 68.7 GB of memory and 7 jobs side by side");
    says("site profile <code>lab-1</code>");

    /* attempts with cause and log */
    part = part_of("<caption>Every attempt</caption>", "</table>");
    assert_int_equal(count_of(part, "<strong class=\"bad\">later</strong> (code 75)"), 2);
    assert_int_equal(count_of(part, "<strong class=\"bad\">timeout</strong> (signal 15)"), 1);
    assert_int_equal(count_of(part, "<strong class=\"bad\">exit</strong> (code 9)"), 1);
    assert_int_equal(count_of(part, "came through"), 3);
    for (const char *const *log = (const char *const[]){ "again-1.log", "again-3.log", "slow-1.log", "side.n=1-1.log", NULL };
         *log != NULL; log++) {
        assert_has(part, arena_printf(&scratch_arena, "<code>%s</code>", *log));
        assert_true(file_exists(arena_printf(&scratch_arena, "work/p/logs/%s", *log)));
    }

    /* savings */
    stage = run_record_stage(record, "base");
    assert_true(json_number_value(json_object_get(stage, "saved_seconds")) > 0.15);
    part = part_of("<h2 id=\"savings\">", "</section>");
    assert_has(part, "1 of 7 stages had their result already");
    assert_has(part, arena_printf(&scratch_arena, "<a href=\"#stage-base\">base</a></th><td class=\"n\">%.2f</td>",
                                  json_number_value(json_object_get(stage, "saved_seconds"))));

    /* a failed stage has its key and its options */
    stage = run_record_stage(record, "bad");
    part = part_of("<h2 id=\"stage-bad\">", "</section>");
    assert_has(part, json_text(stage, "key"));
    assert_int_equal(strlen(json_text(stage, "key")), 64);
    assert_has(part, "<code>&lt;i&gt;&amp;&quot;&#39;</code>");
    assert_has(part, "<th scope=\"row\">size</th><td>77</td>");
    assert_has(part, json_text(run_record_stage(record, "base"), "digest"));
    assert_has(part, "it went wrong");
    assert_has(part_of("<h2 id=\"stage-behind\">", "</section>"), "There is no artifact of it");
    json_decref(record);
    scene_end(&s);
}

/* What a cached stage waited for, what is behind it waited for, too. */
static void the_chain_goes_through_cached_stages(void **state)
{
    struct scene s;

    scene_begin(&s);
    scene_write("p.yaml", "pipeline: p\nstages:\n  a: {uses: grow, with: {nap: 300}}\n  b: {uses: grow, with: {in: \"@a\"}}\n"
                          "  c: {uses: grow, with: {in: \"@b\"}}\n");
    assert_run(&s, 0, "run", "p.yaml");
    assert_run(&s, 0, "run", "p.yaml", "--force", "a", "--force", "c");
    assert_string_equal(scene_ran(&s), "a b c a c");
    read_page(&s);
    says("<a href=\"#stage-a\">a</a> &#8594; <a href=\"#stage-b\">b</a> &#8594; <a href=\"#stage-c\">c</a>.</p>");
    scene_end(&s);
}

/* ---- gates ---- */

/* A report of 60 documents, each a little better or worse than that of rate 1. */
static const char *documents(double rate, const char **metrics)
{
    struct buf lines = { 0 };
    double bits = 0;
    const char *kept;

    for (int i = 0; i < 60; i++) {
        double cost = 1000 * (rate + 0.01 * rng_normal_at(7, (uint64_t)(1000 * rate), (uint64_t)i));
        buf_printf(&lines, "{\"id\":\"d%d\",\"bytes\":1000,\"tokens\":250,\"bits\":%.3f}\n", i, cost);
        bits += cost;
    }
    *metrics = arena_printf(&scratch_arena, "{\"bits_per_byte\":%.9f}", bits / 60000);
    kept = arena_strdup(&scratch_arena, lines.p);
    buf_release(&lines);
    return kept;
}

static void write_report(const char *name, double rate)
{
    const char *metrics, *lines = documents(rate, &metrics);

    scene_write(arena_printf(&scratch_arena, "%s.json", name), metrics);
    scene_write(arena_printf(&scratch_arena, "%s.jsonl", name), lines);
}

#define REPORT_STAGE(name, gates)                                                                  \
    "  " name ":\n"                                                                                \
    "    run: [sh, -c, \"cp {m} {out}/metrics.json && cp {d} {out}/documents.jsonl\"]\n"           \
    "    in: {m: " name ".json, d: " name ".jsonl}\n"                                              \
    "    gate:\n" gates

static const char gated[] =
    "pipeline: p\n"
    "params: {n: 1}\n"
    "stages:\n"
    REPORT_STAGE("good", "    - {metric: bits_per_byte, versus: reg/champion, gain: 0.05, confidence: 0.9}\n"
                         "    - {metric: bits_per_byte, max: 2}\n"
                         "    - {metric: bits_per_byte, versus: reg/nobody, better: lower}\n")
    REPORT_STAGE("poor", "    - {metric: bits_per_byte, versus: reg/champion, gain: 0.0, confidence: 0.9}\n")
    "  next: {uses: grow, with: {in: \"@poor\"}}\n"
    "  last:\n"
    "    run: [sh, -c, \"cp {m} {out}/metrics.json\", \"{in}\"]\n"
    "    in: {m: good.json, in: \"@next\"}\n"
    "    gate: {metric: bits_per_byte, min: 0.1}\n"
    "  other: {uses: grow, with: {size: \"${n}\"}}\n";

/* The same gate, asked by ourselves. */
static const char *gain_text(const char *stage, double gain)
{
    struct plan_gate g = { .metric = "bits_per_byte", .versus = "reg/champion", .gain = gain,
                           .confidence = 0.9, .resamples = 2000, .seed = 1 };
    struct gate_result r;

    assert_ok(gate_check(&scratch_arena, &g, arena_printf(&scratch_arena, "work/p/current/%s", stage), &r));
    assert_true(r.low < r.gain && r.gain < r.high);
    return arena_printf(&scratch_arena, "<td>%.4g [%.4g, %.4g]<br><span class=\"soft small\">60 documents</span>",
                        r.gain, r.low, r.high);
}

static void check_gates(const char *words)
{
    const char *table = part_of("<h2 id=\"gates\">", "</section>");

    assert_has(table, "2 passed, 1 failed, 1 open");
    assert_has(table, gain_text("good", 0.05));
    assert_has(table, gain_text("poor", 0));
    assert_has(table, "a gain of at least 0.05 over <code>reg/champion</code>, at 90 % confidence");
    assert_has(table, "<td>at most 2</td>");
    assert_has(table, "not looked at");
    assert_has(table, "<strong class=\"bad\">failed</strong>");
    assert_has(table, "<strong class=\"soft\">open</strong>");
    assert_int_equal(count_of(table, "<strong class=\"good\">passed</strong>"), 2);
    assert_int_equal(count_of(table, "<svg class=\"gain\""), 2);
    assert_int_equal(count_of(table, "class=\"lost dot\""), 1);      /* hollow, of the one that failed */
    assert_int_equal(count_of(table, "class=\"won dot\""), 1);
    assert_true(strstr(table, ">poor</a>") < strstr(table, ">good</a>"));      /* shut ones first */
    assert_has(page.p, words);
}

static void gates_are_shown_with_their_intervals(void **state)
{
    const char *metrics, *lines = documents(1, &metrics), *report;
    struct promotion p;
    struct scene s;

    scene_begin(&s);
    report = make_report(metrics, lines);
    assert_ok(registry_promote(&scratch_arena, &(struct promote_args){ make_model("m"), "reg/champion", report, NULL }, &p));
    write_report("good", 0.9);
    write_report("poor", 1.01);
    scene_write("p.yaml", gated);
    assert_run(&s, 3, "run", "p.yaml", "--keep-going");
    read_page(&s);
    check_gates("<span class=\"bad\">stopped by a gate</span>");
    says("<rect class=\"box gate\"");
    says("not run</text>");
    /* a verdict that was given before tells the same */
    assert_run(&s, 3, "run", "p.yaml", "--keep-going", "--set", "n=2");
    assert_string_equal(scene_ran(&s), "other other");
    read_page(&s);
    check_gates("<h2 id=\"savings\">");
    scene_end(&s);
}

/* ---- the runs before ---- */

static void the_runs_before_are_shown_and_linked(void **state)
{
    struct scene s;
    const char *ids[4], *part;

    scene_begin(&s);
    scene_write("p.yaml", "pipeline: p\nparams: {v: 1}\nstages:\n"
                          "  m: {run: [sh, -c, \"echo '{{\\\"cost\\\": ${v}.25, \\\"t\\\": {{\\\"ease\\\": 0.${v}}}}}' > {out}/metrics.json\"]}\n");
    for (int i = 0; i < 3; i++) {
        assert_run(&s, 0, "run", "p.yaml", "--set", arena_printf(&scratch_arena, "v=%d", i + 1));
        json_decref(record_at((size_t)i, &ids[i]));
        assert_true(file_exists(arena_printf(&scratch_arena, "work/p/reports/%s.html", ids[i])));
    }
    read_page(&s);
    part = part_of("<h2 id=\"runs\">", "</section>");
    assert_has(part, arena_printf(&scratch_arena, "<a href=\"reports/%s.html\">", ids[0]));
    assert_has(part, arena_printf(&scratch_arena, "<a href=\"reports/%s.html\">", ids[1]));
    assert_lacks(part, arena_printf(&scratch_arena, "reports/%s.html", ids[2]));      /* itself */
    for (int i = 1; i <= 3; i++)
        assert_has(part, arena_printf(&scratch_arena, "<td class=\"n\">%d.25</td><td class=\"n\">0.%d</td>", i, i));
    assert_int_equal(count_of(part, "<polyline class=\"smooth\""), 2);
    assert_has(part, "t.ease of m");
    assert_int_equal(count_of(part, "<td class=\"good\">done</td>"), 3);
    assert_int_equal(count_of(page.p, "\x01"), 0);

    /* the same page among the reports: its links go up first */
    assert_ok(file_read(arena_printf(&scratch_arena, "work/p/reports/%s.html", ids[2]), 1 << 20, &page));
    check_sound(&s, arena_printf(&scratch_arena, "work/p/reports/%s.html", ids[2]));
    says("<a href=\"../reports/%s.html\">", ids[0]);
    lacks("\"reports/");

    /* one report gone, one record damaged, one run cut off, one with names that would be markup */
    assert_int_equal(unlink(arena_printf(&scratch_arena, "work/p/reports/%s.html", ids[0])), 0);
    scene_write(run_record_path(&scratch_arena, "work/p", ids[1]), "{\"tundish\":1,");
    scene_write("work/p/runs/2020-01-01T00-00-00Z.json",
                "{\"tundish\":1,\"run\":\"x\",\"begun\":1577836800,\"seconds\":2,\"outcome\":\"running\",\"stages\":"
                "[{\"name\":\"m\",\"metrics\":{\"cost\":\"<b>\",\"t\":7}}]}");
    scene_write("work/p/runs/2020-01-02T00-00-00Z.json",
                "{\"tundish\":1,\"run\":\"x\",\"begun\":1e999,\"seconds\":[],\"outcome\":\"<u>\",\"stages\":[]}");
    assert_run(&s, 0, "run", "p.yaml", "--set", "v=4");
    read_page(&s);
    part = part_of("<h2 id=\"runs\">", "</section>");
    assert_lacks(part, arena_printf(&scratch_arena, "reports/%s.html", ids[0]));
    assert_has(part, "its record is damaged");
    assert_has(part, "<td class=\"soft\">cut off</td>");
    assert_lacks(page.p, "<u>");
    assert_lacks(page.p, "<b>");
    scene_end(&s);
}

/* What a gate asks for comes first, then what is known of old, and nothing else where there is any of these. */
static void headline_metrics_are_chosen(void **state)
{
    struct scene s;
    const char *part;

    scene_begin(&s);
    scene_write("m.json", "{\"accuracy\":0.5,\"cost\":3.5,\"rest\":7,\"t\":{\"loss\":2.5}}");
    scene_write("p.yaml", "pipeline: p\nstages:\n  m:\n    run: [cp, \"{m}\", \"{out}/metrics.json\"]\n"
                          "    in: {m: m.json}\n    gate: {metric: cost, max: 4}\n");
    assert_run(&s, 0, "run", "p.yaml");
    read_page(&s);
    part = part_of("<caption>The last runs", "</table>");
    assert_has(part, "cost of m</th><th scope=\"col\" class=\"n\">accuracy of m</th>"
                     "<th scope=\"col\" class=\"n\">t.loss of m</th></tr>");
    assert_has(part, "<td class=\"n\">3.5</td><td class=\"n\">0.5</td><td class=\"n\">2.5</td></tr>");
    scene_end(&s);
}

/* ---- many stages ---- */

enum { MANY = 160 };

static void a_run_of_many_stages_is_a_small_page(void **state)
{
    struct scene s;
    struct buf text = { 0 };

    scene_begin(&s);
    buf_adds(&text, "pipeline: p\nstages:\n  first: {run: [sh, -c, \"echo x > {out}/x\"]}\n  all:\n    matrix: {n: [");
    for (int i = 0; i < MANY; i++)
        buf_printf(&text, "%s%d", i ? ", " : "", i);
    buf_adds(&text, "]}\n    run: [sh, -c, \"test ${n} -ne 150 && cp {f}/x {out}/x\"]\n    in: {f: \"@first\"}\n"
                    "  end: {uses: grow, needs: all}\n");
    scene_write("p.yaml", text.p);
    assert_run(&s, 1, "run", "p.yaml", "--keep-going", "--jobs", "4");
    read_page(&s);
    assert_true(page.n < 500000);
    says("%d stages: all of one matrix are one box", MANY + 2);
    assert_int_equal(count_of(part_of("<svg role=\"group\" aria-label=\"graph", "</svg>"), "<rect class=\"box"), 3);
    says(">1 of %d failed</text>", MANY);      /* what is wrong speaks for the box */
    says("The drawing has 60 of them");
    assert_has(part_of("What its end waited for (", "</p>"),
               "<a href=\"#stage-first\">first</a> &#8594; <a href=\"#stage-all.n=");
    assert_int_equal(count_of(part_of("<svg role=\"group\" aria-label=\"bars", "</svg>"), "class=\"label\""), 60);
    says("<h2 id=\"stage-all.n=150\">");      /* trouble comes first */
    assert_times(50, "<h2 id=\"stage-");
    assert_times(MANY + 2 - 50, "<tr id=\"stage-");
    says("All %d stages</summary>", MANY + 2);
    says("%d more stages have no section here", MANY + 2 - 50);
    buf_release(&text);
    scene_end(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_and_what_they_took_are_shown),
        cmocka_unit_test(the_chain_goes_through_cached_stages),
        cmocka_unit_test(gates_are_shown_with_their_intervals),
        cmocka_unit_test(the_runs_before_are_shown_and_linked),
        cmocka_unit_test(headline_metrics_are_chosen),
        cmocka_unit_test(a_run_of_many_stages_is_a_small_page),
    };
    int failed;

    fake_be_program(argc, argv);
    failed = cmocka_run_group_tests(tests, scratch_begin, scratch_end);
    buf_release(&page);
    return failed;
}
