/* Codes of languages, CLD2, models of fastText against what fastText says, damaged models, and the step. */
#include "one_chain.h"

#include <math.h>
#include <stdlib.h>

#include "base/file.h"
#include "curate/language/cld2_shim.h"
#include "curate/language/fasttext.h"
#include "curate/language/language_code.h"

static const char *golden(struct arena *a, const char *name)
{
    return arena_printf(a, "%s/tests/curate/golden/%s", getenv("TUNDISH_SOURCE"), name);
}

static void codes_come_in_many_forms(void **state)
{
    static const char *const cases[][2] = {
        { "en", "en" }, { "EN", "en" }, { "eng", "en" }, { "__label__en", "en" }, { "__label__eng_Latn", "en" },
        { "cmn_Hani", "zh" }, { "zh-Hant", "zh-Hant" }, { "zh_Hant", "zh-Hant" }, { "zho_Hant", "zh-Hant" },
        { "zh-CN", "zh" }, { "iw", "he" }, { "jw", "jv" }, { "ceb", "ceb" }, { "als", "gsw" }, { "als_Latn", "sq" },
        { "arb_Arab", "ar" }, { "sr-ME", "sr" }, { "un", "" }, { "xx-Latn", "" }, { "", "" }, { "e", "" },
        { "english", "" }, { "en1", "" }, { "__label__", "" }, { "zxx", "" }, { "\xC3\xA9n", "" },
    };
    char code[LANGUAGE_CODE];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool is = language_code(span_of(cases[i][0]), code);

        if (strcmp(code, cases[i][1]) != 0 || is != (*code != 0))
            fail_msg("'%s' gave '%s', want '%s'", cases[i][0], code, cases[i][1]);
    }
    assert_true(language_covers("zh", "zh-Hant"));
    assert_true(language_covers("zh", "zh"));
    assert_false(language_covers("zh-Hant", "zh"));
    assert_false(language_covers("zh", "zha"));
}

struct line {
    const char *code, *text;
};
static size_t read_lines(struct arena *a, struct line *out, size_t most)
{
    struct buf all = { 0 };
    size_t count = 0;

    assert_ok(file_read(golden(a, "languages.tsv"), 1 << 20, &all));
    for (char *p = arena_strndup(a, all.p, all.n), *end; *p; p = end + 1) {
        char *tab = strchr(p, '\t');

        end = strchr(p, '\n');
        assert_true(count < most && tab && end);
        *tab = *end = 0;
        out[count++] = (struct line){ p, tab + 1 };
    }
    buf_release(&all);
    return count;
}

static void cld2_knows_languages_of_its_full_tables(void **state)
{
    struct arena a;
    struct line lines[100];
    size_t count, right = 0, hawaiian = 0;

    arena_init(&a);
    count = read_lines(&a, lines, 100);
    assert_int_equal(count, 72);
    for (size_t i = 0; i < count; i++) {
        struct cld2_guess g = cld2_detect(lines[i].text, strlen(lines[i].text));
        char code[LANGUAGE_CODE];

        language_code(span_of(g.code), code);
        assert_true(g.share >= 0 && g.share <= 1);
        right += g.reliable && strcmp(code, lines[i].code) == 0;
        hawaiian += strcmp(code, "haw") == 0;
    }
    assert_true(right >= 68);
    assert_int_equal(hawaiian, 6);       /* in the full tables only */
    assert_false(cld2_detect("", 0).reliable);
    assert_false(cld2_detect("0123 4567 .,;", 13).reliable);
    arena_release(&a);
}

/* ---- fastText ---- */

static void check_model(const char *model, const char *said)
{
    struct arena a;
    struct line lines[100];
    struct buf want = { 0 };
    struct fasttext *m;
    struct fasttext_scratch *s;
    size_t count;
    char *p;

    arena_init(&a);
    count = read_lines(&a, lines, 100);
    assert_ok(file_read(golden(&a, said), 1 << 20, &want));
    assert_ok(fasttext_open(golden(&a, model), &m));
    s = fasttext_scratch_new(m);
    p = want.p;
    for (size_t i = 0; i < count; i++) {
        struct fasttext_guess g;
        char label[64];
        double probability;
        int n = 0;

        assert_int_equal(sscanf(p, "%63s %lf\n%n", label, &probability, &n), 2);
        p += n;
        assert_ok(fasttext_predict(m, span_of(lines[i].text), s, &g));
        assert_false(g.none);
        if (strcmp(fasttext_label(m, g.label), label) != 0 || fabs(g.probability - probability) > 1e-5)
            fail_msg("%s, line %zu: %s %g, want %s %g", model, i + 1, fasttext_label(m, g.label), g.probability, label,
                     probability);
    }
    assert_true(p == want.p + want.n);
    fasttext_scratch_free(s);
    fasttext_close(m);
    buf_release(&want);
    arena_release(&a);
}

static void models_say_what_fasttext_says(void **state)
{
    check_model("fasttext_hs.bin", "fasttext_hs.txt");
    check_model("fasttext_softmax.bin", "fasttext_softmax.txt");
    check_model("fasttext_ova.bin", "fasttext_ova.txt");
    check_model("fasttext_pruned.ftz", "fasttext_pruned.txt");
    check_model("fasttext_quantised.ftz", "fasttext_quantised.txt");
}

static void line_ends_are_blanks_and_the_end_token_ends(void **state)
{
    static const char *const same[] = {
        "all human beings are born", "all\nhuman\r\nbeings\tare\vborn\n\n", " all human beings are born </s> free and equal",
        "__label__en all human __label__zz beings are born",
    };
    struct arena a;
    struct fasttext *m;
    struct fasttext_scratch *s;
    struct fasttext_guess first, g;

    arena_init(&a);
    assert_ok(fasttext_open(golden(&a, "fasttext_softmax.bin"), &m));
    s = fasttext_scratch_new(m);
    assert_ok(fasttext_predict(m, span_of(same[0]), s, &first));
    for (size_t i = 1; i < sizeof same / sizeof *same; i++) {
        assert_ok(fasttext_predict(m, span_of(same[i]), s, &g));
        assert_int_equal(g.label, first.label);
        assert_true(g.probability == first.probability);
    }
    assert_ok(fasttext_predict(m, (struct span){ "all\0human beings\0are born", 25 }, s, &g));
    assert_true(g.probability == first.probability);
    fasttext_scratch_free(s);
    fasttext_close(m);
    arena_release(&a);
}

/* What remains of a model that was cut, or has a byte changed, is refused or used: never read beyond its end (the copy is
 * of that size, so that a sanitizer sees it). */
static void try_bytes(const char *p, size_t n, bool must_fail)
{
    char *copy = mem_alloc(n ? n : 1);
    struct fasttext *m = NULL;
    enum status st;

    memcpy(copy, p, n);
    st = fasttext_over("cut", (struct span){ copy, n }, &m);
    if (st == ST_OK) {
        struct fasttext_scratch *s = fasttext_scratch_new(m);
        struct fasttext_guess g;

        st = fasttext_predict(m, span_of("all human beings \xD7\x91\xD7\xA0\xD7\x99"), s, &g);
        assert_true(st == ST_FORMAT || st == ST_OK);
        fasttext_scratch_free(s);
    } else {
        assert_int_equal(st, ST_FORMAT);
    }
    if (must_fail && m != NULL)
        fail_msg("a model cut at byte %zu was taken", n);
    fasttext_close(m);
    free(copy);
}

static void damaged_models_are_refused(void **state)
{
    static const char *const models[] = { "fasttext_hs.bin", "fasttext_pruned.ftz" };
    struct arena a;

    arena_init(&a);
    for (int k = 0; k < 2; k++) {
        struct buf model = { 0 };

        assert_ok(file_read(golden(&a, models[k]), 1 << 20, &model));
        for (size_t n = 0; n < model.n; n += n < 200 || n + 100 > model.n ? 1 : 61)
            try_bytes(model.p, n, true);
        for (size_t i = 0; i < model.n; i += i < 100 ? 1 : 37) {
            char old = model.p[i];

            model.p[i] = (char)0xFF;
            try_bytes(model.p, model.n, false);
            model.p[i] = (char)(old ^ 1);
            try_bytes(model.p, model.n, false);
            model.p[i] = old;
        }
        buf_addc(&model, 0);
        try_bytes(model.p, model.n, true);
        buf_release(&model);
    }
    arena_release(&a);
}

static void expect_bad_model(const char *bytes, size_t n, const char *words)
{
    struct fasttext *m;

    assert_int_equal(fasttext_over("bad.bin", (struct span){ bytes, n }, &m), ST_FORMAT);
    if (strstr(fail_message(), words) == NULL)
        fail_msg("'%s' is not in: %s", words, fail_message());
}

static void what_is_no_classifier_is_named(void **state)
{
    struct arena a;
    struct buf model = { 0 };

    arena_init(&a);
    expect_bad_model("", 0, "no model of fastText");
    expect_bad_model("hello, this is a text and no model at all, but it is long enough to be one", 74, "no model of fastText");
    assert_ok(file_read(golden(&a, "fasttext_hs.bin"), 1 << 20, &model));
    model.p[4] = 13;
    expect_bad_model(model.p, model.n, "version 13");
    model.p[4] = 12;
    model.p[8 + 4 * 7] = 1;
    expect_bad_model(model.p, model.n, "word vectors");
    buf_release(&model);
    arena_release(&a);
}

/* ---- the step ---- */

#define ENGLISH "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience."
#define GERMAN "Alle Menschen sind frei und gleich an W\xC3\xBCrde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt."

static void the_step_labels_and_drops(void **state)
{
    struct one_chain c;

    one_chain_begin(&c, "[language]");
    assert_string_equal(one_chain_verdict(&c, GERMAN), "stays");
    assert_string_equal(c.doc->language, "de");
    assert_true(c.doc->language_score > 0.9);
    assert_string_equal(one_chain_verdict(&c, "12345 67890"), "stays");
    assert_string_equal(c.doc->language, "und");
    one_chain_end(&c);

    one_chain_begin(&c, "[language: {keep: [EN, fr]}]");
    assert_string_equal(one_chain_verdict(&c, ENGLISH), "stays");
    assert_string_equal(one_chain_verdict(&c, GERMAN), "language_not_kept");
    assert_string_equal(one_chain_verdict(&c, "12345 67890"), "language_unknown");
    assert_true(c.doc->value == 0 && c.doc->threshold == 1);
    one_chain_end(&c);

    one_chain_begin(&c, "[language: {keep: [en, de], thresholds: {de: 0.9}, threshold: 0.8}]");
    assert_string_equal(one_chain_verdict(&c, ENGLISH "\n" GERMAN), "language_score_low");
    assert_true(c.doc->value < 0.8 && c.doc->threshold >= 0.8);
    one_chain_end(&c);

    one_chain_begin(&c, "[language: {thresholds: {de: 1, en: 0.1}, threshold: 0.2}]");
    assert_string_equal(one_chain_verdict(&c, GERMAN), "language_score_low");
    assert_string_equal(one_chain_verdict(&c, ENGLISH), "stays");
    one_chain_end(&c);
}

static void the_step_asks_a_model(void **state)
{
    struct one_chain c;
    struct arena a;

    arena_init(&a);
    one_chain_begin(&c, arena_printf(&a, "[language: {method: fasttext, model: '%s', keep: en, threshold: 0.3}]",
                                     golden(&a, "fasttext_softmax.bin")));
    assert_string_equal(one_chain_verdict(&c, ENGLISH), "stays");
    assert_string_equal(c.doc->language, "en");
    assert_string_equal(one_chain_verdict(&c, GERMAN), "language_not_kept");
    assert_string_equal(c.doc->language, "de");
    one_chain_end(&c);
    arena_release(&a);
}

static void expect_bad_step(const char *steps, const char *words)
{
    struct one_chain c;

    assert_int_equal(one_chain_parse(&c, steps), ST_CONFIG);
    if (strstr(fail_message(), words) == NULL)
        fail_msg("'%s' is not in: %s", words, fail_message());
    arena_release(&c.arena);
}

static void wrong_options_are_refused(void **state)
{
    struct one_chain c;

    expect_bad_step("[language: {method: fasttext}]", "wants a `model`");
    expect_bad_step("[language: {model: x.bin}]", "cld2 has its own");
    expect_bad_step("[language: {keep: [english]}]", "'english' is no language's code");
    expect_bad_step("[language: {keep: [en, xq]}]", "'xq' is no language's code");
    expect_bad_step("[language: {thresholds: {xq: 0.2}}]", "'xq' is no language's code");
    expect_bad_step("[language: {thresholds: {de: 2}}]", "0 to 1");
    expect_bad_step("[language: {thresholds: [de]}]", "want a map");
    expect_bad_step("[language: {threshold: 1.5}]", "-1 to 1");
    assert_ok(one_chain_parse(&c, "[language: {method: fasttext, model: /nonexistent/x.bin}]"));
    assert_int_not_equal(chain_load(&c.chain), ST_OK);
    arena_release(&c.arena);
}

static enum status note_path(void *ctx, struct yaml *path)
{
    buf_printf(ctx, "%s ", path->text);
    return ST_OK;
}

static void files_that_steps_name_are_told(void **state)
{
    static const char steps[] = "[normalize, language: {method: fasttext, model: m.bin, keep: en}, "
                                "command: {run: [x, y], files: [a, b]}, nonsense: {model: z}, language: {model: null}]";
    struct arena a;
    struct yaml *list;
    struct buf paths = { 0 };

    arena_init(&a);
    assert_ok(yaml_parse(&a, "steps", steps, strlen(steps), &list));
    assert_ok(chain_paths(list, note_path, &paths));
    assert_string_equal(paths.p, "m.bin a b ");
    buf_release(&paths);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_come_in_many_forms),
        cmocka_unit_test(cld2_knows_languages_of_its_full_tables),
        cmocka_unit_test(models_say_what_fasttext_says),
        cmocka_unit_test(line_ends_are_blanks_and_the_end_token_ends),
        cmocka_unit_test(damaged_models_are_refused),
        cmocka_unit_test(what_is_no_classifier_is_named),
        cmocka_unit_test(the_step_labels_and_drops),
        cmocka_unit_test(the_step_asks_a_model),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(files_that_steps_name_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
