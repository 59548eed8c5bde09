#include "tests/curate/one_file.h"

#include "tests/curate/archives.h"

#define W "<w:document xmlns:w='w' xmlns:mc='m'><w:body>"
static const char body[] =
    "<?xml version='1.0' encoding='UTF-8'?>" W
    "<w:p><w:pPr><w:tabs><w:tab w:val='left'/></w:tabs></w:pPr><w:r><w:t xml:space='preserve'>kept </w:t></w:r>"
    "<w:ins><w:r><w:t>inserted</w:t></w:r></w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
    "<w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom></w:p><w:p/>"
    "<w:p><mc:AlternateContent><mc:Choice><w:r><w:t>once</w:t></w:r></mc:Choice><mc:Fallback><w:r><w:t>twice</w:t>"
    "</w:r></mc:Fallback></mc:AlternateContent><w:r><w:tab/><w:t>a&amp;b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/>"
    "<w:t>d</w:t><w:instrText>PAGE</w:instrText></w:r></w:p>"
    "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>1</w:t></w:r></w:p><w:p><w:r><w:t>2</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc>"
    "<w:tc><w:p><w:r><w:t>3</w:t></w:r></w:p></w:tc></w:tr><w:tr><w:tc><w:p><w:r><w:t>4</w:t></w:r></w:p></w:tc></w:tr>"
    "</w:tbl></w:body></w:document>";
static const char shown[] = "kept inserted\\n\\nonce\ta&b\\nc-d\\n1 2\t\t3\\n4\\n\\nA note.\\n\n";

static void pack_docx(struct buf *out, const char *document)
{
    struct archive *a = pack_begin("zip", NULL, out);

    pack_file(a, "[Content_Types].xml", "<Types/>");
    pack_file(a, "_rels/.rels", "<x/>");
    pack_file(a, "word/footnotes.xml", "<w:footnotes xmlns:w='w'><w:footnote><w:p><w:r><w:t>A note.</w:t></w:r></w:p>"
              "</w:footnote></w:footnotes>");
    if (document != NULL)
        pack_file(a, "word/document.xml", document);
    pack_file(a, "word/header1.xml", "<w:hdr><w:p><w:r><w:t>HEAD</w:t></w:r></w:p></w:hdr>");
    pack_file(a, "docProps/readme.txt", "no document");
    pack_end(a);
}

static void docx_is_one_document(void **state)
{
    struct buf zip = { 0 }, outer = { 0 };
    char want[200];

    pack_docx(&zip, body);
    snprintf(want, sizeof want, "a.docx: %s", shown);
    assert_string_equal(read_one("a.docx", "", zip.p, zip.n, &file_limits), want);
    assert_string_equal(read_one("a.docx", "exclude: '*.docx'", zip.p, zip.n, &file_limits), "");
    pack_one("zip", NULL, "in/b.docx", zip.p, zip.n, &outer);
    snprintf(want, sizeof want, "x.zip!in/b.docx: %s", shown);
    assert_string_equal(read_one("x.zip", "", outer.p, outer.n, &file_limits), want);
    pack_one("ustar", "gzip", "b", zip.p, zip.n, &outer);      /* known by its parts, not by its name */
    snprintf(want, sizeof want, "x.tar.gz!b: %s", shown);
    assert_string_equal(read_one("x.tar.gz", "", outer.p, outer.n, &file_limits), want);
    buf_release(&zip);
    buf_release(&outer);
}

static void damaged_docx_is_told(void **state)
{
    struct source_limits limits = file_limits;
    struct buf zip = { 0 };

    pack_docx(&zip, W "<w:p><w:r><w:t>before</w:t></w:r></w:p><w:p></w:x>");
    assert_string_equal(read_one("a.docx", "", zip.p, zip.n, &file_limits),
                        "a.docx: before\\n\\nA note.\\n\n! bad_xml 1 a.docx!word/document.xml:1: another element is open at the "
                        "closing tag 'w:x'\n");
    pack_docx(&zip, NULL);
    assert_string_equal(read_one("a.docx", "", zip.p, zip.n, &file_limits), "! damaged_archive 1 a.docx\n");
    pack_docx(&zip, W "</w:body></w:document>");
    limits.max_document = 4;
    assert_string_equal(read_one("a.docx", "", zip.p, zip.n, &limits), "! size_limit 1 a.docx\n");
    limits.max_depth = 0;
    assert_string_equal(read_one("a.docx", "", zip.p, zip.n, &limits), "! depth_limit 1 a.docx\n");
    buf_release(&zip);
}

static void bombs_in_docx_are_stopped(void **state)
{
    struct source_limits limits = file_limits;
    struct buf zip = { 0 }, text = { 0 };

    buf_adds(&text, W);
    for (int i = 0; i < 300000; i++)
        buf_adds(&text, "<w:p></w:p>");
    limits.max_ratio = 20;
    pack_docx(&zip, text.p);
    assert_non_null(strstr(read_one("a.docx", "", zip.p, zip.n, &limits), "! ratio_limit 1 a.docx\n"));
    buf_release(&zip);
    buf_release(&text);
}

static void opendocument_text_is_one_document(void **state)
{
    struct buf zip = { 0 };
    struct archive *a = pack_begin("zip", NULL, &zip);

    assert_int_equal(archive_write_zip_set_compression_store(a), ARCHIVE_OK);
    pack_file(a, "mimetype", "application/vnd.oasis.opendocument.text");
    pack_file(a, "content.xml",
              "<o:c xmlns:text='t'><text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
              "<text:h>Title</text:h><text:p>one<text:tab/>two <text:s text:c='2' x:id='7'/>three<text:line-break/>four"
              "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>the note</text:p></text:note-body>"
              "</text:note>  tail</text:p><t:table-row><t:table-cell><text:p>a</text:p></t:table-cell><t:table-cell><text:p>b</text:p>"
              "</t:table-cell></t:table-row></o:c>");
    pack_end(a);
    assert_string_equal(read_one("a.odt", "", zip.p, zip.n, &file_limits),
                        "a.odt: Title\\none\ttwo   three\\nfour tail\\na\tb\\n\\nthe note\\n\n");
    buf_release(&zip);
}

static void sheets_and_slides_are_skipped_and_other_zips_are_archives(void **state)
{
    struct buf zip = { 0 };
    struct archive *a = pack_begin("zip", NULL, &zip);

    pack_file(a, "[Content_Types].xml", "<Types/>");
    pack_file(a, "xl/workbook.xml", "<x/>");
    pack_file(a, "xl/a.txt", "words");
    pack_end(a);
    assert_string_equal(read_one("a.xlsx", "", zip.p, zip.n, &file_limits), "! skipped_kind 1 a.xlsx\n");
    a = pack_begin("zip", NULL, &zip);
    pack_file(a, "word/list.txt", "words");
    pack_end(a);
    assert_string_equal(read_one("a.zip", "", zip.p, zip.n, &file_limits), "a.zip!word/list.txt: words\n");
    buf_release(&zip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(docx_is_one_document),
        cmocka_unit_test(damaged_docx_is_told),
        cmocka_unit_test(bombs_in_docx_are_stopped),
        cmocka_unit_test(opendocument_text_is_one_document),
        cmocka_unit_test(sheets_and_slides_are_skipped_and_other_zips_are_archives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
