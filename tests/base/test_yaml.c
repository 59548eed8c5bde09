#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/str.h"
#include "base/yaml.h"
#include "base/golden.h"

static int setup(void **state)
{
    struct arena *a = mem_alloc(sizeof *a);

    arena_init(a);
    *state = a;
    return 0;
}

static int teardown(void **state)
{
    arena_release(*state);
    free(*state);
    return 0;
}

static struct yaml *parse(void **state, const char *text)
{
    struct yaml *root;

    assert_ok(yaml_parse(*state, "t.yaml", text, strlen(text), &root));
    return root;
}

static void assert_json(const struct yaml *n, const char *want)
{
    struct buf text = { 0 };
    json_t *value = yaml_to_json(n);

    json_canonical(&text, value);
    assert_string_equal(text.p, want);
    json_decref(value);
    buf_release(&text);
}

/* ---- the tree ---- */

static void collections_and_scalars_become_a_tree(void **state)
{
    assert_json(parse(state, "a: 1\nb: [x, {c: 2}]\n'd e': >\n  folded\n  text\nf:\n- g\n- h: |\n    i\n    j\n"),
                "{\"a\":1,\"b\":[\"x\",{\"c\":2}],\"d e\":\"folded text\\n\",\"f\":[\"g\",{\"h\":\"i\\nj\\n\"}]}");
    assert_json(parse(state, "[a: 1, {}, []]"), "[{\"a\":1},{},[]]");
    assert_json(parse(state, "just text"), "\"just text\"");
    assert_json(parse(state, "# only\n"), "{}");
    assert_json(parse(state, ""), "{}");
    assert_json(parse(state, "---\n...\n"), "{}");
    assert_json(parse(state, "\xEF\xBB\xBF" "a: 1\n"), "{\"a\":1}");
    assert_json(parse(state, "a:\r\n  - b\r\n  - c\r\n"), "{\"a\":[\"b\",\"c\"]}");
}

static void every_node_knows_its_place(void **state)
{
    struct yaml *root = parse(state, "# c\nä: 1\nlist:\n  - x\n  - {k: 'v'}\n");
    struct yaml *list = yaml_get(root, "list"), *v;

    assert_int_equal(root->line, 2);
    assert_int_equal(root->items[0]->column, 4);      /* code points, not bytes */
    assert_int_equal(list->line, 4);
    assert_int_equal(list->column, 3);
    v = yaml_get(list->items[1], "k");
    assert_int_equal(v->line, 5);
    assert_int_equal(v->column, 9);
    assert_false(v->plain);
    assert_null(yaml_get(root, "none"));
    assert_null(yaml_get(list, "none"));
}

static void places_count_lines_as_libyaml_does(void **state)
{
    static const char *const ends[] = { "\n", "\r", "\r\n" };

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char text[64];
        struct yaml *root;
        snprintf(text, sizeof text, "a: 1%sb: 2%sa: 3", ends[i], ends[i]);
        assert_int_equal(yaml_parse(*state, "t", text, strlen(text), &root), ST_CONFIG);
        assert_string_equal(fail_message(), "t:3:1: the key 'a' is given twice; first on line 1\n  a: 3\n  ^");
    }
}

/* ---- scalars ---- */

static const struct scalar {
    const char *text, *json;
} scalars[] = {
    { "0", "0" },           { "-12", "-12" },      { "+7", "7" },          { "007", "7" },
    { "0x1F", "31" },       { "0o17", "15" },      { "1.5", "1.5" },       { ".5", "0.5" },
    { "1.", "1.0" },        { "1e3", "1000.0" },   { "-1E-2", "-0.01" },   { "true", "true" },
    { "FALSE", "false" },   { "null", "null" },    { "~", "null" },        { "''", "\"\"" },
    { "yes", "\"yes\"" },   { "off", "\"off\"" },  { "tRUE", "\"tRUE\"" }, { "1e", "\"1e\"" },
    { ".", "\".\"" },       { "0x", "\"0x\"" },    { "0o8", "\"0o8\"" },   { "-0x1", "\"-0x1\"" },
    { "1_000", "\"1_000\"" }, { "1:30", "\"1:30\"" }, { ".inf", "\".inf\"" }, { "-.NaN", "\"-.NaN\"" },
    { "1e999", "\"1e999\"" }, { "'1'", "\"1\"" }, { "\"true\"", "\"true\"" }, { "2001-01-01", "\"2001-01-01\"" },
    { "9223372036854775807", "9223372036854775807" }, { "-9223372036854775808", "-9223372036854775808" },
    { "9223372036854775808", "9.2233720368547758e+18" },
};

static void plain_scalars_follow_the_core_schema(void **state)
{
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        struct buf text = { 0 };
        json_t *value = yaml_to_json(parse(state, scalars[i].text));
        json_canonical(&text, value);
        if (strcmp(text.p, scalars[i].json) != 0
            && !(json_is_real(value) && json_real_value(value) == strtod(scalars[i].json, NULL)))
            fail_msg("%s: got %s, want %s", scalars[i].text, text.p, scalars[i].json);
        json_decref(value);
        buf_release(&text);
    }
}

static void infinities_are_reals_and_collections_are_no_scalars(void **state)
{
    struct yaml *root = parse(state, "[.inf, -.INF, .nan, [1], '1', 1e999]");
    double x;
    long long whole;
    bool flag;

    assert_true(yaml_as_real(root->items[0], &x) && x == INFINITY);
    assert_true(yaml_as_real(root->items[1], &x) && x == -INFINITY);
    assert_true(yaml_as_real(root->items[2], &x) && isnan(x));
    assert_true(yaml_as_real(root->items[5], &x) && x == INFINITY);
    for (int i = 3; i < 5; i++) {
        assert_false(yaml_as_real(root->items[i], &x));
        assert_false(yaml_as_int(root->items[i], &whole));
        assert_false(yaml_as_bool(root->items[i], &flag));
        assert_false(yaml_is_null(root->items[i]));
    }
}

static void values_are_described_in_words(void **state)
{
    static const char *const words[] = { "a map", "a list", "the text 'x'", "the number 3", "true", "null",
                                         "a map", "an empty text", "the text '3'",
                                         "the text 'ääääääääääääääääääää...'" };
    struct yaml *root = parse(state, "[{}, [], x, 3, true, ~, {k: }, '', '3', ääääääääääääääääääääz]");

    for (size_t i = 0; i < root->count; i++)
        assert_string_equal(yaml_describe(*state, root->items[i]), words[i]);
}

/* ---- what is refused ---- */

static const char *message_of(struct arena *a, const char *in, size_t n)
{
    struct yaml *root;

    if (yaml_parse(a, "t.yaml", in, n, &root) == ST_OK)
        return "accepted";
    assert_null(root);
    return arena_strdup(a, fail_message());
}

static void errors_have_place_line_and_caret(void **state)
{
    golden_run("golden_yaml_errors.txt", __FILE__, message_of);
}

static void assert_refused(void **state, const char *text, size_t n, const char *want)
{
    struct yaml *root;

    assert_int_equal(yaml_parse(*state, "t", text, n, &root), ST_CONFIG);
    if (strncmp(fail_message(), want, strlen(want)) != 0)
        fail_msg("got  %s\nwant %s", fail_message(), want);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    assert_refused(state, "a: 1\nb: \0\n", 10, "t:2:4: the control character U+0000 is not allowed\n  b: ?\n     ^");
    assert_refused(state, "a: \x1b[31m", 8, "t:1:4: the control character U+001B is not allowed\n  a: ?[31m\n     ^");
    assert_refused(state, "a: \x7f", 4, "t:1:4: the control character U+007F");
    assert_refused(state, "\xC2\x9B", 2, "t:1:1: the control character U+009B");
    assert_refused(state, "ä: \xff\xfe", 6, "t:1:4: the byte 0xFF is not UTF-8\n  ä: ??\n     ^");
    assert_refused(state, "a: \xed\xa0\x80", 6, "t:1:4: the byte 0xED is not UTF-8");
    assert_refused(state, "a: x\xEF\xBB\xBF", 7, "t:1:5: the control character U+FEFF");
    assert_refused(state, "a: x\xE2\x80\xA8y", 8,
                   "t:1:5: U+2028 is not allowed as it stands; write \"\\u2028\" in double quotes\n  a: x");
    assert_refused(state, "a: \xC2\x85", 5, "t:1:4: U+0085 is not allowed as it stands");
    assert_json(parse(state, "\"\\u2028\\x85\""), "\"\xE2\x80\xA8\xC2\x85\"");
    assert_refused(state, "\xFF\xFE" "a\0", 4, "t:1:1: the byte 0xFF is not UTF-8");
}

static void a_key_must_have_text(void **state)
{
    assert_refused(state, "?\n: 2\n", 6, "t:1:2: want a key in front of ':'");
    assert_ok(yaml_parse(*state, "t", "'': 2\n", 6, &(struct yaml *){ NULL }));
}

/* n times `open`, a value, n times `close`. */
static void nested(struct buf *b, size_t n, const char *open, const char *close)
{
    buf_clear(b);
    for (size_t i = 0; i < n; i++)
        buf_adds(b, open);
    buf_adds(b, "x");
    for (size_t i = 0; i < n; i++)
        buf_adds(b, close);
}

static void depth_is_limited_and_deep_text_is_refused_quickly(void **state)
{
    struct buf b = { 0 };
    struct yaml *root;

    nested(&b, 64, "[", "]");
    assert_ok(yaml_parse(*state, "t", b.p, b.n, &root));
    nested(&b, 65, "[", "]");
    assert_refused(state, b.p, b.n, "t:1:65: nested deeper than 64");
    nested(&b, 1000000, "[", "]");
    assert_refused(state, b.p, b.n, "t:1:65: nested deeper than 64");
    nested(&b, 500000, "{a: ", "}");
    assert_refused(state, b.p, b.n, "t:1:257: nested deeper than 64");
    nested(&b, 1000000, "- ", "");
    assert_refused(state, b.p, b.n, "t:1:129: nested deeper than 64");
    nested(&b, 1000000, "? ", "");
    assert_refused(state, b.p, b.n, "t:1:3: a key must be a word, found a map");
    buf_release(&b);
}

static void size_is_limited(void **state)
{
    size_t limit = 4u << 20;
    char *text = mem_alloc(limit + 1);
    struct yaml *root;

    memset(text, ' ', limit + 1);
    assert_ok(yaml_parse(*state, "t", text, limit, &root));
    assert_refused(state, text, limit + 1, "t: 4194305 bytes of YAML, want at most 4194304");
    free(text);
}

static void a_map_of_many_keys_is_no_trouble(void **state)
{
    struct buf b = { 0 };
    struct yaml *root;

    for (int i = 0; i < 200000; i++)
        buf_printf(&b, "k%d: %d\n", i, i);
    assert_ok(yaml_parse(*state, "t", b.p, b.n, &root));
    assert_int_equal(root->count, 200000);
    buf_adds(&b, "k77: again\n");
    assert_refused(state, b.p, b.n, "t:200001:1: the key 'k77' is given twice; first on line 78\n");
    buf_release(&b);
}

static void files_are_read_and_named(void **state)
{
    char path[] = "/tmp/test_yaml_XXXXXX";
    int fd = mkstemp(path);
    char want[128];
    struct yaml *root;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a: [", 4), 4);
    close(fd);
    assert_int_equal(yaml_read_file(*state, path, &root), ST_CONFIG);
    snprintf(want, sizeof want, "%s:1:4: this '[' is never closed", path);
    assert_memory_equal(fail_message(), want, strlen(want));
    unlink(path);
    assert_int_not_equal(yaml_read_file(*state, path, &root), ST_OK);
    assert_null(root);
}

static void a_word_of_the_command_line_has_a_name_and_no_place(void **state)
{
    struct yaml *word = yaml_word(*state, "--vocab", "abc");

    assert_int_equal(yaml_fail(word, "want %d", 3), ST_CONFIG);
    assert_string_equal(fail_message(), "--vocab: want 3");
    word->source = NULL;
    yaml_fail(word, "want %d", 3);
    assert_string_equal(fail_message(), "want 3");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(collections_and_scalars_become_a_tree),
        TEST(every_node_knows_its_place),
        TEST(places_count_lines_as_libyaml_does),
        TEST(plain_scalars_follow_the_core_schema),
        TEST(infinities_are_reals_and_collections_are_no_scalars),
        TEST(values_are_described_in_words),
        TEST(errors_have_place_line_and_caret),
        TEST(bytes_that_are_no_text_are_refused),
        TEST(a_key_must_have_text),
        TEST(depth_is_limited_and_deep_text_is_refused_quickly),
        TEST(size_is_limited),
        TEST(a_map_of_many_keys_is_no_trouble),
        TEST(files_are_read_and_named),
        TEST(a_word_of_the_command_line_has_a_name_and_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
