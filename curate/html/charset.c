#include "curate/html/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

/* Labels that pages use, and iconv's names: the encodings of the WHATWG's list that were ever
 * common on the web. A label that is not here is not passed on to iconv. */
static const struct {
    const char *label, *name;
} charsets[] = {
    { "utf-8", CHARSET_UTF8 },    { "utf8", CHARSET_UTF8 },
    /* A declaration that could be read is not UTF-16. */
    { "utf-16", CHARSET_UTF8 },           { "utf-16le", CHARSET_UTF8 },
    { "utf-16be", CHARSET_UTF8 },         { "us-ascii", CHARSET_WESTERN },
    { "ascii", CHARSET_WESTERN },              { "iso-8859-1", CHARSET_WESTERN },
    { "iso8859-1", CHARSET_WESTERN },          { "latin1", CHARSET_WESTERN },
    { "windows-1252", CHARSET_WESTERN },       { "cp1252", CHARSET_WESTERN },
    { "iso-8859-2", "ISO-8859-2" },     { "latin2", "ISO-8859-2" },
    { "iso-8859-3", "ISO-8859-3" },     { "iso-8859-4", "ISO-8859-4" },
    { "iso-8859-5", "ISO-8859-5" },     { "iso-8859-6", "ISO-8859-6" },
    { "iso-8859-7", "ISO-8859-7" },     { "iso-8859-8", "ISO-8859-8" },
    { "iso-8859-9", "CP1254" },         { "latin5", "CP1254" },
    { "iso-8859-10", "ISO-8859-10" },   { "iso-8859-13", "ISO-8859-13" },
    { "iso-8859-14", "ISO-8859-14" },   { "iso-8859-15", "ISO-8859-15" },
    { "iso-8859-16", "ISO-8859-16" },   { "windows-1250", "CP1250" },
    { "windows-1251", "CP1251" },       { "windows-1253", "CP1253" },
    { "windows-1254", "CP1254" },       { "windows-1255", "CP1255" },
    { "windows-1256", "CP1256" },       { "windows-1257", "CP1257" },
    { "windows-1258", "CP1258" },       { "windows-874", "CP874" },
    { "tis-620", "CP874" },             { "koi8-r", "KOI8-R" },
    { "koi8-u", "KOI8-U" },             { "ibm866", "CP866" },
    { "gb2312", "GB18030" },            { "gbk", "GB18030" },
    { "gb18030", "GB18030" },           { "big5", "BIG5-HKSCS" },
    { "euc-jp", "EUC-JP" },             { "shift_jis", "CP932" },
    { "sjis", "CP932" },                { "x-sjis", "CP932" },
    { "euc-kr", "CP949" },              { "ks_c_5601-1987", "CP949" },
    { "macintosh", "MACINTOSH" },       { "iso-2022-jp", "ISO-2022-JP" },
    { "cp1250", "CP1250" },             { "cp1251", "CP1251" },
    { "cp936", "GB18030" },             { "cp932", "CP932" },
    { "windows-31j", "CP932" },         { "shift-jis", "CP932" },
    { "x-euc-jp", "EUC-JP" },           { "cp949", "CP949" },
    { "big5-hkscs", "BIG5-HKSCS" },     { "cp850", "CP850" },
    { "iso-8859-8-i", "ISO-8859-8" },   { "iso-8859-11", "CP874" },
};

const char *charset_of_label(const char *label, size_t n)
{
    for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++)
        if (strlen(charsets[i].label) == n && strncasecmp(label, charsets[i].label, n) == 0)
            return charsets[i].name;
    return NULL;
}

/* Bytes 0x80 to 0x9f of windows-1252 (the WHATWG's index: the five holes are C1 controls). */
static const uint16_t cp1252[32] = {
    0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
    0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178,
};

static void from_cp1252(struct span page, struct buf *out)
{
    buf_reserve(out, page.n + page.n / 8);
    for (size_t i = 0; i < page.n; i++) {
        unsigned char c = (unsigned char)page.p[i];
        char utf8[4];
        uint32_t cp = c >= 0x80 && c < 0xa0 ? cp1252[c - 0x80] : c;
        buf_add(out, utf8, utf8_encode(cp, utf8));
    }
}

static void from_iconv(iconv_t conv, struct span page, struct buf *out)
{
    char *in = (char *)page.p, piece[4096];
    size_t left = page.n;

    while (left > 0) {
        char *to = piece;
        size_t room = sizeof piece;
        size_t got = iconv(conv, &in, &left, &to, &room);
        buf_add(out, piece, sizeof piece - room);
        /* Ill-formed or cut: one byte stands for itself. */
        if (got == (size_t)-1 && errno != E2BIG) {
            buf_adds(out, "\xef\xbf\xbd");
            in++;
            left--;
        }
    }
    /* A letter that waited for a mark behind it. */
    {
        char *to = piece;
        size_t room = sizeof piece;
        if (iconv(conv, NULL, NULL, &to, &room) != (size_t)-1)
            buf_add(out, piece, sizeof piece - room);
    }
}

void charset_convert(const char *name, struct span bytes, struct buf *out)
{
    iconv_t conv;

    if (strcmp(name, CHARSET_UTF8) == 0) {
        utf8_repair(out, bytes.p, bytes.n);
        return;
    }
    conv = strcmp(name, CHARSET_WESTERN) != 0 ? iconv_open("UTF-8", name) : (iconv_t)-1;
    if (conv == (iconv_t)-1) {
        from_cp1252(bytes, out);
    } else {
        from_iconv(conv, bytes, out);
        iconv_close(conv);
    }
}
