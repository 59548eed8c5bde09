/* Every rule of `filter: {profile: gopher@datatrove}` at its boundary and beside it, alone; then the order of the rules. */
#include "test.h"

#include <math.h>

#include "base/arena.h"
#include "curate/filter/gopher.h"

static struct arena arena;
static struct step_work work;
static struct doc last;      /* of the latest decide() */

/* All rules off but for what `rules` (YAML, "name: value, ...") says. */
static const char *only(const char *rules)
{
    struct buf yaml = { 0 };
    const char *text;

    buf_printf(&yaml, "{%s", rules);
    for (const struct opt *row = gopher_opts; row->name; row++) {
        const char *at = strstr(rules, row->name);
        bool named = at && at[strlen(row->name)] == ':';

        if (!named && (row->type == OPT_T_REAL || row->type == OPT_T_INT))
            buf_printf(&yaml, ", %s: 0", row->name);
    }
    buf_adds(&yaml, "}");
    text = arena_strdup(&arena, yaml.p);
    buf_release(&yaml);
    return text;
}

/* The reason of the drop, or "keep". */
static const char *decide(const char *yaml, struct span text)
{
    struct gopher_cfg cfg = { 0 };
    struct yaml *options;

    assert_ok(yaml_parse(&arena, "options", yaml, strlen(yaml), &options));
    assert_ok(opt_from_yaml(gopher_opts, &arena, options, &cfg));
    memset(&last, 0, sizeof last);
    buf_add(&last.text, text.p, text.n);
    assert_ok(gopher_load(&cfg));
    assert_ok(gopher_each(&cfg, &last, &work));
    gopher_unload(&cfg);
    buf_release(&last.text);
    return last.dropped ? last.dropped->key : "keep";
}

struct rule_case {
    const char *rule;
    const char *at, *beyond;     /* texts at the threshold, and behind it */
    const char *reason;
    double value;                /* of `beyond` */
};

static void assert_near(double seen, double want)
{
    if (fabs(seen - want) > 1e-12)
        fail_msg("%.17g, want %.17g", seen, want);
}

static void check(const struct rule_case *c)
{
    const char *yaml = only(c->rule);

    if (strcmp(decide(yaml, span_of(c->at)), "keep") != 0)
        fail_msg("%s: '%s' was dropped: %s", c->rule, c->at, last.dropped->key);
    if (strcmp(decide(yaml, span_of(c->beyond)), c->reason) != 0)
        fail_msg("%s: '%s' gave %s", c->rule, c->beyond, last.dropped ? last.dropped->key : "keep");
    assert_near(last.value, c->value);
}

static void each_rule_keeps_at_its_threshold_and_drops_beside_it(void **state)
{
    static const struct rule_case cases[] = {
        /* 1 of 4 paragraphs, 1 of 3 */
        { "max-dup-paragraph-fraction: 0.25", "ab c\n\nd\n\nab c\n\ne", "ab c\n\nd\n\n\n\nab c", "dup_para_frac", 1.0 / 3 },
        /* white space around the text is no part of a paragraph */
        { "max-dup-paragraph-fraction: 0.5", "a\n\na", " \n\na\n\na\n\na \n", "dup_para_frac", 2.0 / 3 },
        /* a paragraph of two lines; 4 of 20 characters, 4 of 19 */
        { "max-dup-paragraph-char-fraction: 0.2", "ab\nc\n\nab\nc\n\nefghijkl", "ab\nc\n\nab\nc\n\nefghijk",
          "dup_para_char_frac", 4.0 / 19 },
        /* 1 of 4 lines, 1 of 3; blank lines do not count */
        { "max-dup-line-fraction: 0.25", "a b\nc\n\n\na b\nd", "a b\nc\n\na b", "dup_line_frac", 1.0 / 3 },
        /* but the empty one before a first line end and that behind the last one do: 1 of 4 */
        { "max-dup-line-fraction: 0.25", "\na\nb\n", "\na\n", "dup_line_frac", 1.0 / 3 },
        { "max-dup-line-char-fraction: 0.2", "abcd\nabcd\nefghijklmn", "abcd\nabcd\nefghijklm", "dup_line_char_frac", 4.0 / 19 },
        /* characters, not bytes */
        { "max-dup-line-char-fraction: 0.2", "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\n\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\nefghijklmn",
          "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\n\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\nefghijklm", "dup_line_char_frac", 4.0 / 19 },
        /* "aa bb" twice: 10 of 50, 10 of 49 */
        { "max-top-2-gram: 0.2", "aa bb cdefghijklmnopqrstuvwxyz1234567890xyzw aa bb", "aa bb cdefghijklmnopqrstuvwxyz1234567890xyz aa bb",
          "top_2_gram", 10.0 / 49 },
        /* a 2-gram that stands there once counts, too: the first of the commonest */
        { "max-top-2-gram: 0.5", "ab cd efgh", "ab cdefg h", "top_2_gram", 0.8 },
        { "max-top-3-gram: 0.25", "a b c defghijklmnopqrstuvwxyz12345 a b c", "a b c defghijklmnopqrstuvwxyz1234 a b c", "top_3_gram", 10.0 / 39 },
        { "max-top-4-gram: 0.5", "a b c d efghijklmnop a b c d", "a b c d efghijklmno a b c d", "top_4_gram", 14.0 / 27 },
        /* five words of 2 letters again: 10 of 50, 10 of 49 */
        { "max-dup-5-gram: 0.2", "aa bb cc dd ee fghijklmnopqrstuvwxy aa bb cc dd ee", "aa bb cc dd ee fghijklmnopqrstuvwx aa bb cc dd ee",
          "duplicated_5_n_grams", 10.0 / 49 },
        /* the scan jumps over what it counted: 11 times the same word are two 5-grams again, not six */
        { "max-dup-5-gram: 0.4", "a a a a a a a b", "a a a a a a a a a a a", "duplicated_5_n_grams", 10.0 / 21 },
        { "max-dup-6-gram: 0.1", "a b c d e f g h", "a b c d e f a b c d e f", "duplicated_6_n_grams", 6.0 / 23 },
        { "max-dup-7-gram: 0.1", "a b c d e f a b c d e f", "a b c d e f g a b c d e f g", "duplicated_7_n_grams", 7.0 / 27 },
        { "max-dup-8-gram: 0.1", "a b c d e f g a b c d e f g", "a b c d e f g h a b c d e f g h", "duplicated_8_n_grams", 8.0 / 31 },
        { "max-dup-9-gram: 0.1", "a b c d e f g h a b c d e f g h", "a b c d e f g h i a b c d e f g h i", "duplicated_9_n_grams",
          9.0 / 35 },
        { "max-dup-10-gram: 0.1", "a b c d e f g h i a b c d e f g h i", "a b c d e f g h i j a b c d e f g h i j",
          "duplicated_10_n_grams", 10.0 / 39 },
        /* words that are punctuation alone do not count */
        { "min-words: 3", "one two three", "one - two , .", "gopher_short_doc", 2 },
        { "max-words: 3", "one two - three !", "one two three four", "gopher_long_doc", 4 },
        { "min-mean-word-length: 3", "ab abcd -", "ab abc", "gopher_below_avg_threshold", 2.5 },
        { "max-mean-word-length: 3", "ab abcd -", "abc abcd", "gopher_above_avg_threshold", 3.5 },
        { "max-symbol-ratio: 0.25", "# a b c", "# a b", "gopher_too_many_hashes", 1.0 / 3 },
        { "max-symbol-ratio: 0.25", "a b c \xE2\x80\xA6", "a b c ......", "gopher_too_many_ellipsis", 0.5 },
        { "max-bullet-lines: 0.5", "- a\n\xE2\x80\xA2 b\nc\n\n", "- a\n  - b\nc\n", "gopher_too_many_bullets", 2.0 / 3 },
        { "max-ellipsis-lines: 0.5", "a...\nb", "a...\nb \xE2\x80\xA6 \nc", "gopher_too_many_end_ellipsis", 2.0 / 3 },
        /* a line separator ends a line, too (Python's splitlines) */
        { "max-ellipsis-lines: 0.5", "a...\xE2\x80\xA8" "b", "a...\xE2\x80\xA8" "b...\xC2\x85" "c", "gopher_too_many_end_ellipsis", 2.0 / 3 },
        { "min-alpha-words: 0.5", "one 2 x3 4", "one 2 3", "gopher_below_alpha_threshold", 1.0 / 3 },
        { "min-stop-words: 2", "the cat of x", "the cat the The Of", "gopher_enough_stop_words", 1 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&cases[i]);
}

static const char prose[] =
    "It was late in the year when the two of them came down from the hills, and the river had begun to freeze along its "
    "banks. They had walked for nine days with little to eat, and what they carried was wet through. The older man spoke "
    "of a house that must be near, where his brother would have kept bread and a fire; the younger one listened, and did "
    "not ask how long ago that had been.";

static void prose_passes_all_rules(void **state)
{
    assert_string_equal(decide("{}", span_of(prose)), "keep");
    assert_string_equal(decide("{}", span_of("")), "empty");
    assert_string_equal(decide("{repetition: false}", span_of("")), "empty");
}

static void the_first_broken_rule_is_the_reason(void **state)
{
    struct buf text = { 0 };

    for (int i = 0; i < 4; i++)
        buf_printf(&text, "%s\n\n", prose);
    assert_string_equal(decide("{}", (struct span){ text.p, text.n }), "dup_para_frac");
    assert_near(last.value, 0.75);
    assert_near(last.threshold, 0.3);
    assert_string_equal(decide("{max-dup-paragraph-fraction: 0.8}", (struct span){ text.p, text.n }), "dup_para_char_frac");
    assert_string_equal(decide("{repetition: false}", (struct span){ text.p, text.n }), "keep");
    assert_string_equal(decide("{quality: false}", span_of("too short")), "top_2_gram");
    assert_string_equal(decide("{repetition: false}", span_of("too short")), "gopher_short_doc");
    buf_release(&text);
}

static void defaults_are_those_of_datatrove(void **state)
{
    static const char *const want[] = {
        "max-dup-paragraph-fraction", "0.3", "max-dup-paragraph-char-fraction", "0.2", "max-dup-line-fraction", "0.3",
        "max-dup-line-char-fraction", "0.2", "max-top-2-gram", "0.2", "max-top-3-gram", "0.18", "max-top-4-gram", "0.16",
        "max-dup-5-gram", "0.15", "max-dup-6-gram", "0.14", "max-dup-7-gram", "0.13", "max-dup-8-gram", "0.12",
        "max-dup-9-gram", "0.11", "max-dup-10-gram", "0.1", "min-words", "50", "max-words", "100000",
        "min-mean-word-length", "3", "max-mean-word-length", "10", "max-symbol-ratio", "0.1", "max-bullet-lines", "0.9",
        "max-ellipsis-lines", "0.3", "min-alpha-words", "0.8", "min-stop-words", "2", NULL
    };

    for (int i = 0; want[i]; i += 2)
        assert_string_equal(opt_find(gopher_opts, want[i])->fallback, want[i + 1]);
}

/* "a|b|c": the words of a text. */
static const char *words_of(const char *text)
{
    struct text_scan s = { 0 };
    struct buf out = { 0 };
    const char *words;

    text_scan(&s, span_of(text));
    for (size_t i = 0; i < s.word_count; i++)
        buf_printf(&out, "%s%.*s", i ? "|" : "", (int)s.words[i].bytes, text + s.words[i].at);
    words = arena_strdup(&arena, out.p ? out.p : "");
    buf_release(&out);
    text_scan_release(&s);
    return words;
}

static void words_lose_their_edges(void **state)
{
    static const char *const cases[] = {
        "", "",
        " \n\t\xC2\xA0\xE3\x80\x80", "",
        "Hello, world!", "Hello|,|world|!",
        "(see \"it\")", "(|see|\"|it|\"|)",
        "end. U.S. J. Inc. e.g. ABC. 5.", "end|.|U.S.|J.|Inc.|e.g.|ABC|.|5|.",
        "wait... what..", "wait|...|what|..",
        "dog's dogs' don't they'll I'm DON'T cannot look'd", "dog|'s|dogs|'|do|n't|they|'ll|I|'m|DON'T|can|not|look'd",
        "dog\xE2\x80\x99s can\xE2\x80\x99t", "dog|\xE2\x80\x99s|ca|n\xE2\x80\x99t",
        "well-known and/or a:b x=y 3-4 3-a", "well|-|known|and/or|a|:|b|x|=|y|3|-|4|3|-|a",
        "it.Then e.g.x a,b 1,000", "it|.|Then|e.g.x|a|,|b|1,000",
        "http://a.bc/c-d www.a-b.cd me-x@y.org http://a.b/c-d 8.8.8.8/x-y", "http://a.bc/c-d|www.a-b.cd|me-x@y.org|http://a.b|/|c|-|d|8.8.8.8/x-y",
        /* special texts that only the rules' cuts leave are put back */
        "x-Mr. foo-a. (:D)", "x|-|Mr.|foo|-|a.|(|:D|)", "dont 10am 3p.m. \xC2\xB0" "C. y'all", "do|nt|10|am|3|p.m.|\xC2\xB0|C|.|y'|all",
        "10km 5% $5 5\xE2\x82\xAC +1 +x", "10|km|5|%|$|5|5|\xE2\x82\xAC|+1|+|x",
        "a\xE2\x80\x94" "b \xE2\x80\xA6 \xF0\x9F\x98\x80hi", "a|\xE2\x80\x94|b|\xE2\x80\xA6|\xF0\x9F\x98\x80|hi",
        "!!!", "!|!|!",
        "na\xC3\xAFve \xE4\xBD\xA0\xE5\xA5\xBD\xE3\x80\x82", "na\xC3\xAFve|\xE4\xBD\xA0\xE5\xA5\xBD|\xE3\x80\x82",
        NULL
    };

    for (int i = 0; cases[i]; i += 2)
        assert_string_equal(words_of(cases[i]), cases[i + 1]);
}

/* Short words are read 16 bytes at a time, but not behind the text. */
static void a_words_hash_is_that_of_its_bytes_wherever_it_stands(void **state)
{
    char text[100];

    for (size_t n = 1; n < 40; n++)
        for (size_t behind = 0; behind < 20; behind++) {
            struct text_scan s = { 0 };

            memset(text, 'b', n);
            memset(text + n, ' ', behind);
            text[n / 2] = 'x';
            text_scan(&s, (struct span){ text, n + behind });
            assert_int_equal(s.word_count, 1);
            assert_true(s.words[0].hash == text_hash(text, n) && s.words[0].bytes == n);
            text[n / 2] = 'y';
            assert_true(s.words[0].hash != text_hash(text, n) && s.words[0].hash != text_hash(text, n + 1));
            text_scan_release(&s);
        }
}

static int tear_down(void **state)
{
    step_work_release(NULL, &work);
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_lose_their_edges),
        cmocka_unit_test(a_words_hash_is_that_of_its_bytes_wherever_it_stands),
        cmocka_unit_test(each_rule_keeps_at_its_threshold_and_drops_beside_it),
        cmocka_unit_test(prose_passes_all_rules),
        cmocka_unit_test(the_first_broken_rule_is_the_reason),
        cmocka_unit_test(defaults_are_those_of_datatrove),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
