#include "tests/curate/one_file.h"

static void rows_become_documents_with_ids_and_metadata(void **state)
{
    reads("t.csv", "text: note, id: key, metadata: [ward, 'odd \"name\"']",
          "key,ward,note,\"odd \"\"name\"\"\"\r\n1,A,\"first, with comma\",x\r\n2,B,\"two\r\nlines \"\"quoted\"\"\",\r\n",
          "t.csv#2 = 1: first, with comma {\"kind\":\"table\",\"ward\":\"A\",\"odd \\\"name\\\"\":\"x\"}\n"
          "t.csv#3 = 2: two\r\\nlines \"quoted\" {\"kind\":\"table\",\"ward\":\"B\",\"odd \\\"name\\\"\":\"\"}\n");
    reads("t.csv", "text: [q, a], metadata: all", "n,q,a\n1,why,so\n2,,alone\n",
          "t.csv#2: why\\n\\nso {\"kind\":\"table\",\"n\":\"1\"}\nt.csv#3: alone {\"kind\":\"table\",\"n\":\"2\"}\n");
    reads("t.csv", "text: [q, a], join: ' / '", "n,q,a\n1,why,so\n", "t.csv#2: why / so\n");
}

static void the_text_column_is_named_or_called_text(void **state)
{
    reads("t.csv", "", "id,Text\n7,words\n", "t.csv#2: words\n");
    reads("t.csv", "", "id,body\n7,words\n", "! text_not_named 1 t.csv\n");
    assert_non_null(strstr(read_one("t.csv", "text: bodi", "id,body\n7,words\n", 16, &file_limits),
                           "failed: the table 't.csv' has no column 'bodi', near is 'body'; its columns: 'id', "
                           "'body'"));
    assert_non_null(strstr(read_one("t.csv", "text: body, id: x", "id,body\n7,words\n", 16, &file_limits), "'x'"));
    assert_non_null(strstr(read_one("t.csv", "text: body, metadata: [y]", "id,body\n7,words\n", 16, &file_limits), "'y'"));
}

static void separators_are_found_or_given(void **state)
{
    reads("t.csv", "text: b", "a;b;c, d\n1;x,y;2\n", "t.csv#2: x,y\n");
    reads("t.tsv", "text: b", "a\tb\n1\tx;y,z\n", "t.tsv#2: x;y,z\n");
    reads("t.csv", "text: b", "sep=|\r\na|b\r\n1|x\r\n", "t.csv#3: x\n");
    reads("t.csv", "text: b, separator: ':'", "a:b\n1:x,y;z\n", "t.csv#2: x,y;z\n");
    reads("t.csv", "text: 'a;b'", "\"a;b\",c\nx,y\n", "t.csv#2: x\n");
    assert_non_null(strstr(read_one("t.csv", "text: b, separator: ab", "x", 1, &file_limits), "one character"));
}

static void what_spreadsheets_write_is_read(void **state)
{
    static const char wide[] = "\xff\xfe" "a\0\t\0b\0\r\0\n\0" "1\0\t\0\x16\x20\r\0\n\0";

    reads("t.csv", "text: b", "\xef\xbb\xbf\"a\",b\n1,\xc3\xa9\n", "t.csv#2: \xc3\xa9\n");
    assert_string_equal(read_one("t.csv", "text: b", wide, sizeof wide - 1, &file_limits), "t.csv#2: \xe2\x80\x96\n");
    reads("t.csv", "text: b, encoding: windows-1252", "a,b\n1,caf\xe9 \x93q\x94\n",
          "t.csv#2: caf\xc3\xa9 \xe2\x80\x9cq\xe2\x80\x9d\n");
    reads("t.csv", "text: b", "a,b\n1,x,,\n\n2,y\n", "t.csv#2: x\nt.csv#4: y\n");      /* empty fields, an empty row */
    assert_non_null(strstr(read_one("t.csv", "text: b, encoding: utf-16", "x", 1, &file_limits), "not known"));
}

static void rows_that_do_not_fit_are_counted_with_their_line(void **state)
{
    reads("t.csv", "text: b", "a,b\n1,x\n2\n3,y\n", "t.csv#2: x\nt.csv#4: y\n! bad_table_row 1 t.csv#3\n");
    reads("t.csv", "text: b", "a,b\n1,\"x\ny\"\n2,y,z\n3,q\n", "t.csv#2: x\\ny\nt.csv#5: q\n! bad_table_row 1 t.csv#4\n");
    reads("t.csv", "text: b", "a,b\n1,\"x\"y\n3,q\n", "t.csv#3: q\n! bad_table_row 1 t.csv#2\n");
    reads("t.csv", "text: b", "a,b\n1,x\n2,\"never\nclosed,\n", "t.csv#2: x\n! bad_table_row 1 t.csv#3\n");
    reads("t.csv", "text: b", "a,b\n1, \n2,\n", "! empty 2 t.csv#2\n");
    reads("t.csv", "text: b", "\n\n", "! empty 1 t.csv\n");
    reads("t.csv", "text: b", "a,b\n1,x 5\" y\n", "t.csv#2: x 5\" y\n");
}

static void a_row_that_is_too_long_is_counted_and_the_next_one_read(void **state)
{
    struct source_limits limits = file_limits;
    struct buf b = { 0 };

    limits.max_document = 1000;
    buf_adds(&b, "a,b\n1,");
    for (int i = 0; i < 200000; i++)
        buf_addc(&b, 'x');
    buf_adds(&b, "\n2,y\n");
    assert_string_equal(read_one("t.csv", "text: b", b.p, b.n, &limits), "t.csv#3: y\n! size_limit 1 t.csv#2\n");
    buf_release(&b);
}

static void show_texts(struct buf *out, const json_t *texts)
{
    const json_t *text;
    size_t i;

    buf_clear(out);
    buf_adds(out, "");
    json_array_foreach(texts, i, text) {
        show(out, json_string_value(text));
        buf_addc(out, '\n');
    }
}

/* "t.csv#2: text" without what stands before the text. */
static void keep_texts(struct buf *out, const char *read)
{
    buf_clear(out);
    buf_adds(out, "");
    for (const char *p = read, *end; *p != 0 && (end = strchr(p, '\n')) != NULL; p = end + 1)
        if (*p != '!')
            buf_add(out, strstr(p, ": ") + 2, (size_t)(end + 1 - strstr(p, ": ") - 2));
}

/* Tables that Python's csv wrote, and what it reads of them (golden/tables.py). */
static void tables_are_cut_as_by_python(void **state)
{
    struct buf golden = { 0 }, want = { 0 }, got = { 0 };
    char path[400], options[80];
    int cases = 0;

    snprintf(path, sizeof path, "%s/tests/curate/golden/tables.jsonl", getenv("TUNDISH_SOURCE"));
    assert_ok(file_read(path, 1 << 22, &golden));
    for (char *line = golden.p, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, cases++) {
        const char *csv, *separator;
        json_t *object;

        assert_ok(json_parse(line, (size_t)(end - line), "golden", &object));
        csv = json_text(object, "csv");
        separator = json_text(object, "separator");
        snprintf(options, sizeof options, "text: [a, b, c], join: '~', separator: \"%s\"",
                 *separator == '\t' ? "\\t" : separator);
        show_texts(&want, json_object_get(object, "texts"));
        keep_texts(&got, read_one("t.csv", options, csv, strlen(csv), &file_limits));
        assert_string_equal(got.p, want.p);
        json_decref(object);
    }
    assert_true(cases >= 150);
    buf_release(&golden);
    buf_release(&want);
    buf_release(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_documents_with_ids_and_metadata),
        cmocka_unit_test(the_text_column_is_named_or_called_text),
        cmocka_unit_test(separators_are_found_or_given),
        cmocka_unit_test(what_spreadsheets_write_is_read),
        cmocka_unit_test(rows_that_do_not_fit_are_counted_with_their_line),
        cmocka_unit_test(a_row_that_is_too_long_is_counted_and_the_next_one_read),
        cmocka_unit_test(tables_are_cut_as_by_python),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
