#include "curate/source/source_kind.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/cursor.h"

#define SNIFF 8192      /* bytes looked at for control characters and for the shape of text */
#define BARE_UNITS 16    /* of UTF-16 that nothing says to be: fewer may be anything */

struct magic {
    size_t offset;
    const char *bytes;
    size_t n;
    enum archive_form form;      /* ARCHIVE_NONE: another binary format */
};
#define MAGIC(offset, text, form) { offset, text, sizeof(text) - 1, form }

/* Earlier rows win. */
static const struct magic magics[] = {
    MAGIC(0, "\xfd"
             "7zXZ\0", ARCHIVE_XZ),
    MAGIC(0, "\x28\xb5\x2f\xfd", ARCHIVE_ZSTD),
    MAGIC(0, "\x04\x22\x4d\x18", ARCHIVE_LZ4),
    MAGIC(0, "\x02\x21\x4c\x18", ARCHIVE_LZ4),                  /* its first format */
    MAGIC(0, "LZIP\0", ARCHIVE_LZIP),
    MAGIC(0, "LZIP\x01", ARCHIVE_LZIP),
    MAGIC(0, "\x1f\x9d", ARCHIVE_COMPRESS),
    MAGIC(0, "\x5d\0\0", ARCHIVE_LZMA),
    MAGIC(0, "\xed\xab\xee\xdb", ARCHIVE_RPM),
    MAGIC(0, "PK\3\4", ARCHIVE_ZIP),
    MAGIC(0, "PK\5\6", ARCHIVE_ZIP),                            /* no member */
    MAGIC(0, "!<arch>\n", ARCHIVE_AR),
    MAGIC(0, "7z\xbc\xaf\x27\x1c", ARCHIVE_7Z),
    MAGIC(0, "Rar!\x1a\x07\x01\0", ARCHIVE_RAR5),
    MAGIC(0, "Rar!\x1a\x07\0", ARCHIVE_RAR),
    MAGIC(0, "070701", ARCHIVE_CPIO),
    MAGIC(0, "070702", ARCHIVE_CPIO),
    MAGIC(0, "070707", ARCHIVE_CPIO),
    MAGIC(0, "\xc7\x71", ARCHIVE_CPIO),
    MAGIC(0, "\x71\xc7", ARCHIVE_CPIO),
    MAGIC(0, "MSCF\0\0\0\0", ARCHIVE_CAB),
    MAGIC(0, "xar!\0", ARCHIVE_XAR),
    MAGIC(32769, "CD001", ARCHIVE_ISO),
    MAGIC(0, "\x7f"
             "ELF", ARCHIVE_NONE),
    MAGIC(0, "\x89PNG\r\n\x1a\n", ARCHIVE_NONE),
    MAGIC(0, "\xff\xd8\xff", ARCHIVE_NONE),                     /* JPEG */
    MAGIC(0, "GIF8", ARCHIVE_NONE),
    MAGIC(0, "RIFF", ARCHIVE_NONE),                             /* WebP, WAV, AVI */
    MAGIC(0, "%PDF-", ARCHIVE_NONE),
    MAGIC(0, "\xca\xfe\xba\xbe", ARCHIVE_NONE),                 /* Java class, Mach-O */
    MAGIC(0, "\0asm", ARCHIVE_NONE),
    MAGIC(0, "wOFF", ARCHIVE_NONE),
    MAGIC(0, "wOF2", ARCHIVE_NONE),
    MAGIC(0, "OggS", ARCHIVE_NONE),
    MAGIC(0, "fLaC", ARCHIVE_NONE),
    MAGIC(0, "ID3\x02", ARCHIVE_NONE),
    MAGIC(0, "ID3\x03", ARCHIVE_NONE),
    MAGIC(0, "ID3\x04", ARCHIVE_NONE),
    MAGIC(0, "SQLite format 3\0", ARCHIVE_NONE),
    MAGIC(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ARCHIVE_NONE), /* old Office files */
    MAGIC(0, "PAR1", ARCHIVE_NONE),                             /* Parquet */
    MAGIC(0, "GGUF", ARCHIVE_NONE),
    MAGIC(0, "# Sphinx inventory version ", ARCHIVE_NONE),      /* a text line, then zlib */
};

/* Markup and listings that begin like this are not read. Man pages (troff) are among them:
 * their requests and escapes are not prose, and the packages that matter carry the same pages
 * as HTML or text. */
static const char *const skipped_starts[] = {
    "<?xml", "<!DOCTYPE", "<svg", "<?php", "{\\rtf", "%!PS", "-----BEGIN ", "filedesc://",
    "application/epub+zip", "application/vnd.",     /* an EPUB's or OpenDocument's first member */
    ".\\\"", "'\\\"", ".TH ", ".Dd ", ".so ", NULL,
};

/* Endings of text that is not read: styles, scripts, data, translations. */
static const char *const skipped_endings[] = {
    ".css", ".js", ".mjs", ".map", ".svg", ".json", ".xml", ".xsl", ".xslt", ".xsd", ".dtd",
    ".po", ".pot", ".md5sums", ".sha256sums", ".asc", ".ps", ".eps", ".rtf", NULL,
};
static const char *const markdown_endings[] = { ".md", ".markdown", ".mdown", ".mkd", NULL };
static const char *const html_endings[] = { ".html", ".htm", ".xhtml", ".xht", NULL };
static const char *const jsonl_endings[] = { ".jsonl", ".ndjson", ".jsonlines", NULL };
static const char *const json_endings[] = { ".json", NULL };
static const char *const xml_endings[] = { ".xml", NULL };
static const char *const table_endings[] = { ".csv", ".tsv", ".tab", NULL };
static const char *const compressed_endings[] = {
    ".gz", ".xz", ".zst", ".bz2", ".lz4", ".lz", ".lzma", ".Z", NULL,
};

static size_t ending_length(const char *name, const char *const *endings)
{
    size_t n = strlen(name);

    for (; *endings != NULL; endings++) {
        size_t m = strlen(*endings);
        if (n > m && strcasecmp(name + n - m, *endings) == 0)
            return m;
    }
    return 0;
}

size_t content_bare_name(const char *name)
{
    return strlen(name) - ending_length(name, compressed_endings);
}

size_t content_bom(const char *p, size_t n)
{
    return n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool content_blank(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_space(p[i]))
            return false;
    return true;
}

/* The oldest tar has no magic: its header's checksum is the sign
 * (the sum of the 512 bytes, the checksum's own eight taken as spaces). */
static bool is_tar(struct span head)
{
    unsigned sum = 0, want = 0;
    size_t i = 148;

    if (head.n < 512 || head.p[0] == 0)
        return false;
    for (size_t k = 0; k < 512; k++)
        sum += k >= 148 && k < 156 ? ' ' : (unsigned char)head.p[k];
    while (i < 156 && head.p[i] == ' ')
        i++;
    for (; i < 156 && head.p[i] >= '0' && head.p[i] <= '7'; i++)
        want = want * 8 + (unsigned)(head.p[i] - '0');
    return want == sum;
}

static bool is_bzip2(struct span h)
{
    return h.n >= 10 && memcmp(h.p, "BZh", 3) == 0 && h.p[3] >= '1' && h.p[3] <= '9' &&
           (memcmp(h.p + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
            memcmp(h.p + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

static bool is_lha(struct span h)
{
    return h.n >= 22 && memcmp(h.p + 2, "-lh", 3) == 0 && h.p[6] == '-' &&
           (unsigned char)h.p[20] <= 3;
}

/* A gzip header with its optional fields, all within the head:
 * libarchive would look for the end of an endless name without a bound (RFC 1952, 2.3). */
static bool is_gzip(struct span h)
{
    struct cursor c = cursor_over(h.p, h.n);
    uint64_t magic = cursor_uint(&c, 3), flags = cursor_uint(&c, 1);

    if (magic != 0x088b1f || (flags & 0xe0) != 0)
        return false;
    cursor_bytes(&c, 6);
    if (flags & 4)
        cursor_bytes(&c, cursor_uint(&c, 2));
    for (int name = 8; name <= 16; name *= 2)      /* the file's name, a comment */
        while ((flags & (unsigned)name) && cursor_ok(&c) && cursor_uint(&c, 1) != 0)
            ;
    return cursor_ok(&c);
}

/* zstd and lz4 share frames to be skipped, 0x184D2A50 .. 5F and a length, little-endian;
 * what stands behind those at the start tells which of the two it is. */
static enum archive_form behind_skippable(struct span h)
{
    struct cursor c = cursor_over(h.p, h.n);
    uint64_t magic = cursor_uint(&c, 4);

    while ((magic & ~0xfu) == 0x184d2a50 && cursor_ok(&c)) {
        cursor_bytes(&c, cursor_uint(&c, 4));
        magic = cursor_uint(&c, 4);
    }
    if (!cursor_ok(&c))
        return ARCHIVE_NONE;
    return magic == 0xfd2fb528 ? ARCHIVE_ZSTD : magic == 0x184d2204 ? ARCHIVE_LZ4 : ARCHIVE_NONE;
}

static bool begins(struct span s, const char *with) { return s.n >= strlen(with) && memcmp(s.p, with, strlen(with)) == 0; }

/* The next local header of a zip within the head, behind the one that c has passed: its name; what follows into *data. */
static bool zip_member(struct cursor *c, struct span *name, struct span *data)
{
    uint64_t magic = cursor_uint(c, 4), flags, packed, name_bytes, extra;
    const char *next;

    cursor_bytes(c, 2);
    flags = cursor_uint(c, 2);
    cursor_bytes(c, 10);
    packed = cursor_uint(c, 4);
    cursor_bytes(c, 4);
    name_bytes = cursor_uint(c, 2);
    extra = cursor_uint(c, 2);
    *name = cursor_bytes(c, name_bytes);
    cursor_bytes(c, extra);
    if (!cursor_ok(c) || magic != 0x04034b50)
        return false;
    *data = (struct span){ (const char *)c->p, cursor_left(c) };
    next = (flags & 8) || packed == 0xffffffff ? memmem(data->p, data->n, "PK\3\4", 4) : NULL;
    if ((flags & 8) == 0 && packed <= data->n)
        cursor_bytes(c, packed);
    else
        cursor_bytes(c, next ? (size_t)(next - data->p) : data->n);
    return true;
}

/* Office files name their parts at fixed places; OpenDocument's first member says what it is. */
static enum office_form office_of(struct span head)
{
    struct cursor c = cursor_over(head.p, head.n);
    bool package = false, word = false, other = false;
    struct span name, data;

    for (bool first = true; zip_member(&c, &name, &data); first = false) {
        if (first && name.n == 8 && begins(name, "mimetype") && begins(data, "application/vnd.oasis.opendocument."))
            return begins(data, "application/vnd.oasis.opendocument.text") ? OFFICE_ODT : OFFICE_OTHER;
        package = package || (name.n == 19 && begins(name, "[Content_Types].xml")) ||
                  (name.n == 11 && begins(name, "_rels/.rels"));
        word = word || begins(name, "word/");
        other = other || begins(name, "xl/") || begins(name, "ppt/") || begins(name, "visio/");
    }
    return !package ? OFFICE_NONE : word ? OFFICE_DOCX : other ? OFFICE_OTHER : OFFICE_NONE;
}

static bool by_magic(struct span head, struct content *out)
{
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        const struct magic *m = &magics[i];
        if (head.n >= m->offset + m->n && memcmp(head.p + m->offset, m->bytes, m->n) == 0) {
            out->kind = m->form == ARCHIVE_NONE ? CONTENT_BINARY : CONTENT_ARCHIVE;
            out->form = m->form;
            out->office = m->form == ARCHIVE_ZIP ? office_of(head) : OFFICE_NONE;
            return true;
        }
    }
    if (is_tar(head))
        out->form = ARCHIVE_TAR;
    else if (is_gzip(head))
        out->form = ARCHIVE_GZIP;
    else if (is_bzip2(head))
        out->form = ARCHIVE_BZIP2;
    else if (behind_skippable(head) != ARCHIVE_NONE)
        out->form = behind_skippable(head);
    else if (is_lha(head))
        out->form = ARCHIVE_LHA;
    else
        return false;
    out->kind = CONTENT_ARCHIVE;
    return true;
}

static bool has_wide_bom(struct span h)
{
    return h.n >= 4 &&
           (memcmp(h.p, "\xff\xfe", 2) == 0 || memcmp(h.p, "\xfe\xff", 2) == 0 ||
            memcmp(h.p, "\0\0\xfe\xff", 4) == 0);
}

/* UTF-16 of that order of bytes, without a byte order mark: each unit of the beginning is a character of text or half of a
 * pair, and one in 16 at least is ASCII, as blanks are in most scripts. Numbers and sound have units that are controls. */
static bool is_bare_wide(struct span h, bool big)
{
    size_t n = (h.n < SNIFF ? h.n : SNIFF) / 2, ascii = 0;
    bool half = false;

    if (n < BARE_UNITS || memchr(h.p, 0, 2 * n) == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned first = (unsigned char)h.p[2 * i], second = (unsigned char)h.p[2 * i + 1];
        unsigned u = big ? first << 8 | second : second << 8 | first;
        bool high = (u & ~0x3ffu) == 0xd800, low = (u & ~0x3ffu) == 0xdc00;

        if (low != half || (u < ' ' && !(u >= '\t' && u <= '\r')) || u == 0x7f || u >= 0xfffe)
            return false;
        half = high;
        ascii += u < 0x7f;
    }
    return ascii >= n / 16;
}

static bool is_wide(struct span h) { return has_wide_bom(h) || is_bare_wide(h, false) || is_bare_wide(h, true); }

/* A NUL, or more than one control character in 32 that text does not use.
 * Backspace, escape and the unit separator do occur in text (overstrike, colours, info files). */
static bool is_binary(struct span head)
{
    size_t n = head.n < SNIFF ? head.n : SNIFF, control = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)head.p[i];
        if (c == 0)
            return true;
        control += (c < 8 || (c > '\r' && c < 32) || c == 127) && c != 27 && c != 31;
    }
    return control > n / 32;
}

static bool starts_with(struct span s, const char *with)
{
    size_t n = strlen(with);

    return s.n >= n && strncasecmp(s.p, with, n) == 0;
}

/* s without what may stand before a document's first tag:
 * white space, comments, an XML declaration. */
static struct span first_tag(struct span s)
{
    for (;;) {
        const char *end = NULL;
        while (s.n > 0 && is_space(*s.p))
            s.p++, s.n--;
        if (starts_with(s, "<!--"))
            end = memmem(s.p, s.n, "-->", 3);
        else if (starts_with(s, "<?xml"))
            end = memmem(s.p, s.n, "?>", 2);
        if (end == NULL)
            return s;
        end += *end == '-' ? 3 : 2;
        s.n -= (size_t)(end - s.p);
        s.p = end;
    }
}

static bool is_html(struct span text, const char *name)
{
    static const char *const tags[] = {
        "<!doctype html", "<html", "<head", "<body", "<title", NULL,
    };
    struct span s = first_tag(text);

    for (int i = 0; tags[i] != NULL; i++)
        if (starts_with(s, tags[i]))
            return true;
    return ending_length(name, html_endings) > 0 && memchr(s.p, '<', s.n) != NULL;
}

/* An XML declaration, or a tag in a file of that name; drawings, style sheets and settings are not read. */
static bool is_xml(struct span text, const char *name)
{
    static const char *const roots[] = { "<svg", "<xsl:", "<xs:", "<xsd:", "<plist", "<!DOCTYPE svg",
                                         "<!DOCTYPE plist", NULL };
    struct span s = first_tag(text);

    while (text.n > 0 && is_space(*text.p))
        text.p++, text.n--;
    for (int i = 0; roots[i] != NULL; i++)
        if (starts_with(s, roots[i]))
            return false;
    return starts_with(text, "<?xml") || (text.n > 0 && *text.p == '<' && ending_length(name, xml_endings) > 0);
}

static bool is_skipped_markup(struct span text)
{
    while (text.n > 0 && is_space(*text.p))
        text.p++, text.n--;
    for (int i = 0; skipped_starts[i] != NULL; i++)
        if (starts_with(text, skipped_starts[i]))
            return true;
    return false;
}

/* "WARC/1.0" and a field in the next line, behind blank lines: what begins a text is not enough. */
static bool is_warc(struct span text)
{
    const char *end;

    while (text.n > 0 && is_space(*text.p))
        text.p++, text.n--;
    if (!starts_with(text, "WARC/") || text.n < 10 || !isdigit((unsigned char)text.p[5]))
        return false;
    end = memchr(text.p, '\n', text.n < 32 ? text.n : 32);
    if (end == NULL)
        return false;
    text.n -= (size_t)(end + 1 - text.p);
    text.p = end + 1;
    end = memchr(text.p, '\n', text.n);
    return memchr(text.p, ':', end != NULL ? (size_t)(end - text.p) : text.n) != NULL;
}

/* The first line is {...} and so begins each further one;
 * a single such line, or a first line longer than the head, needs the name to say so. */
static bool is_jsonl(struct span text, const char *name)
{
    bool named = ending_length(name, jsonl_endings) > 0;
    const char *end, *p = text.p, *line_end;

    while (p < text.p + text.n && is_space(*p))
        p++;
    end = text.p + text.n;
    if (p == end || *p != '{')
        return false;
    line_end = memchr(p, '\n', (size_t)(end - p));
    if (line_end == NULL || named)
        return named;
    for (p++; p < line_end && is_space(*p);)
        p++;
    if (*p != '"' && *p != '}')     /* a key, or an empty object: braces alone begin much else */
        return false;
    for (p = line_end; p > text.p && is_space(p[-1]);)
        p--;
    if (p[-1] != '}')
        return false;
    for (p = line_end; p < end && is_space(*p);)
        p++;
    return p < end && *p == '{';
}

/* Is an object's member "resourceType" in the first line that has more than a brace, or in the first kilobyte? */
static bool is_resource(struct span text)
{
    const char *line;

    while (text.n > 0 && is_space(*text.p))
        text.p++, text.n--;
    if (text.n == 0 || *text.p != '{')
        return false;
    line = memchr(text.p, '\n', text.n);
    if (line == NULL || (size_t)(line - text.p) < 1024)
        text.n = text.n < 1024 ? text.n : 1024;
    else
        text.n = (size_t)(line - text.p);
    return memmem(text.p, text.n, "\"resourceType\"", sizeof("\"resourceType\"") - 1) != NULL;
}

/* A list that begins with an object, or an object. */
static bool is_json(struct span text, enum content_kind *kind)
{
    char first;

    while (text.n > 0 && is_space(*text.p))
        text.p++, text.n--;
    first = text.n > 0 ? *text.p : 0;
    for (text.n -= text.n > 0, text.p++; text.n > 0 && is_space(*text.p);)
        text.p++, text.n--;
    *kind = first == '[' ? CONTENT_JSON_LIST : CONTENT_JSON;
    return first == '{' || (first == '[' && text.n > 0 && *text.p == '{');
}

struct content content_of(struct span head, bool whole, const char *name)
{
    struct content c = { CONTENT_TEXT, ARCHIVE_NONE, OFFICE_NONE };
    size_t bom;

    if (head.n == 0 || (whole && content_blank(head.p, head.n))) {
        c.kind = CONTENT_EMPTY;
        return c;
    }
    if (by_magic(head, &c))
        return c;
    bom = content_bom(head.p, head.n);
    head.p += bom;
    head.n -= bom;
    if (bom == 0 && is_wide(head))
        c.kind = CONTENT_WIDE;
    else if (is_warc(head))     /* may hold anything */
        c.kind = CONTENT_WARC;
    else if (is_binary(head))
        c.kind = CONTENT_BINARY;
    else if (is_html(head, name))
        c.kind = CONTENT_HTML;
    else if (is_xml(head, name) && (ending_length(name, skipped_endings) == 0 || ending_length(name, xml_endings) > 0))
        c.kind = CONTENT_XML;
    else if (is_skipped_markup(head))
        c.kind = CONTENT_SKIPPED;
    else if (is_jsonl(head, name))
        c.kind = is_resource(head) ? CONTENT_FHIR_LINES : CONTENT_JSONL;
    else if (is_resource(head))
        c.kind = CONTENT_FHIR;
    else if (ending_length(name, json_endings) > 0 && is_json(head, &c.kind))
        ;
    else if (ending_length(name, skipped_endings) > 0)
        c.kind = CONTENT_SKIPPED;
    else if (ending_length(name, table_endings) > 0)
        c.kind = CONTENT_TABLE;
    else if (ending_length(name, markdown_endings) > 0)
        c.kind = CONTENT_MARKDOWN;
    return c;
}

/* --- wide text --- */

struct wide {
    const unsigned char *p, *end;
    int unit;             /* 2 or 4 bytes */
    bool big;
};

static uint32_t wide_unit(struct wide *w)
{
    uint32_t u = 0;

    for (int i = 0; i < w->unit; i++)
        u |= (uint32_t)w->p[i] << 8 * (w->big ? w->unit - 1 - i : i);
    w->p += w->unit;
    return u;
}

static uint32_t wide_char(struct wide *w)
{
    uint32_t low, u = wide_unit(w);

    if (w->unit == 4)
        return u < 0x110000 && (u & ~0x7ffu) != 0xd800 ? u : 0xfffd;
    if ((u & ~0x7ffu) != 0xd800)
        return u;
    if (u >= 0xdc00 || w->end - w->p < 2)
        return 0xfffd;
    low = wide_unit(w);
    if ((low & ~0x3ffu) == 0xdc00)
        return 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
    w->p -= 2;
    return 0xfffd;
}

void content_narrow(struct span wide, struct buf *out)
{
    struct wide w = { (const unsigned char *)wide.p, (const unsigned char *)wide.p + wide.n, 2,
                      false };
    char utf8[4];

    if (has_wide_bom(wide)) {
        if (memcmp(wide.p, "\xff\xfe\0\0", 4) == 0 || memcmp(wide.p, "\0\0\xfe\xff", 4) == 0)
            w.unit = 4;
        w.big = w.p[0] != 0xff;
        w.p += w.unit;
    } else {
        w.big = is_bare_wide(wide, true);
    }
    buf_adds(out, "\xef\xbb\xbf");
    while (w.end - w.p >= w.unit)
        buf_add(out, utf8, utf8_encode(wide_char(&w), utf8));
    if (w.p < w.end)
        buf_adds(out, "\xef\xbf\xbd");
}
