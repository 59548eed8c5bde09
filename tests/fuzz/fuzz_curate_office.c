/* Any bytes as the main part of a DOCX (even first byte) or ODT file: a zip is made around it. */
#include "tests/fuzz/curate_memory.h"
#include "tests/fuzz/fuzz_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void add_uint(struct buf *b, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_addc(b, (char)(i < 4 ? v >> (8 * i) & 0xff : 0));
}

static uint32_t crc32_of(const void *p, size_t n)
{
    const unsigned char *s = p;
    uint32_t c = 0xffffffff;

    for (size_t i = 0; i < n; i++) {
        c ^= s[i];
        for (int k = 0; k < 8; k++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
    }
    return ~c;
}

/* A stored member with its entry in the directory. */
static void add_member(struct buf *zip, struct buf *directory, const char *name, const void *p, size_t n)
{
    uint32_t at = (uint32_t)zip->n, crc = crc32_of(p, n);

    buf_add(zip, "PK\3\4\x14\0\0\0\0\0\0\0\0\0", 14);
    buf_add(directory, "PK\1\2\x14\0\x14\0\0\0\0\0\0\0\0\0", 16);
    for (int i = 0; i < 2; i++) {
        struct buf *b = i ? directory : zip;

        add_uint(b, crc, 4);
        add_uint(b, (uint32_t)n, 4);
        add_uint(b, (uint32_t)n, 4);
        add_uint(b, (uint32_t)strlen(name), 2);
        add_uint(b, 0, 2);
    }
    add_uint(directory, 0, 10);
    add_uint(directory, 0, 0);
    add_uint(directory, at, 4);
    buf_adds(zip, name);
    buf_adds(directory, name);
    buf_add(zip, p, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct buf zip = { 0 }, directory = { 0 };
    bool odt = n > 0 && (p[0] & 1);
    uint32_t at;

    if (odt) {
        add_member(&zip, &directory, "mimetype", "application/vnd.oasis.opendocument.text", 39);
        add_member(&zip, &directory, "content.xml", p + 1, n - 1);
    } else {
        add_member(&zip, &directory, "[Content_Types].xml", "<T/>", 4);
        add_member(&zip, &directory, "word/document.xml", p + (n > 0), n - (n > 0));
        add_member(&zip, &directory, "word/footnotes.xml", p + n / 2, n - n / 2);
    }
    at = (uint32_t)zip.n;
    buf_add(&zip, directory.p, directory.n);
    buf_add(&zip, "PK\5\6\0\0\0\0", 8);
    add_uint(&zip, odt ? 2 : 3, 2);
    add_uint(&zip, odt ? 2 : 3, 2);
    add_uint(&zip, (uint32_t)directory.n, 4);
    add_uint(&zip, at, 4);
    add_uint(&zip, 0, 2);
    CHECK(read_bytes(zip.p, zip.n) <= 1);
    buf_release(&zip);
    buf_release(&directory);
    return 0;
}
