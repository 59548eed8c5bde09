/* JSON files with many documents: lists, objects of objects, one object; what is odd in them; limits. */
#include "tests/curate/one_file.h"

static void a_list_gives_its_objects(void **state)
{
    reads("a.json", "text: q", "\xef\xbb\xbf [ {\"q\": \"o\\\"n}e\", \"id\": 7},\n{\"q\": \"two\", \"x\": [{}, \"]\"]}, {}, {\"q\": \" \"}]\nrest",
          "a.json#1 = 7: o\"n}e\na.json#2: two\n! empty 1 a.json#4\n! bad_jsonl_line 1 a.json#3\n");
    reads("a.json", "text: [q, a], join: ' - ', id: n", "[{\"q\": \"Q\", \"a\": \"A\", \"n\": \"n1\"}]", "a.json#1 = n1: Q - A\n");
    reads("a.json", "", "[{\"q\": \"one\"}]", "! text_not_named 1 a.json\n");
    reads("a.json", "text: q", "[\"q\", 1]", "! skipped_kind 1 a.json\n");
}

static void odd_elements_and_ends_are_told_once(void **state)
{
    reads("a.json", "text: q", "[{\"q\": \"one\"}, 1, null, \"s\", [{\"q\": \"in\"}], {\"q\": \"two\"}]",
          "a.json#1: one\na.json#2: two\n! bad_jsonl_line 1 a.json\n");
    reads("a.json", "text: q", "[{\"q\": \"one\"}, {\"q\": \"tw", "a.json#1: one\n! bad_jsonl_line 1 a.json\n");
    reads("a.json", "text: q", "[{\"q\": \"one\"}, {\"q\": \"two\"]}]", "a.json#1: one\n! bad_jsonl_line 1 a.json#2\n");
    reads("a.json", "text: q", "[{\"q\": \"one\"}", "a.json#1: one\n! bad_jsonl_line 1 a.json\n");
}

static void an_object_is_a_document_or_has_some(void **state)
{
    reads("a.json", "text: q", "{\n  \"q\": \"one\",\n  \"more\": {\"q\": \"no\"}\n}", "a.json: one\n");
    reads("a.json", "text: q", "{\"21\": {\"q\": \"one\"}, \"\\u00e9\\\"\": {\"q\": \"two\"}, \"n\": {\"q\": \"three\", \"id\": \"own\"}}",
          "a.json#1 = 21: one\na.json#2 = \xc3\xa9\": two\na.json#3 = own: three\n");
    reads("a.json", "text: q", "{\"version\": \"1\", \"21\": {\"q\": \"one\"}}", "a.json#1 = 21: one\n! bad_jsonl_line 1 a.json\n");
    reads("a.json", "", "{\"q\": \"one\"}", "! skipped_kind 1 a.json\n");
}

static void limits_hold(void **state)
{
    struct source_limits limits = file_limits;
    struct buf b = { 0 };

    limits.max_document = 100000;
    buf_adds(&b, "[{\"q\": \"one\"}, {\"q\": \"");
    for (int i = 0; i < 200000; i++)
        buf_addc(&b, 'a');
    buf_adds(&b, "\"}, {\"q\": \"three\"}]");
    assert_string_equal(read_one("a.json", "text: q", b.p, b.n, &limits), "a.json#1: one\na.json#3: three\n! size_limit 1 a.json#2\n");
    b.p[0] = '{';
    assert_string_equal(read_one("a.json", "text: q", b.p, b.n, &limits), "! size_limit 1 a.json\n");
    buf_clear(&b);
    for (int i = 0; i < 1000000; i++)
        buf_adds(&b, "[{\"a\":");
    assert_string_equal(read_one("a.json", "text: q", b.p, b.n, &limits), "! bad_jsonl_line 1 a.json\n");
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_gives_its_objects),
        cmocka_unit_test(odd_elements_and_ends_are_told_once),
        cmocka_unit_test(an_object_is_a_document_or_has_some),
        cmocka_unit_test(limits_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
