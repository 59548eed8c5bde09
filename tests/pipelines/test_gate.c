/* What gates let through and what they say; the statistics are checked on data whose truth is known,
 * and against scipy. */
#include "test.h"

#include <math.h>

#include "base/rng.h"
#include "pipelines/registry/gate.h"
#include "pipelines/registry/gate_bootstrap.h"
#include "pipelines/registry/gate_report.h"
#include "promoted.h"

/* ---- making ---- */

/* Report of n documents "d<i>": i's bits are bytes * (rate + noise), as a model of that rate has. */
struct fake_scores {
    int n, first;
    double rate;
    uint64_t seed;
    int other_text;              /* so many of the first have one byte more */
};

static const char *make_scores(const struct fake_scores *f)
{
    struct buf lines = { 0 };
    double bits = 0, bytes = 0;
    const char *path;

    for (int i = f->first; i < f->first + f->n; i++) {
        double size = 100 + (double)(rng_at(1, 1, (uint64_t)i) % 400) + (i < f->other_text);
        double hard = 0.3 * rng_normal_at(2, 1, (uint64_t)i);      /* for every model */
        double cost = size * (f->rate + hard + 0.02 * rng_normal_at(f->seed, 2, (uint64_t)i));

        buf_printf(&lines, "{\"id\":\"d%d\",\"bytes\":%.0f,\"tokens\":%.0f,\"bits\":%.3f}\n", i, size,
                   size / 4, cost);
        bits += cost;
        bytes += size;
    }
    path = make_report(arena_printf(&scratch_arena, "{\"bits_per_byte\":%.6f,\"bytes\":%.0f,\"tasks\":{\"quiz\":{\"accuracy\":0.5}}}",
                                    bits / bytes, bytes), lines.p ? lines.p : "");
    buf_release(&lines);
    return path;
}

static const char *promoted(const char *report)
{
    static int count;
    const char *alias = join(scratch_path("registry"), "champion");
    struct promotion p;

    assert_ok(registry_promote(&scratch_arena, &(struct promote_args){
        make_model(arena_printf(&scratch_arena, "gate %d", count++)), alias, report, NULL }, &p));
    return alias;
}

static struct gate_result check(const struct plan_gate *g, const char *report)
{
    struct gate_result r;

    assert_ok(gate_check(&scratch_arena, g, report, &r));
    return r;
}

#define assert_gate(want_, words_, g_, report_)                                                    \
    do {                                                                                           \
        struct gate_result r_ = check(g_, report_);                                                \
        if (r_.outcome != (want_) || strstr(r_.words, (words_)) == NULL)                           \
            fail_msg("%s: %s (want %s: ...%s...)", gate_outcome_words[r_.outcome], r_.words,       \
                     gate_outcome_words[want_], (words_));                                         \
    } while (0)

/* ---- bounds ---- */

static void bounds_pass_or_say_by_how_much(void **state)
{
    const char *report = make_report("{\"bits_per_byte\":1.612,\"tasks\":{\"quiz\":{\"accuracy\":0.25}},\"n\":7}", "");
    struct plan_gate g = { .metric = "bits_per_byte", .has_max = true, .max = 1.5 };

    assert_gate(GATE_FAILED, "bits_per_byte 1.612 is over 1.5 by 0.112", &g, report);
    g.max = 1.612;
    assert_gate(GATE_PASSED, "bits_per_byte 1.612 is at most 1.612", &g, report);
    g = (struct plan_gate){ .metric = "tasks.quiz.accuracy", .has_min = true, .min = 0.3 };
    assert_gate(GATE_FAILED, "tasks.quiz.accuracy 0.25 is under 0.3 by 0.05", &g, report);
    g.min = 0.25;
    assert_gate(GATE_PASSED, "is at least 0.25", &g, report);
    g.has_max = true;
    g.max = 0.24;
    assert_gate(GATE_FAILED, "is over 0.24", &g, report);
    g.max = 1;
    assert_gate(GATE_PASSED, "is between 0.25 and 1", &g, report);
    g = (struct plan_gate){ .metric = "n", .has_max = true, .max = 6 };
    assert_gate(GATE_FAILED, "n 7 is over 6 by 1", &g, report);
}

static void a_metric_that_is_not_there_is_told_with_those_that_are(void **state)
{
    const char *report = make_report("{\"bits_per_byte\":1.6,\"tasks\":{\"quiz\":{\"accuracy\":0.25}},\"xz\":null,\"s\":\"1\"}", "");
    struct plan_gate g = { .metric = "bits_per_bite", .has_max = true, .max = 1.5 };
    struct gate_result r;

    assert_fails(ST_CONFIG, "did you mean 'bits_per_byte'? There are: bits_per_byte, tasks.quiz.accuracy",
                 gate_check(&scratch_arena, &g, report, &r));
    g.metric = "xz";
    assert_fails(ST_CONFIG, "has no number 'xz'; there are: bits_per_byte", gate_check(&scratch_arena, &g, report, &r));
    g.metric = "tasks.quiz";
    assert_fails(ST_CONFIG, "has no number", gate_check(&scratch_arena, &g, report, &r));
    assert_fails(ST_FORMAT, "", gate_check(&scratch_arena, &g, make_report("{\"a\":NaN}", ""), &r));
    assert_fails(ST_FORMAT, "not a JSON object", gate_check(&scratch_arena, &g, make_report("[1]", ""), &r));
    assert_fails(ST_CONFIG, "has no metrics.json", gate_check(&scratch_arena, &g, make_model("no report"), &r));
    put_file(join(report, "metrics.json"), "{\"bits_per_byte\":0.6,\"tasks\":{\"quiz\":{\"accuracy\":0.25}},\"xz\":null,\"s\":\"1\"}", 75);
    assert_fails(ST_INTEGRITY, "", gate_check(&scratch_arena, &g, report, &r));
}

/* ---- against what is promoted, values alone ---- */

static void values_are_compared_from_the_side_that_is_better(void **state)
{
    const char *old = make_report("{\"bits_per_byte\":1.5,\"accuracy\":0.5}", "");
    const char *lower = make_report("{\"bits_per_byte\":1.25,\"accuracy\":0.25}", "");
    struct plan_gate g = { .metric = "bits_per_byte", .versus = promoted(old) };

    assert_gate(GATE_PASSED, "1.25 is better than the 1.5 of", &g, lower);
    assert_true(check(&g, lower).gain == 0.25);
    assert_true(check(&g, lower).other == 1.5);
    g.gain = 0.3;
    assert_gate(GATE_FAILED, "by 0.25, want a gain of at least 0.3", &g, lower);
    g = (struct plan_gate){ .metric = "accuracy", .versus = g.versus, .higher_is_better = true };
    assert_gate(GATE_FAILED, "0.25 is worse than the 0.5 of", &g, lower);
    g.higher_is_better = false;
    assert_gate(GATE_PASSED, "is better", &g, lower);
    assert_gate(GATE_PASSED, "0.5 is that of", &g, old);
    g.gain = 0.001;
    assert_gate(GATE_FAILED, "want a gain of at least 0.001", &g, old);
}

static void nothing_promoted_is_open_and_no_report_is_an_error(void **state)
{
    const char *report = make_report("{\"bits_per_byte\":1.5}", ""), *alias = promoted(NULL);
    struct plan_gate g = { .metric = "bits_per_byte", .versus = join(scratch_path("registry"), "champion") };
    struct gate_result r;

    assert_gate(GATE_OPEN, "nothing is promoted as", &g, report);
    g.versus = arena_strndup(&scratch_arena, alias, strlen(alias) - 1);
    assert_fails(ST_CONFIG, arena_printf(&scratch_arena, "did you mean '%s'?", alias), gate_check(&scratch_arena, &g, report, &r));
    g.versus = join(arena_strndup(&scratch_arena, alias, (size_t)(path_base(alias) - alias)), "nightly");
    assert_gate(GATE_OPEN, "nothing is promoted as", &g, report);
    g.versus = alias;
    assert_fails(ST_CONFIG, "--report REPORT", gate_check(&scratch_arena, &g, report, &r));
    g.versus = "champion";
    assert_fails(ST_USAGE, "want REGISTRY/ALIAS", gate_check(&scratch_arena, &g, report, &r));
    g.metric = "bits";
    assert_fails(ST_CONFIG, "has no number", gate_check(&scratch_arena, &g, report, &r));
}

/* ---- document by document ---- */

static void a_real_gain_passes_and_an_uncertain_one_does_not(void **state)
{
    const char *old = make_scores(&(struct fake_scores){ .n = 300, .rate = 1.5, .seed = 3 });
    const char *better = make_scores(&(struct fake_scores){ .n = 300, .rate = 1.48, .seed = 4 });
    const char *hardly = make_scores(&(struct fake_scores){ .n = 300, .rate = 1.4995, .seed = 5 });
    struct plan_gate g = { .metric = "bits_per_byte", .versus = promoted(old), .confidence = 0.95,
                           .resamples = 2000, .seed = 7 };
    struct gate_result r = check(&g, better), again = check(&g, better);

    assert_int_equal(r.outcome, GATE_PASSED);
    assert_int_equal(r.documents, 300);
    assert_true(r.low > 0.01 && r.low < r.gain && r.gain < r.high && r.high < 0.03);
    assert_true(fabs(r.gain - (r.other - r.value)) < 1e-5);
    assert_true(r.low == again.low && r.high == again.high);
    assert_non_null(strstr(r.words, "at 95 % confidence"));
    assert_non_null(strstr(r.words, "300 documents"));
    g.seed = 8;
    assert_true(check(&g, better).low != r.low);
    assert_gate(GATE_FAILED, "want at least 0", &g, hardly);
    g.gain = 0.015;
    assert_gate(GATE_PASSED, "want at least 0.015", &g, better);
    g.gain = 0.025;
    assert_gate(GATE_FAILED, "want at least 0.025", &g, better);
}

static void the_same_scores_gain_exactly_nothing(void **state)
{
    const char *old = make_scores(&(struct fake_scores){ .n = 50, .rate = 1.5, .seed = 3 });
    struct plan_gate g = { .metric = "bits_per_byte", .versus = promoted(old), .confidence = 0.99, .resamples = 500 };
    struct gate_result r = check(&g, old);

    assert_int_equal(r.outcome, GATE_PASSED);
    assert_true(r.gain == 0 && r.low == 0 && r.high == 0);
    g.gain = 1e-9;
    assert_int_equal(check(&g, old).outcome, GATE_FAILED);
}

static void only_the_same_documents_are_compared(void **state)
{
    const char *old = make_scores(&(struct fake_scores){ .n = 100, .rate = 1.5, .seed = 3 });
    struct plan_gate g = { .metric = "bits_per_byte", .versus = promoted(old), .confidence = 0.9, .resamples = 200 };
    struct fake_scores f = { .n = 100, .first = 60, .rate = 1.2, .seed = 4 };

    assert_int_equal(check(&g, make_scores(&f)).documents, 40);
    f = (struct fake_scores){ .n = 100, .rate = 1.2, .seed = 4, .other_text = 30 };
    assert_int_equal(check(&g, make_scores(&f)).documents, 70);
    assert_gate(GATE_PASSED, "70 documents, 30 with another text left out", &g, make_scores(&f));
    f = (struct fake_scores){ .n = 100, .first = 81, .rate = 1.2, .seed = 4 };
    assert_gate(GATE_FAILED, "19 documents are in this report and in that of", &g, make_scores(&f));
    assert_true(check(&g, make_scores(&f)).gain > 0.2);
    f.first = 1000;
    assert_gate(GATE_FAILED, "0 documents", &g, make_scores(&f));
    f.first = 80;      /* enough, but a fifth of what the promoted one was scored on */
    assert_gate(GATE_FAILED, "20 documents with ", &g, make_scores(&f));
    f.first = 30;
    assert_gate(GATE_PASSED, "70 documents", &g, make_scores(&f));
}

static void what_has_no_documents_or_damaged_ones_is_an_error(void **state)
{
    const char *old = make_scores(&(struct fake_scores){ .n = 30, .rate = 1.5, .seed = 3 });
    struct plan_gate g = { .metric = "tasks.quiz.accuracy", .versus = promoted(old), .confidence = 0.9, .resamples = 200 };
    static const struct { const char *line, *words; } bad[] = {
        { "{\"id\":\"a\"}", "'bits'" },
        { "{\"id\":\"a\",\"bits\":1}", "'bytes'" },
        { "{\"id\":7,\"bits\":1,\"bytes\":1}", "'id'" },
        { "{\"id\":\"a\",\"bits\":1,\"bytes\":-1}", "want 0 or more" },
        { "{\"id\":\"a\",\"bits\":1e300,\"bytes\":1}", "want at most" },
        { "{\"id\":\"a\",\"bits\":1,\"bytes\":1", "not a JSON object" },
        { "", "not a JSON object" },
    };
    struct gate_result r;

    assert_fails(ST_CONFIG, "(of these it is: bits_per_byte, nats_per_token)", gate_check(&scratch_arena, &g, old, &r));
    g.metric = "bits_per_byte";
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *lines = arena_printf(&scratch_arena, "{\"id\":\"x\",\"bits\":1,\"bytes\":1}\n%s\n", bad[i].line);

        assert_fails(ST_FORMAT, bad[i].words, gate_check(&scratch_arena, &g, make_report("{\"bits_per_byte\":1}", lines), &r));
        assert_non_null(strstr(fail_message(), "line 2"));
    }
    g.resamples = 0;
    assert_fails(ST_CONFIG, "0 resamples", gate_check(&scratch_arena, &g, old, &r));
}

static void equal_ids_are_paired_in_their_order(void **state)
{
    const struct gate_metric *m = gate_metric_find("bits_per_byte");
    static const char *const one = "{\"id\":\"b\",\"bits\":5,\"bytes\":1}\n{\"id\":\"a\",\"bits\":1,\"bytes\":1}\n{\"id\":\"a\",\"bits\":2,\"bytes\":1}\n";
    static const char *const two = "{\"id\":\"a\",\"bits\":10,\"bytes\":1}\n{\"id\":\"c\",\"bits\":0,\"bytes\":1}\n{\"id\":\"a\",\"bits\":20,\"bytes\":1}\n{\"id\":\"a\",\"bits\":99,\"bytes\":1}\n";
    struct gate_documents x, y;
    struct gate_pairs pairs;

    assert_ok(gate_documents_parse(&scratch_arena, m, "x", one, strlen(one), &x));
    assert_ok(gate_documents_parse(&scratch_arena, m, "y", two, strlen(two), &y));
    gate_pair(&scratch_arena, &x, &y, false, &pairs);
    assert_int_equal(pairs.count, 2);
    assert_true(pairs.difference[0] == 9 && pairs.difference[1] == 18);
    gate_pair(&scratch_arena, &x, &y, true, &pairs);
    assert_true(pairs.difference[0] == -9);
}

/* ---- the statistics ---- */

enum { GOLDEN = 60 };
static void golden_data(double difference[GOLDEN], double weight[GOLDEN])
{
    for (int i = 0; i < GOLDEN; i++) {
        weight[i] = 100 + i * 37 % 211;
        difference[i] = weight[i] * (0.02 + 0.08 * cos(3.0 * i) + 0.05 * sin(7.0 * i));
    }
}

/* scipy 1.17.1, numpy 2.4.6: scipy.stats.bootstrap((d, w), lambda d, w, axis: d.sum(axis) /
 * w.sum(axis), paired=True, n_resamples=400000, method='percentile', confidence_level=0.9 and 0.5,
 * random_state=default_rng(1)): two-sided 0.9 is 0.95 on each side. */
static void bounds_are_those_of_scipy(void **state)
{
    double difference[GOLDEN], weight[GOLDEN];
    struct bootstrap_args args = { difference, weight, GOLDEN, 40000, 1, 0.95 };
    struct bootstrap_result r;

    golden_data(difference, weight);
    assert_ok(bootstrap_gain(&args, &r));
    assert_true(fabs(r.gain - 0.019449848032820037) < 1e-12);
    assert_true(fabs(r.low - 0.005530705591597256) < 4e-4);
    assert_true(fabs(r.high - 0.03349066001908284) < 4e-4);
    args.confidence = 0.75;
    assert_ok(bootstrap_gain(&args, &r));
    assert_true(fabs(r.low - 0.013732758498780176) < 3e-4);
    assert_true(fabs(r.high - 0.025266094782023053) < 3e-4);
}

enum { SETS = 500, SET_SIZE = 120 };

/* In how many of SETS data sets with that true gain the bounds hold. */
static void coverage(double confidence, int *low, int *high)
{
    const double truth = 0.013;
    double difference[SET_SIZE], weight[SET_SIZE];
    struct bootstrap_args args = { difference, weight, SET_SIZE, 400, 3, confidence };
    struct bootstrap_result r;

    *low = *high = 0;
    for (uint64_t s = 0; s < SETS; s++) {
        for (uint64_t i = 0; i < SET_SIZE; i++) {
            weight[i] = 50 + floor(500 * rng_uniform_at(s, 1, i));
            difference[i] = weight[i] * (truth + 0.1 * rng_normal_at(s, 2, i));
        }
        args.seed = s;
        assert_ok(bootstrap_gain(&args, &r));
        *low += r.low <= truth;
        *high += r.high >= truth;
    }
}

/* Standard errors of the shares: 0.010 and 0.018. */
static void bounds_hold_as_often_as_they_claim(void **state)
{
    int low, high;

    coverage(0.95, &low, &high);
    print_message("95 %%: the lower bound holds in %d, the upper in %d of %d\n", low, high, SETS);
    assert_in_range(low, 0.92 * SETS, 0.98 * SETS);
    assert_in_range(high, 0.92 * SETS, 0.98 * SETS);
    coverage(0.8, &low, &high);
    print_message("80 %%: the lower bound holds in %d, the upper in %d of %d\n", low, high, SETS);
    assert_in_range(low, 0.75 * SETS, 0.85 * SETS);
    assert_in_range(high, 0.75 * SETS, 0.85 * SETS);
}

static void odd_data_has_odd_but_true_bounds(void **state)
{
    double difference[3] = { 0, 0, 6 }, weight[3] = { 0, 0, 2 };
    struct bootstrap_args args = { difference, weight, 3, 100, 1, 0.9 };
    struct bootstrap_result r;

    assert_ok(bootstrap_gain(&args, &r));            /* draws without weight are drawn again */
    assert_true(r.gain == 3 && r.low == 3 && r.high == 3);
    weight[2] = 0;
    assert_fails(ST_CONFIG, "no weight", bootstrap_gain(&args, &r));
    args.n = 0;
    assert_fails(ST_CONFIG, "no documents", bootstrap_gain(&args, &r));
    args = (struct bootstrap_args){ difference, weight, 3, 100, 1, 1 };
    assert_fails(ST_CONFIG, "confidence is 1", bootstrap_gain(&args, &r));
    args = (struct bootstrap_args){ difference, weight, (size_t)1 << 24, 10000000, 1, 0.9 };
    assert_fails(ST_LIMIT, "want at most 1192 resamples", bootstrap_gain(&args, &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_pass_or_say_by_how_much),
        cmocka_unit_test(a_metric_that_is_not_there_is_told_with_those_that_are),
        cmocka_unit_test(values_are_compared_from_the_side_that_is_better),
        cmocka_unit_test(nothing_promoted_is_open_and_no_report_is_an_error),
        cmocka_unit_test(a_real_gain_passes_and_an_uncertain_one_does_not),
        cmocka_unit_test(the_same_scores_gain_exactly_nothing),
        cmocka_unit_test(only_the_same_documents_are_compared),
        cmocka_unit_test(what_has_no_documents_or_damaged_ones_is_an_error),
        cmocka_unit_test(equal_ids_are_paired_in_their_order),
        cmocka_unit_test(bounds_are_those_of_scipy),
        cmocka_unit_test(bounds_hold_as_often_as_they_claim),
        cmocka_unit_test(odd_data_has_odd_but_true_bounds),
    };

    command_set_all(promoted_commands);
    return cmocka_run_group_tests_name("gate", tests, scratch_begin, scratch_end);
}
