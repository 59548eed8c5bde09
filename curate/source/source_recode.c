#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

#include "curate/source/source_part.h"

#define TAIL 16      /* bytes of a character that may wait for its end */

struct recode {
    iconv_t cd;
    char tail[TAIL];
    size_t n;
};

/* Encodings whose bytes below 128 are not always ASCII: quotes and tags could not be found in them. */
static bool keeps_ascii(const char *name)
{
    static const char *const others[] = { "utf-7", "utf7", "utf-16", "utf16", "utf-32", "utf32", "ucs", "unicode",
                                          "iso-2022", "iso2022", "csiso2022", "hz", "ebcdic", "ibm03", "ibm04",
                                          "ibm05", "cp03", "cp04", "cp05", "csibm", "tscii", "imap", NULL };

    for (int i = 0; others[i] != NULL; i++)
        if (strncasecmp(name, others[i], strlen(others[i])) == 0)
            return false;
    for (const char *p = name; *p != 0; p++)      /* no path, no "//TRANSLIT" */
        if (!isalnum((unsigned char)*p) && strchr("-_.:", *p) == NULL)
            return false;
    return *name != 0;
}

/* Does each ASCII byte come out as itself? */
static bool ascii_stays(iconv_t cd)
{
    char in[96], out[96 * 4], *from = in, *to = out;
    size_t left = 0, room = sizeof out;

    for (char c = ' '; c < 127; c++)
        if (c != '\\' && c != '~')      /* yen and overline in Japan */
            in[left++] = c;
    if (iconv(cd, &from, &left, &to, &room) == (size_t)-1)
        return false;
    iconv(cd, NULL, NULL, NULL, NULL);
    return (size_t)(to - out) == (size_t)(from - in) && memcmp(in, out, (size_t)(from - in)) == 0;
}

struct recode *recode_open(const char *encoding)
{
    struct recode *r;
    iconv_t cd;

    if (!keeps_ascii(encoding))
        return NULL;
    cd = iconv_open("UTF-8", encoding);
    if (cd == (iconv_t)-1)
        return NULL;
    if (!ascii_stays(cd)) {
        iconv_close(cd);
        return NULL;
    }
    r = mem_alloc(sizeof *r);
    r->cd = cd;
    return r;
}

/* As much of text as forms whole characters; returns how many bytes are left over, at most TAIL. */
static size_t convert(struct recode *r, struct span text, bool last, struct buf *out)
{
    char *from = (char *)text.p, *to, *start;
    size_t left = text.n;

    while (left > 0) {
        size_t room = left * 4 + 16, got;

        buf_reserve(out, room);
        start = to = out->p + out->n;
        got = iconv(r->cd, &from, &left, &to, &room);
        out->n += (size_t)(to - start);
        out->p[out->n] = 0;
        if (got != (size_t)-1 || errno == E2BIG)
            continue;
        if (errno == EINVAL && !last && left <= TAIL)
            break;
        buf_adds(out, "\xef\xbf\xbd");
        from++, left--;
    }
    return left;
}

void recode_add(struct recode *r, struct span text, bool last, struct buf *out)
{
    while (r->n > 0 && text.n > 0) {      /* the character that was cut, byte by byte */
        char held[TAIL + 1];
        size_t n = r->n + 1, left;

        memcpy(held, r->tail, r->n);
        held[r->n] = *text.p++;
        text.n--;
        left = convert(r, (struct span){ held, n }, false, out);
        if (left > TAIL - 1)              /* no encoding has such characters */
            left = 0;
        memcpy(r->tail, held + n - left, left);
        r->n = left;
    }
    if (r->n == 0 && text.n > 0) {
        r->n = convert(r, text, last, out);
        if (r->n > 0)
            memcpy(r->tail, text.p + text.n - r->n, r->n);
    }
    if (last && r->n > 0) {
        buf_adds(out, "\xef\xbf\xbd");
        r->n = 0;
    }
    if (last)
        iconv(r->cd, NULL, NULL, NULL, NULL);
}

void recode_close(struct recode *r)
{
    if (r == NULL)
        return;
    iconv_close(r->cd);
    free(r);
}
