#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curate/source/source_kind.h"

static enum content_kind kind_of(const char *name, const char *p, size_t n)
{
    return content_of((struct span){ p, n }, true, name).kind;
}

static void content_decides_before_the_name(void **state)
{
    static const struct {
        const char *name, *text;
        enum content_kind want;
    } cases[] = {
        { "a.txt", "plain words", CONTENT_TEXT },
        { "a", "", CONTENT_EMPTY },
        { "a.html", " \n\t ", CONTENT_EMPTY },
        { "a.txt", "<!DOCTYPE html><p>x", CONTENT_HTML },
        { "README.md", "<!doctype HTML><p>x", CONTENT_HTML },
        { "a", "<?xml version='1.0'?>\n<!-- c -->\n<html><p>x", CONTENT_HTML },
        { "a", "\xef\xbb\xbf  <html>", CONTENT_HTML },
        { "frag.html", "a fragment <b>of</b> HTML", CONTENT_HTML },
        { "frag.html", "no markup at all", CONTENT_TEXT },
        { "README.md", "<p align=center>x</p>\n# Title", CONTENT_MARKDOWN },
        { "a.MD", "# Title", CONTENT_MARKDOWN },
        { "a.html", "<?xml version='1.0'?><svg/>", CONTENT_HTML },
        { "a.svg", "<?xml version='1.0'?><svg/>", CONTENT_SKIPPED },
        { "a", "<?xml version='1.0'?><book/>", CONTENT_XML },
        { "a", "<!DOCTYPE book>", CONTENT_SKIPPED },
        { "a.css", "p { }", CONTENT_SKIPPED },
        { "a.min.js", "var a;", CONTENT_SKIPPED },
        { "ls.1", ".TH LS 1\n.SH NAME", CONTENT_SKIPPED },
        { "ls.1", ".\\\" generated\n.TH LS 1", CONTENT_SKIPPED },
        { "notes.1", "the first note", CONTENT_TEXT },
        { "a", "{\"text\": 1}\n{\"text\": 2}\n", CONTENT_JSONL },
        { "a.json", "{\"text\": 1}\n{\"text\": 2}\n", CONTENT_JSONL },
        { "a.jsonl", "{\"text\": 1}", CONTENT_JSONL },
        { "a.jsonl", "not a line of JSON", CONTENT_TEXT },
        { "a.json", "{\"text\": 1}", CONTENT_JSON },
        { "a.json", " [\n{\"text\": 1}]", CONTENT_JSON_LIST },
        { "a.json", "[1]", CONTENT_SKIPPED },
        { "a.json", "{\n\"text\": 1\n}", CONTENT_JSON },
        { "a", "{ a set }\nof words", CONTENT_TEXT },
        { "a.c", "int main(void) { return 0; }", CONTENT_TEXT },
        { "css", "a file called css", CONTENT_TEXT },
        { "a", "%PDF-1.4\n", CONTENT_BINARY },
        { "a.txt", "GIF89a", CONTENT_BINARY },
        { "a.txt", "control \1\2\3\4 characters", CONTENT_BINARY },
        { "a.txt", "over\b\b\b\bstruck \x1b[1mbold\x1b[0m \f", CONTENT_TEXT },
        { "a.txt", "!<arch>\nrest", CONTENT_ARCHIVE },
        { "a.txt", "PK\3\4rest", CONTENT_ARCHIVE },
        { "a", "Latin-1 caf\xe9 is text", CONTENT_TEXT },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (kind_of(cases[i].name, cases[i].text, strlen(cases[i].text)) != cases[i].want)
            fail_msg("%s '%s' is kind %d, want %d", cases[i].name, cases[i].text,
                     kind_of(cases[i].name, cases[i].text, strlen(cases[i].text)), cases[i].want);
}

static void magic_bytes_name_the_reader(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        enum archive_form want;
    } cases[] = {
        { "\x1f\x8b\x08\0......", 10, ARCHIVE_GZIP },
        { "\x1f\x8b\x08\x1c......\2\0xxname\0comment\0", 27, ARCHIVE_GZIP },
        { "\x1f\x8b\x08\x08......endless name", 22, ARCHIVE_NONE },
        { "\xfd" "7zXZ\0", 6, ARCHIVE_XZ },
        { "\x28\xb5\x2f\xfd", 4, ARCHIVE_ZSTD },
        { "\x5a\x2a\x4d\x18\2\0\0\0..\x50\x2a\x4d\x18\0\0\0\0\x28\xb5\x2f\xfd", 22, ARCHIVE_ZSTD },
        { "\x50\x2a\x4d\x18\0\0\0\0\x04\x22\x4d\x18", 12, ARCHIVE_LZ4 },
        { "\x50\x2a\x4d\x18\xff\xff\xff\xff\x04\x22\x4d\x18", 12, ARCHIVE_NONE },
        { "BZh91AY&SY", 10, ARCHIVE_BZIP2 },
        { "7z\xbc\xaf\x27\x1c", 6, ARCHIVE_7Z },
        { "Rar!\x1a\x07\0", 7, ARCHIVE_RAR },
        { "Rar!\x1a\x07\x01\0", 8, ARCHIVE_RAR5 },
        { "070701....", 10, ARCHIVE_CPIO },
        { "MSCF\0\0\0\0", 8, ARCHIVE_CAB },
        { "..-lh5-.............\2.", 22, ARCHIVE_LHA },
        { "BZhello there", 13, ARCHIVE_NONE },
        { "7zip is a program", 17, ARCHIVE_NONE },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(content_of((struct span){ cases[i].bytes, cases[i].n }, true, "x").form, cases[i].want);
}

static void a_tar_without_magic_is_known_by_its_checksum(void **state)
{
    char header[512] = "file";
    unsigned sum = 0;

    memset(header + 148, ' ', 8);
    for (int i = 0; i < 512; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    assert_int_equal(content_of((struct span){ header, 512 }, false, "x").form, ARCHIVE_TAR);
    header[0] = 'F';
    assert_int_equal(kind_of("x", header, 512), CONTENT_BINARY);
    memset(header, 0, 512);
    assert_int_equal(kind_of("x", header, 512), CONTENT_BINARY);
}

#define assert_narrow(bytes, want)                                           \
    do {                                                                     \
        struct buf out_ = { 0 };                                             \
        assert_int_equal(kind_of("x", bytes, sizeof bytes - 1), CONTENT_WIDE); \
        content_narrow((struct span){ bytes, sizeof bytes - 1 }, &out_);     \
        assert_string_equal(out_.p, "\xef\xbb\xbf" want);                    \
        buf_release(&out_);                                                  \
    } while (0)

static void wide_text_becomes_utf8(void **state)
{
    assert_narrow("\xff\xfe" "a\0\xe9\0", "a\xc3\xa9");
    assert_narrow("\xfe\xff\0a\x20\xac", "a\xe2\x82\xac");
    assert_narrow("\xff\xfe\x3d\xd8\x00\xde", "\xf0\x9f\x98\x80");
    assert_narrow("\xff\xfe\0\0a\0\0\0", "a");
    assert_narrow("\0\0\xfe\xff\0\1\xf6\0", "\xf0\x9f\x98\x80");
    /* half of a pair, a pair the wrong way round, a cut unit, a number beyond Unicode */
    assert_narrow("\xff\xfe\x3d\xd8" "a\0", "\xef\xbf\xbd" "a");
    assert_narrow("\xff\xfe\x00\xde\x3d\xd8", "\xef\xbf\xbd\xef\xbf\xbd");
    assert_narrow("\xff\xfe" "a\0b", "a\xef\xbf\xbd");
    assert_narrow("\0\0\xfe\xff\0\x11\0\0", "\xef\xbf\xbd");
}

static void utf_16_without_a_mark_is_known_by_its_units(void **state)
{
    static const char *const texts[] = { "Take one tablet a day.\r\n", "\xd0\x94\xd0\xb2\xd0\xb0 \xd1\x80\xd0\xb0\xd0\xb7\xd0\xb0 "
                                         "\xd0\xb2 \xd0\xb4\xd0\xb5\xd0\xbd\xd1\x8c" };
    static const unsigned units[2][32] = {
        { 'T', 'a', 'k', 'e', ' ', 'o', 'n', 'e', ' ', 't', 'a', 'b', 'l', 'e', 't', ' ', 'a', ' ', 'd', 'a', 'y', '.', '\r', '\n' },
        { 0x414, 0x432, 0x430, ' ', 0x440, 0x430, 0x437, 0x430, ' ', 0x432, ' ', 0x434, 0x435, 0x43d, 0x44c },
    };
    char bytes[64], numbers[64];

    for (int text = 0; text < 2; text++)
        for (int big = 0; big < 2; big++) {
            struct buf out = { 0 }, want = { 0 };
            size_t n = 0;

            for (int twice = 0; twice < 1 + text; twice++)
                for (int i = 0; units[text][i]; i++, n += 2) {
                    bytes[n + !big] = (char)(units[text][i] >> 8);
                    bytes[n + !!big] = (char)units[text][i];
                }
            buf_printf(&want, "\xef\xbb\xbf%s%s", texts[text], text ? texts[text] : "");
            assert_int_equal(kind_of("x", bytes, n), CONTENT_WIDE);
            content_narrow((struct span){ bytes, n }, &out);
            assert_string_equal(out.p, want.p);
            assert_int_equal(kind_of("x", bytes, 30), CONTENT_BINARY);      /* too little to tell */
            bytes[big ? 8 : 9] = (char)0xdc;                                                       /* half of a pair */
            assert_int_equal(kind_of("x", bytes, n), CONTENT_BINARY);
            buf_release(&out);
            buf_release(&want);
        }
    for (int i = 0; i < 32; i++) {                 /* small numbers */
        numbers[2 * i] = (char)(i * 7);
        numbers[2 * i + 1] = 0;
    }
    assert_int_equal(kind_of("x", numbers, sizeof numbers), CONTENT_BINARY);
}

static void a_compressions_ending_comes_off_a_name(void **state)
{
    assert_int_equal(content_bare_name("a.txt.gz"), 5);
    assert_int_equal(content_bare_name("a.jsonl.ZST"), 7);
    assert_int_equal(content_bare_name("a.tgz"), 5);
    assert_int_equal(content_bare_name(".gz"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_decides_before_the_name),
        cmocka_unit_test(magic_bytes_name_the_reader),
        cmocka_unit_test(a_tar_without_magic_is_known_by_its_checksum),
        cmocka_unit_test(wide_text_becomes_utf8),
        cmocka_unit_test(utf_16_without_a_mark_is_known_by_its_units),
        cmocka_unit_test(a_compressions_ending_comes_off_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
