/* `c4@datatrove` and `fineweb`, rule by rule; thresholds and words by language; and what datatrove itself decides about the documents
 * of golden/datatrove.jsonl (made by peer_datatrove.py beside this file). */
#include "test.h"

#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "curate/chain/step.h"

static struct arena arena;
static struct doc last;

static enum status parse(const char *steps, struct chain *c)
{
    struct yaml *list;

    TRY(yaml_parse(&arena, "steps", steps, strlen(steps), &list));
    return chain_parse(&arena, list, c);
}

/* The reason of the drop, or the text that is left. */
static const char *run(const char *steps, struct span text, const char *language, bool full)
{
    struct step_work w = { .trace = { .full = full } };
    struct chain c;
    const char *result;

    assert_ok(parse(steps, &c));
    assert_ok(chain_load(&c));
    last = (struct doc){ .language = (char *)(uintptr_t)language };
    buf_add(&last.text, text.p, text.n);
    for (size_t i = 1; i < c.count && last.dropped == NULL; i++)
        assert_ok(chain_each(&c, i, &last, &w));
    result = last.dropped ? last.dropped->key : arena_strndup(&arena, last.text.p, last.text.n);
    buf_release(&last.text);
    step_work_release(&c, &w);
    chain_unload(&c);
    return result;
}

#define C4(options) "[{filter: {profile: c4@datatrove, min-num-sentences: 1" options "}}]"

static void c4_leaves_out_lines(void **state)
{
    static const char *const cases[] = {
        /* options, text, what is left */
        C4(""), "One line is here.\nno end\nIt ends so...\nToo few.\n  A \"quote is here\"  \n", "One line is here.\nA \"quote is here\"",
        C4(""), "One line is here [12].\nIt says[edit] so here.[citation needed] \nTwo blanks stay. [1]", "One line is here .\nIt says so here.",
        C4(", remove-citations: false"), "One line is here.[1]\nAnd a line here.", "And a line here.",
        C4(""), "Please enable JavaScript here.\nWe use cookies on it.\nSee our Privacy Policy now.\nA line is left.", "A line is left.",
        C4(""), "Written with \xE2\x84\xAA" "elvin: coo\xE2\x84\xAAies, uses coo\xE2\x84\xAAies now.\nA line is left.", "A line is left.",
        C4(", filter-policy: false"), "We use cookies on it.", "We use cookies on it.",
        C4(", max-word-length: 5"), "A toolongword is here.\nAll of them fit.", "All of them fit.",
        C4(", filter-no-terminal-punct: false"), "no end is here\x0bof it and so on\xE2\x80\xA8" "on and on and", "no end is here\nof it and so on\non and on and",
        C4(", split-paragraph: false"), "One is here. Two is\nhere! And no end", "One is here. Two is\nhere!",
        C4(", split-paragraph: false, min-words-per-line: -1"), "One.  Two (is) here.\" Three", "One. Two (is) here.\"",
        NULL
    };

    for (int i = 0; cases[i]; i += 3)
        assert_string_equal(run(cases[i], span_of(cases[i + 1]), NULL, false), cases[i + 2]);
}

static void c4_drops_documents(void **state)
{
    static const char sentences[] = "One is here. Two is here! Is it three? Four it is. Five.";

    assert_string_equal(run("[{filter: {profile: c4@datatrove}}]", span_of(sentences), NULL, false), sentences);
    assert_int_equal(last.edits, 0);
    assert_string_equal(run("[{filter: {profile: c4@datatrove, min-num-sentences: 6}}]", span_of(sentences), NULL, false), "too_few_sentences");
    assert_true(last.value == 5 && last.threshold == 6);
    assert_string_equal(run(C4(""), span_of("A line of Lorem Ipsum here.\nA {line} is here."), NULL, false), "lorem_ipsum");
    assert_string_equal(run(C4(""), span_of("A {line} is here.\nA line of Lorem Ipsum here."), NULL, true), "curly_bracket");
    assert_string_equal(run(C4(""), span_of("{ no end\nA line is here."), NULL, false), "A line is here.");
    assert_string_equal(run(C4(", filter-curly-bracket: false"), span_of("A {line} is here."), NULL, false), "A {line} is here.");
    assert_string_equal(run(C4(", quality: false, paragraphs: true, min-paragraph-length: 4"), span_of("abcd\nabcd\nabc\nx"), NULL, false),
                        "< 3 paragraphs");
    assert_true(last.value == 3);
    assert_string_equal(run(C4(", quality: false, paragraphs: true, min-paragraph-length: 4"), span_of("abcd\nabcd\n\nab\xC3\xA9\xC3\xA9"), NULL, false),
                        "abcd\nabcd\n\nab\xC3\xA9\xC3\xA9");
}

static const char *file_of(const char *name, const char *text)
{
    const char *path = arena_printf(&arena, "%s.%d", name, (int)getpid());
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static void bad_words_stand_between_other_signs(void **state)
{
    const char *path = file_of("bad_words", "foo\n\n  bar baz \n\xE6\x80\xA7\nx\n");
    const char *steps = arena_printf(&arena, "[{filter: {profile: c4@datatrove, quality: false, bad-words: %s}}]", path);
    const char *kept = arena_printf(&arena, "[{filter: {profile: c4@datatrove, quality: false, keep-fraction: 1, bad-words: %s}}]", path);

    assert_string_equal(run(steps, span_of("a foot, _foo, foo1"), NULL, false), "a foot, _foo, foo1");
    assert_string_equal(run(steps, span_of("a (FOO)"), NULL, false), "document_removed_with_badwords");
    assert_string_equal(run(steps, span_of("bar bazaar and bar baz"), NULL, false), "document_removed_with_badwords");
    assert_string_equal(run(steps, span_of("it is x"), NULL, false), "document_removed_with_badwords");
    assert_string_equal(run(steps, span_of("a foot"), "ja", false), "document_removed_with_badwords");
    assert_string_equal(run(steps, span_of("\xE6\x80\xA7"), "zh", false), "\xE6\x80\xA7");
    assert_string_equal(run(kept, span_of("a foo"), NULL, false), "a foo");
    unlink(path);
}


static const char *fineweb(const char *rule, const char *text)
{
    return run(arena_printf(&arena, "[{filter: {profile: fineweb, %s%s}}]", rule,
                            strstr(rule, "line-punct") ? ", short-line-thr: 1, char-duplicates-ratio: 1, new-line-ratio: 9" :
                            strstr(rule, "short-line") ? ", line-punct-thr: 0, char-duplicates-ratio: 1, new-line-ratio: 9" :
                            strstr(rule, "duplicates") ? ", line-punct-thr: 0, short-line-thr: 1, new-line-ratio: 9" :
                                                         ", line-punct-thr: 0, short-line-thr: 1, char-duplicates-ratio: 1"),
               span_of(text), NULL, false);
}

static void fineweb_keeps_at_its_thresholds(void **state)
{
    assert_string_equal(fineweb("line-punct-thr: 0.5", "a.\n \n\nb"), "a.\n \n\nb");
    assert_string_equal(fineweb("line-punct-thr: 0.5", "a\xE3\x80\x82\nb. \nc"), "line_punct_ratio");
    assert_string_equal(fineweb("line-punct-thr: 0.5, line-punct-exclude-zero: true", "a\nb"), "a\nb");
    assert_string_equal(fineweb("line-punct-thr: 0.5, stop-chars: [';', 'ab']", "a;\nxab\nc.\nd"), "a;\nxab\nc.\nd");
    assert_string_equal(fineweb("short-line-thr: 0.5, short-line-length: 2", "ab\nabc"), "ab\nabc");
    assert_string_equal(fineweb("short-line-thr: 0.5, short-line-length: 2", "\xC3\xA9\xC3\xA9\nabc\nb"), "short_line_ratio");
    assert_string_equal(fineweb("char-duplicates-ratio: 0.25", "ab\n\ncdef\nab"), "ab\n\ncdef\nab");
    assert_string_equal(fineweb("char-duplicates-ratio: 0.25", "ab\ncde\nab"), "char_dup_ratio");
    assert_string_equal(fineweb("new-line-ratio: 0.5", "a b\nc d\n"), "a b\nc d\n");
    assert_string_equal(fineweb("new-line-ratio: 0.5", "a b\nc\n"), "list_ratio");
    assert_string_equal(fineweb("new-line-ratio: 0.5", " \n\t"), "empty");
}

static void languages_have_values_of_their_own(void **state)
{
    const char *path = file_of("languages", "de: {min-words: 2, stop-words: [der, und], min-stop-words: 2}\nzh:\n  min_words: 1\n");
    const char *steps = arena_printf(&arena, "[{filter: {profile: gopher@datatrove, repetition: false, min-words: 4, min-mean-word-length: 0, "
                                             "min-stop-words: 1, languages: %s}}]", path);
    const char *german = "der Tag und die", *english = "the day and the", *three = "the day has";

    assert_string_equal(run(steps, span_of(english), NULL, false), english);
    assert_string_equal(run(steps, span_of(english), "en", false), english);
    assert_string_equal(run(steps, span_of(three), "en", false), "gopher_short_doc");
    assert_string_equal(run(steps, span_of(three), "zh-Hant", false), three);
    assert_string_equal(run(steps, span_of(german), "de", false), german);
    assert_string_equal(run(steps, span_of("der Tag hat"), "de", false), "gopher_enough_stop_words");
    assert_string_equal(run(steps, span_of(german), "en", false), "gopher_enough_stop_words");
    unlink(path);
}

static void faults_of_a_languages_file_have_a_place(void **state)
{
    static const char *const files[] = {
        "de: {min-wrds: 2}", "did you mean 'min-words'?",
        "de: {min-words: -2}", ":1:",
        "de: {profile: gopher@datatrove}", "cannot differ by language",
        "de: 7", "want a map of options",
        "- de", "want a map of languages",
        NULL
    };

    for (int i = 0; files[i]; i += 2) {
        const char *path = file_of("languages", files[i]);
        struct chain c;

        assert_ok(parse(arena_printf(&arena, "[{filter: {profile: gopher@datatrove, languages: %s}}]", path), &c));
        assert_int_equal(chain_load(&c), ST_CONFIG);
        if (strstr(fail_message(), files[i + 1]) == NULL || strstr(fail_message(), path) == NULL)
            fail_msg("'%s' gave: %s", files[i], fail_message());
        unlink(path);
    }
}

/* The files that stand beside the pipelines, for a team to begin with. */
static void files_of_the_pipelines_folder_are_read(void **state)
{
    static const char *const files[] = { "gopher@datatrove", "gopher", "fineweb", "fineweb", NULL };
    const char *root = arena_strndup(&arena, __FILE__, (size_t)(strstr(__FILE__, "tests/curate/") - __FILE__));

    for (int i = 0; files[i]; i += 2) {
        struct chain c;

        assert_ok(parse(arena_printf(&arena, "[{filter: {profile: %s, languages: %spipelines/languages/%s.yaml}}]", files[i], root, files[i + 1]), &c));
        assert_ok(chain_load(&c));
        chain_unload(&c);
    }
}

/* Each rule is told where all are asked for, in the order of the peer. */
static void a_full_trace_has_every_rule(void **state)
{
    struct step_work w = { .trace = { .full = true } };
    struct doc d = { 0 };
    struct chain c;

    assert_ok(parse("[{filter: {profile: gopher@datatrove}}]", &c));
    assert_ok(chain_load(&c));
    buf_adds(&d.text, "a a a a a a a a a a a a a a a a");
    assert_ok(chain_each(&c, 1, &d, &w));
    assert_string_equal(d.dropped->key, "top_2_gram");
    assert_int_equal(w.trace.count, 23);
    assert_string_equal(w.trace.values[0].rule->key, "dup_para_frac");
    assert_string_equal(w.trace.values[22].rule->key, "gopher_enough_stop_words");
    buf_release(&d.text);
    step_work_release(&c, &w);
    chain_unload(&c);
}

/* ---- the peer ---- */

static const struct {
    const char *name, *steps;
} peer_cases[] = {
    { "gopher@datatrove", "[{filter: {profile: gopher@datatrove}}]" },
    { "fineweb", "[{filter: {profile: fineweb}}]" },
    { "c4@datatrove", "[{filter: {profile: c4@datatrove}}]" },
    { "c4@datatrove, all lines", "[{filter: {profile: c4@datatrove, filter-no-terminal-punct: false}}]" },
    { "c4@datatrove, sentences, other values",
      "[{filter: {profile: c4@datatrove, split-paragraph: false, min-num-sentences: 2, min-words-per-line: -1, "
      "max-word-length: 25, remove-citations: false, filter-curly-bracket: false}}]" },
    { "c4@datatrove, paragraphs", "[{filter: {profile: c4@datatrove, quality: false, paragraphs: true}}]" },
};

static void check_decision(json_t *row, const char *name, const char *steps)
{
    json_t *want = json_object_get(json_object_get(row, "decisions"), name), *text = json_object_get(row, "text");
    const char *reason = json_string_value(json_array_get(want, 0)), *left = json_string_value(json_array_get(want, 1));
    struct span in = { json_string_value(text), json_string_length(text) };
    const char *got = run(steps, in, NULL, false);

    assert_true(json_is_array(want));
    if (reason ? !last.dropped || strcmp(got, reason) != 0 : last.dropped || strcmp(got, left ? left : in.p) != 0)
        fail_msg("%s, %s: '%.200s', datatrove: %s", json_string_value(json_object_get(row, "id")), name, got, reason ? reason : "keeps another text");
}

static void decisions_are_datatroves(void **state)
{
    char path[1000];
    struct buf all = { 0 };
    size_t rows = 0;

    snprintf(path, sizeof path, "%.*s/golden/datatrove.jsonl", (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
    assert_ok(file_read(path, 1 << 24, &all));
    for (char *p = all.p, *stop; (stop = strchr(p, '\n')) != NULL; p = stop + 1, rows++) {
        json_t *row = json_loadb(p, (size_t)(stop - p), 0, NULL);

        assert_non_null(row);
        for (size_t i = 0; i < sizeof peer_cases / sizeof peer_cases[0]; i++)
            check_decision(row, peer_cases[i].name, peer_cases[i].steps);
        json_decref(row);
    }
    assert_true(rows > 30);
    buf_release(&all);
}

static int tear_down(void **state)
{
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c4_leaves_out_lines),
        cmocka_unit_test(c4_drops_documents),
        cmocka_unit_test(bad_words_stand_between_other_signs),
        cmocka_unit_test(fineweb_keeps_at_its_thresholds),
        cmocka_unit_test(languages_have_values_of_their_own),
        cmocka_unit_test(faults_of_a_languages_file_have_a_place),
        cmocka_unit_test(files_of_the_pipelines_folder_are_read),
        cmocka_unit_test(a_full_trace_has_every_rule),
        cmocka_unit_test(decisions_are_datatroves),
    };

    arena_init(&arena);
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
