#include "tests/curate/one_file.h"

static const char qa[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- <Answer>no</Answer> -->\n"
    "<Document id=\"9\" url=\"u\"><Focus>F &amp; G</Focus><QAPairs>\n"
    "<QAPair pid=\"1\"><Question>Why?</Question><Answer>Since\n it <b>is</b>.</Answer></QAPair>\n"
    "<QAPair pid=\"2\"><Answer/></QAPair>\n"
    "<QAPair pid=\"3\"><Question>What</Question><Answer><![CDATA[a < b]]> &#233;&nbsp;&#xE9;</Answer></QAPair>"
    "</QAPairs></Document>";

static void chosen_elements_become_documents(void **state)
{
    reads("d.xml", "elements: Answer", qa, "d.xml#1: Since it is.\nd.xml#3: a < b \xc3\xa9\xc2\xa0\xc3\xa9\n! empty 1 d.xml#2\n");
    reads("d.xml", "elements: [QAPair/Answer], id: '@id/@pid', metadata: [Focus, Question, '@url']", qa,
          "d.xml#1 = 9/1: Since it is. {\"kind\":\"xml\",\"Focus\":\"F & G\",\"Question\":\"Why?\",\"url\":\"u\"}\n"
          "d.xml#3 = 9/3: a < b \xc3\xa9\xc2\xa0\xc3\xa9 {\"kind\":\"xml\",\"Focus\":\"F & G\",\"Question\":\"What\",\"url\":\"u\"}\n"
          "! empty 1 d.xml#2\n");
    reads("d.xml", "elements: [Document/Answer]", qa, "");
    reads("d.xml", "", qa, "! text_not_named 1 d.xml\n");
}

static void values_hold_as_long_as_their_elements_are_open(void **state)
{
    reads("d.xml", "elements: [d], id: '@i', metadata: [t, '@x']",
          "<r><s x='1'><t>one</t><d i='a'>A</d></s><s><d i='b'>B</d><d>C</d></s></r>",
          "d.xml#1 = a: A {\"kind\":\"xml\",\"t\":\"one\",\"x\":\"1\"}\nd.xml#2 = b: B {\"kind\":\"xml\"}\n"
          "d.xml#3: C {\"kind\":\"xml\"}\n");
    reads("d.xml", "elements: [d], metadata: [title]", "<r><d><title>T</title> text <d>in</d></d></r>",
          "d.xml#1: T\\n\\ntext in {\"kind\":\"xml\",\"title\":\"T\"}\n");
}

static void text_is_block_wise(void **state)
{
    reads("d.xml", "elements: '*'", "<r><title>T</title><para>A <i>b</i><b>c</b>\n d</para><para>E</para></r>",
          "d.xml: T\\n\\nA bc d\\n\\nE\n");
    reads("d.xml", "elements: '*'", "<r><x>A</x><x>B</x><y>in <z>line</z> text</y></r>", "d.xml: A\\nB\\nin line text\n");
    reads("d.xml", "elements: '*'", "<r><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></r>", "d.xml: a\tb\\nc\n");
    reads("d.xml", "elements: '*'", "<n:r xmlns:n='u'><n:p>A</n:p><n:p>B</n:p></n:r>", "d.xml: A\\n\\nB\n");
}

static void encodings_are_as_declared(void **state)
{
    static const char wide[] = "\xff\xfe<\0?\0x\0m\0l\0 \0e\0n\0c\0o\0d\0i\0n\0g\0=\0'\0u\0t\0f\0-\0" "1\0" "6\0'\0?\0>\0"
                               "<\0r\0>\0\xe9\0<\0/\0r\0>\0";

    reads("d.xml", "elements: '*', id: '@i'", "<?xml version='1.0' encoding='ISO-8859-2'?><r i='\xb1'>\xb1&#177;</r>",
          "d.xml = \xc4\x85: \xc4\x85\xc2\xb1\n");
    reads("d.xml", "elements: '*'", "<?xml version='1.0' encoding='Shift_JIS'?><r>\x83\x5c\x93\x5c</r>",
          "d.xml: \xe3\x82\xbd\xe8\xb2\xbc\n");
    reads("d.xml", "elements: '*', encoding: windows-1251", "<r>\xcf\xf0</r>", "d.xml: \xd0\x9f\xd1\x80\n");
    assert_string_equal(read_one("d.xml", "elements: '*'", wide, sizeof wide - 1, &file_limits), "d.xml: \xc3\xa9\n");
    reads("d.xml", "elements: '*'", "<?xml version='1.0' encoding='x-none'?>\n<r>a</r>",
          "! bad_xml 1 d.xml:1: an encoding that is not known: 'x-none'\n");
}

static void damaged_xml_gives_what_came_before(void **state)
{
    reads("d.xml", "elements: d", "<r>\n<d>one</d>\n<d>two</e></r>",
          "d.xml#1: one\n! bad_xml 1 d.xml:3: another element is open at the closing tag 'e'\n");
    reads("d.xml", "elements: d", "<r><d>one</d><d>two",
          "d.xml#1: one\n! bad_xml 1 d.xml:1: the end while an element is open: 'd'\n");
    reads("d.xml", "elements: d", "<r><d>one</d>< d>", "d.xml#1: one\n! bad_xml 1 d.xml:1: a '<' that begins no tag, before ' '\n");
    reads("d.xml", "elements: d", "<r><d>one</d></r><r/>", "d.xml#1: one\n! bad_xml 1 d.xml:1: a second root 'r'\n");
    reads("d.xml", "elements: d", "<!DOCTYPE r>\xef\xbb\xbf<r><d>one</d></r>", "! bad_xml 1 d.xml:1: text outside of the root: '\xef\xbb\xbf'\n");
    reads("d.xml", "elements: d", "\xef\xbb\xbf<!DOCTYPE r>\n<r><d>one</d></r>", "d.xml#1: one\n");
    reads("d.xml", "elements: d", "<r><d a=b>one</d></r>", "! bad_xml 1 d.xml:1: attributes that are none in the tag 'd a=b'\n");
    reads("d.xml", "elements: d", "<r><d>Q & A &unknown; &#0; &amp;amp;</d></r>",
          "d.xml#1: Q & A &unknown; \xef\xbf\xbd &amp;\n");
}

static void entities_never_multiply(void **state)
{
    struct buf b = { 0 };

    reads("d.xml", "elements: '*'", "<!DOCTYPE r [<!-- it's \" --> <!ENTITY me \"M\xc3\xa9 &#38; you\"> <!ENTITY out SYSTEM 'file:///etc/passwd'>"
          "<!ENTITY a '&me;&me;'> <!ENTITY t '<b>x</b>'>]><r>&me; &out; &a; &t;</r>",
          "d.xml: M\xc3\xa9 & you &out; M\xc3\xa9 & youM\xc3\xa9 & you &t;\n");
    buf_adds(&b, "<!DOCTYPE r [<!ENTITY l0 'lol'>");
    for (int i = 1; i < 30; i++)
        buf_printf(&b, "<!ENTITY l%d '&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;'>", i, i - 1, i - 1, i - 1, i - 1, i - 1,
                   i - 1, i - 1, i - 1, i - 1, i - 1);
    buf_adds(&b, "]><r>&l29;</r>");
    assert_string_equal(read_one("d.xml", "elements: '*'", b.p, b.n, &file_limits), "d.xml: &l28;&l28;&l28;&l28;&l28;&l28;&l28;&l28;&l28;&l28;\n");
    buf_release(&b);
}

static void hostile_input_is_linear_and_bounded(void **state)
{
    struct source_limits limits = file_limits;
    struct buf b = { 0 };

    limits.max_document = 100;
    for (int i = 0; i < 100000; i++)
        buf_adds(&b, "<div>");
    assert_non_null(strstr(read_one("d.xml", "elements: d", b.p, b.n, &limits), "too deep"));
    buf_clear(&b);
    buf_adds(&b, "<r><d ");
    for (int i = 0; i < 150000; i++)
        buf_adds(&b, "a='' ");
    buf_adds(&b, ">one</d><d>");
    for (int i = 0; i < 100000; i++)
        buf_adds(&b, "text ");
    buf_adds(&b, "</d><d>three</d></r>");
    assert_string_equal(read_one("d.xml", "elements: d", b.p, b.n, &limits),
                        "d.xml#1: one\nd.xml#3: three\n! size_limit 1 d.xml#2\n");
    buf_clear(&b);
    buf_adds(&b, "<r ");
    for (int i = 0; i < 400000; i++)
        buf_adds(&b, "a='' ");
    assert_non_null(strstr(read_one("d.xml", "elements: d", b.p, b.n, &limits), "1 MiB"));
    buf_clear(&b);
    buf_adds(&b, "<r><");
    for (int i = 0; i < 2000; i++)
        buf_addc(&b, 'n');
    buf_adds(&b, "/></r>");
    assert_non_null(strstr(read_one("d.xml", "elements: d", b.p, b.n, &limits), "1024 bytes"));
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chosen_elements_become_documents),
        cmocka_unit_test(values_hold_as_long_as_their_elements_are_open),
        cmocka_unit_test(text_is_block_wise),
        cmocka_unit_test(encodings_are_as_declared),
        cmocka_unit_test(damaged_xml_gives_what_came_before),
        cmocka_unit_test(entities_never_multiply),
        cmocka_unit_test(hostile_input_is_linear_and_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
