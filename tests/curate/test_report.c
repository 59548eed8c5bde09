/* Reports: histograms of values, counts by name, examples; added up they are what one report would be. */
#include "test.h"

#include <float.h>
#include <math.h>

#include "base/rng.h"
#include "curate/filter/gopher.h"
#include "curate/report/report.h"

/* ---- bins ---- */

static void test_bins(void **state)
{
    assert_int_equal(value_bin(-1), 0);
    assert_int_equal(value_bin(0), 1);
    assert_int_equal(value_bin(-0.0), 1);
    assert_int_equal(value_bin(0.0009), 1);
    assert_int_equal(value_bin(1.0 / 1024), 2);
    assert_int_equal(value_bin((double)(1 << 30)), VALUE_BINS - 1);
    assert_int_equal(value_bin(INFINITY), VALUE_BINS - 1);
    assert_int_equal(value_bin(NAN), 1);
    for (int i = 1; i < VALUE_BINS; i++) {
        double from = value_bin_from(i);

        assert_int_equal(value_bin(from), i);
        assert_int_equal(value_bin(nextafter(from, -1)), i - 1);
        assert_true(from > value_bin_from(i - 1));
    }
    assert_true(value_bin_from(value_bin(0.8)) <= 0.8 && value_bin_from(value_bin(0.8) + 1) - 0.8 < 1.0 / 32);
}

/* ---- reports ---- */

struct world {
    struct arena arena;
    struct chain chain;
    struct source_stats stats;
};

static void world_begin(struct world *w)
{
    static const char steps[] = "[normalize, {filter: {profile: gopher@datatrove}}, {dedup: {method: exact}}]";
    struct yaml *list;

    memset(w, 0, sizeof *w);
    arena_init(&w->arena);
    assert_ok(yaml_parse(&w->arena, "steps", steps, strlen(steps), &list));
    assert_ok(chain_parse(&w->arena, list, &w->chain));
}

static void one_document(struct report *r, struct source_stats *stats, uint64_t i)
{
    static const char *const languages[] = { "en", "de", NULL, "tr" };
    const struct drop_reason *const *reasons = r->steps[2].step->kind->reasons;
    struct trace trace = { 0 };
    struct report_notes notes = { 0 };
    struct doc d = { .number = i, .kind = i % 3 ? RAW_TEXT : RAW_HTML, .language = (char *)languages[i % 4] };
    char id[40], source[40], text[80];

    snprintf(id, sizeof id, "file%llu", (unsigned long long)i);
    snprintf(source, sizeof source, i % 11 ? "source%llu" : "\xff%llu", (unsigned long long)(i % 300));
    snprintf(text, sizeof text, "<b>%llu & more \xc3\xa4", (unsigned long long)i * 7919);
    d.id = id;
    d.source = source;
    buf_adds(&d.text, text);
    report_add_read(r, &d, d.text.n);
    stats->documents++;
    stats->document_bytes += d.text.n;
    stats->files += i % 5 == 0;
    r->steps[2].documents_in++;
    r->steps[2].bytes_in += d.text.n;
    for (size_t k = 0; k < 3 && d.dropped == NULL; k++) {
        double value = ldexp(rng_uniform_at(7, i, k), (int)(i % 30) - 5);
        struct trace_value v = { reasons[k], value, 0.125 * (double)(1 + i % 2), TRACE_AT_MOST, value > 3 };

        doc_judge(&d, &trace, &v);
    }
    report_note_trace(&notes, r, 2, &trace);
    report_add_notes(r, &notes);
    report_notes_release(&notes);
    d.dropped_by = 2;
    if (d.dropped)
        report_add_dropped(r, &d);
    else
        report_add_kept(r, &d, i % 17 == 0);
    buf_release(&d.text);
    trace_release(&trace);
}

static void outcome(struct source_stats *stats, uint64_t i)
{
    static const char *const ids[] = { "a", "b", "c", "d", "e", "f", "g" };
    uint64_t n = stats->outcomes[SOURCE_EMPTY]++;

    if (n < 5)
        stats->samples[SOURCE_EMPTY][n] = ids[i];
}

/* Documents [from, to), and outcomes where they belong. */
static void group(struct report *r, struct source_stats *stats, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        one_document(r, stats, i);
        if (i % 100 == 50)
            outcome(stats, i / 100);
    }
}

/* What hangs on the order of additions, and only in its last digits. */
static void without_means(json_t *report)
{
    json_t *step, *drop;
    size_t i, j;

    json_array_foreach(json_object_get(report, "steps"), i, step)
        json_array_foreach(json_object_get(step, "drops"), j, drop)
            json_object_del(drop, "value_mean");
}

#define DOCUMENTS 700

/* The report of all documents, through partial ones of `size` documents written as text. */
static json_t *added_up(struct world *w, uint64_t size)
{
    struct report *all = report_new(&w->chain, 4);
    struct source_stats stats = { 0 };
    json_t *json;

    for (uint64_t from = 0; from < DOCUMENTS; from += size) {
        struct report *part = report_new(&w->chain, 4);
        struct source_stats own = { 0 };
        struct buf text = { 0 };
        json_t *partial;

        group(part, &own, from, from + size < DOCUMENTS ? from + size : DOCUMENTS);
        partial = report_partial(part, &own);
        json_canonical(&text, partial);
        json_decref(partial);
        report_free(part);
        assert_ok(json_parse(text.p, text.n, "partial", &partial));
        assert_ok(report_add_partial(all, &stats, partial));
        json_decref(partial);
        buf_release(&text);
    }
    json = report_json(all, &stats);
    report_free(all);
    without_means(json);
    return json;
}

static void test_adding_up(void **state)
{
    static const uint64_t sizes[] = { 700, 350, 99, 7, 1 };
    struct world w;
    struct report *one;
    struct source_stats stats = { 0 };
    json_t *want;
    struct buf text = { 0 };

    world_begin(&w);
    one = report_new(&w.chain, 4);
    group(one, &stats, 0, DOCUMENTS);
    want = report_json(one, &stats);
    report_free(one);
    without_means(want);
    json_canonical(&text, want);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        json_t *got = added_up(&w, sizes[i]);
        struct buf other = { 0 };

        json_canonical(&other, got);
        assert_string_equal(other.p, text.p);
        buf_release(&other);
        json_decref(got);
    }
    assert_non_null(strstr(text.p, "\"languages\":{\"de\""));
    assert_int_equal(json_array_size(json_object_get(json_object_get(want, "output"), "samples")), KEPT_SOURCES);
    json_decref(want);
    buf_release(&text);
    arena_release(&w.arena);
}

/* ---- what is no partial report ---- */

/* Sets a member somewhere in a partial report ("steps/2/counts") to another value; NULL: takes it away. */
static void put(json_t *root, const char *path, const char *value)
{
    char names[100];
    json_t *at = root;
    char *name = names, *slash;

    snprintf(names, sizeof names, "%s", path);
    while ((slash = strchr(name, '/'))) {
        *slash = 0;
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(name)) : json_object_get(at, name);
        assert_non_null(at);
        name = slash + 1;
    }
    if (value == NULL)
        json_object_del(at, name);
    else if (json_is_array(at))
        json_array_set_new(at, (size_t)atoi(name), json_loads(value, JSON_DECODE_ANY, NULL));
    else
        json_object_set_new(at, name, json_loads(value, JSON_DECODE_ANY, NULL));
}

static void test_refusals(void **state)
{
    static const struct {
        const char *path, *value, *words;
    } cases[] = {
        { "steps", "[]", "has 0 steps, want 4" },
        { "steps/2/step", "\"filter c4\"", "has step 'filter c4', want 'filter gopher@datatrove'" },
        { "steps/2/documents_in", "-1", "'documents_in' is -1, want a count" },
        { "steps/2/bytes_out", "\"x\"", "bytes_out" },
        { "steps/2/bytes_out", "9007199254740993", "want a count" },
        { "steps/2/counts", "[1]", "'counts' is not a list of" },
        { "steps/2/counts/1", "-5", "'counts' has what is not a count" },
        { "steps/2/reasons", "{}", "has no list of reasons" },
        { "steps/2/reasons/0/reason", "\"ugly\"", "has no reason 'ugly'" },
        { "steps/2/reasons/1/reason", "\"empty\"", "'empty' stands twice" },
        { "steps/2/reasons/0/samples", "5", "has no list of samples" },
        { "steps/2/reasons/0/samples/0", "[]", "id" },
        { "steps/2/reasons/0/values/bins/0", "[1,2]", "is not [number, kept, broken]" },
        { "steps/2/reasons/0/values/bins/0", "[643,2,2]", "has bin 643, want less than 643" },
        { "steps/2/reasons/0/values/bins/0", "[-1,2,2]", "what is not a count" },
        { "steps/2/reasons/0/values/side", "\"left\"", "side is 'left'" },
        { "steps/2/languages", "[]", "languages is not an object" },
        { "source/outcomes/empty/samples", "[1,2,3,4,5,6]", "at most 5 samples" },
        { "source/outcomes/empty/samples", "[1]", "is no text" },
        { "source/files", NULL, "files" },
        { "languages/en/bytes", "-2", "below 0" },
        { "length_bytes/63", "1.5", "'length_bytes' has what is not a count" },
        { "kept", "{}", "is not a list" },
        { "kept/0/samples/0", "{}", "id" },
    };
    struct world w;
    struct report *r, *into;
    struct source_stats stats = { 0 }, zero = { 0 }, none = { 0 };
    json_t *good, *before, *after;

    world_begin(&w);
    r = report_new(&w.chain, 4);
    into = report_new(&w.chain, 4);
    group(r, &stats, 0, 100);
    good = report_partial(r, &stats);
    before = report_json(into, &none);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *bad = json_deep_copy(good);

        put(bad, cases[i].path, cases[i].value);
        if (report_add_partial(into, &zero, bad) != ST_FORMAT)
            fail_msg("'%s' = %s was taken", cases[i].path, cases[i].value);
        if (strstr(fail_message(), cases[i].words) == NULL)
            fail_msg("'%s' = %s: %s", cases[i].path, cases[i].value, fail_message());
        json_decref(bad);
    }
    after = report_json(into, &zero);
    assert_true(json_equal(before, after));          /* nothing was added */
    assert_ok(report_add_partial(into, &zero, good));
    json_decref(before);
    json_decref(after);
    json_decref(good);
    report_free(r);
    report_free(into);
    arena_release(&w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bins),
        cmocka_unit_test(test_adding_up),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
