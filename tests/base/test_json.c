#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

static json_t *parse(const char *text)
{
    json_t *value;

    assert_ok(json_parse(text, strlen(text), "t.json", &value));
    return value;
}

static void assert_canonical(const char *in, const char *want)
{
    json_t *value = parse(in);
    struct buf out = { 0 };

    json_canonical(&out, value);
    assert_string_equal(out.p, want);
    buf_release(&out);
    json_decref(value);
}

static void canonical_text_is_sorted_and_tight(void **state)
{
    assert_canonical(" { \"b\" : [ 1 , true, null ], \"a\": {\"z\": 1, \"Z\": 2, \"ä\": 3, \"\": 4} } ",
                     "{\"a\":{\"\":4,\"Z\":2,\"z\":1,\"ä\":3},\"b\":[1,true,null]}");
    assert_canonical("{\"ab\":1,\"a\":2}", "{\"a\":2,\"ab\":1}");
    assert_canonical("[]", "[]");
    assert_canonical("{}", "{}");
    assert_canonical("\"x\"", "\"x\"");
    assert_canonical("[0.1, 1.0, 1e300, -2.5e-7]",
                     "[0.10000000000000001,1.0,1.0000000000000001e+300,-2.4999999999999999e-07]");
    assert_canonical("[-9223372036854775808, 9223372036854775807]",
                     "[-9223372036854775808,9223372036854775807]");
}

static void equal_values_have_one_canonical_form(void **state)
{
    static const char *const pairs[][2] = {
        { "[0.0]", "[-0.0]" }, { "[1e2]", "[100.0]" }, { "\"\\u00e4\\/\"", "\"ä/\"" },
        { "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}" }, { "\"\\u0041\"", "\"A\"" },
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        json_t *a = parse(pairs[i][0]), *b = parse(pairs[i][1]);
        struct buf ta = { 0 }, tb = { 0 };
        assert_true(json_equal(a, b));
        json_canonical(&ta, a);
        json_canonical(&tb, b);
        assert_string_equal(ta.p, tb.p);
        buf_release(&ta);
        buf_release(&tb);
        json_decref(a);
        json_decref(b);
    }
}

static void reals_read_back_as_they_were(void **state)
{
    static const double reals[] = { 0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, 123456789.125, -1e22 };

    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        json_t *value = json_real(reals[i]), *back;
        struct buf out = { 0 };
        json_canonical(&out, value);
        back = parse(out.p);
        assert_true(json_is_real(back));
        assert_true(json_real_value(back) == reals[i]);
        buf_release(&out);
        json_decref(value);
        json_decref(back);
    }
}

static void quotes_escape_and_repair(void **state)
{
    struct buf out = { 0 };

    json_quote(&out, "a\"\\/\b\f\n\r\t\x01\x1f\x7f ä", 15);
    assert_string_equal(out.p, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f ä\"");
    buf_clear(&out);
    json_quote(&out, "x\xffy\0z", 5);
    assert_string_equal(out.p, "\"x\xEF\xBF\xBDy\\u0000z\"");
    buf_clear(&out);
    json_quote(&out, "", 0);
    json_quote(&out, NULL, 0);
    assert_string_equal(out.p, "\"\"\"\"");
    buf_release(&out);
}

static void faults_are_refused_with_a_place(void **state)
{
    static const struct {
        const char *text, *want;
    } faults[] = {
        { "{\"a\": 1,\n \"a\": 2}", "t.json:2:4: duplicate object key" },
        { "{\"a\": }", "t.json:1:7: unexpected token near '}'" },
        { "[1, 2", "t.json:1:5: ']' expected" },
        { "", "t.json:1:0: " },
        { "[1] x", "t.json:1:5: end of file expected" },
        { "[NaN]", "t.json:1:" },
        { "[99999999999999999999]", "t.json:1:21: too big integer" },
        { "[1e999]", "t.json:1:6: real number overflow" },
        { "\"\\u0000\"", "t.json:1:" },
        { "\"\xff\"", "t.json:1:" },
        { "\"\\ud800\"", "t.json:1:" },
    };

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        json_t *value = (json_t *)state;
        assert_int_equal(json_parse(faults[i].text, strlen(faults[i].text), "t.json", &value), ST_FORMAT);
        assert_null(value);
        if (strncmp(fail_message(), faults[i].want, strlen(faults[i].want)) != 0)
            fail_msg("%s: got %s, want %s", faults[i].text, fail_message(), faults[i].want);
    }
}

static void deep_nesting_is_refused(void **state)
{
    size_t n = 1000000;
    char *text = mem_alloc(n);
    json_t *value;

    memset(text, '[', n);
    assert_int_equal(json_parse(text, n, "t.json", &value), ST_FORMAT);
    free(text);
}

static void files_are_pretty_and_read_back(void **state)
{
    char folder[] = "/tmp/test_json_XXXXXX", path[64];
    json_t *value = parse("{\"b\": [1, {\"y\": 0.1, \"x\": []}], \"a\": {}}"), *back;
    struct buf text = { 0 };

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/m.json", folder);
    assert_ok(json_write_file(path, value));
    assert_ok(file_read(path, 4096, &text));
    assert_string_equal(text.p, "{\n  \"a\": {},\n  \"b\": [\n    1,\n    {\n      \"x\": [],\n"
                                "      \"y\": 0.1\n    }\n  ]\n}\n");
    assert_ok(json_read_file(path, &back));
    assert_true(json_equal(value, back));
    json_decref(value);
    json_decref(back);
    buf_release(&text);
    assert_ok(file_remove_tree(folder));
    assert_int_not_equal(json_read_file(path, &back), ST_OK);
    assert_null(back);
    assert_non_null(strstr(fail_message(), path));
}

static void members_are_typed(void **state)
{
    json_t *o = parse("{\"i\": 3, \"r\": 2.5, \"s\": \"x\", \"n\": null}");
    int64_t whole;
    double real;
    const char *text;

    assert_ok(json_get_int(o, "i", "m.json", &whole));
    assert_int_equal(whole, 3);
    assert_ok(json_get_real(o, "r", "m.json", &real));
    assert_true(real == 2.5);
    assert_ok(json_get_real(o, "i", "m.json", &real));
    assert_true(real == 3);
    assert_ok(json_get_str(o, "s", "m.json", &text));
    assert_string_equal(text, "x");

    assert_int_equal(json_get_int(o, "r", "m.json", &whole), ST_FORMAT);
    assert_string_equal(fail_message(), "m.json: the key 'r' wants an integer, found a number with a fraction");
    assert_int_equal(json_get_str(o, "n", "m.json", &text), ST_FORMAT);
    assert_string_equal(fail_message(), "m.json: the key 'n' wants a string, found null");
    assert_int_equal(json_get_real(o, "q", "m.json", &real), ST_FORMAT);
    assert_string_equal(fail_message(), "m.json: the key 'q' is missing (want a number)");
    assert_int_equal(json_get_int(json_object_get(o, "s"), "q", "m.json", &whole), ST_FORMAT);
    assert_string_equal(fail_message(), "m.json: want an object with the key 'q', found a string");
    assert_int_equal(json_get_int(NULL, "q", "m.json", &whole), ST_FORMAT);
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_text_is_sorted_and_tight),
        cmocka_unit_test(equal_values_have_one_canonical_form),
        cmocka_unit_test(reals_read_back_as_they_were),
        cmocka_unit_test(quotes_escape_and_repair),
        cmocka_unit_test(faults_are_refused_with_a_place),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(files_are_pretty_and_read_back),
        cmocka_unit_test(members_are_typed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
