#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "curate/html/charset.h"
#include "curate/html/html_part.h"

#define META_BYTES 4096       /* a charset is declared in the first bytes or not at all */
#define LABEL 32

static const char *find_word(const char *p, const char *end, const char *word)
{
    size_t n = strlen(word);

    for (; (size_t)(end - p) >= n && p < end; p++)
        if ((*p | 32) == (*word | 32) && strncasecmp(p, word, n) == 0)
            return p;
    return NULL;
}

/* The value behind `word`, '=' and quotes, lower case. */
static bool value_after(const char *p, const char *end, const char *word, char label[LABEL])
{
    size_t n = 0;

    p = find_word(p, end, word);
    if (p == NULL)
        return false;
    p += strlen(word);
    while (p < end && (isspace((unsigned char)*p) || *p == '=' || *p == '"' || *p == '\''))
        p++;
    for (; p < end && n + 1 < LABEL &&
           (isalnum((unsigned char)*p) || strchr("-_:.", *p) != NULL) && *p; p++)
        label[n++] = (char)tolower((unsigned char)*p);
    label[n] = 0;
    return n > 0;
}

/* The charset of <meta charset>, <meta http-equiv content="...; charset="> or <?xml encoding?>. */
static bool declared(struct span page, char label[LABEL])
{
    const char *p = page.p, *end = page.p + (page.n < META_BYTES ? page.n : META_BYTES), *close;

    while ((p = find_word(p, end, "<meta")) != NULL) {
        close = memchr(p, '>', (size_t)(end - p));
        if (value_after(p, close != NULL ? close : end, "charset", label))
            return true;
        if (close == NULL)
            break;
        p = close;
    }
    if (page.n < 5 || memcmp(page.p, "<?xml", 5) != 0)
        return false;
    close = memchr(page.p, '>', (size_t)(end - page.p));
    return close != NULL && value_after(page.p, close, "encoding", label);
}

/* Does a transport or the page say what it is? iconv's name; NULL: no, or nothing that is known. */
static const char *said(struct span page, const char *transport)
{
    const char *name = transport != NULL ? charset_of_label(transport, strlen(transport)) : NULL;
    char label[LABEL];

    if (name == NULL && declared(page, label))
        name = charset_of_label(label, strlen(label));
    return name;
}

/* The page as UTF-8 in *out, or *page itself when it is that already; *name: what it was taken for. */
static struct span to_utf8(struct span page, const char *transport, struct buf *out, const char **name)
{
    bool valid = utf8_valid(page.p, page.n);

    *name = said(page, transport);
    /* Text that is valid UTF-8 beyond ASCII was never meant as a Western 8-bit page, whatever it says. */
    if (valid && (*name == NULL || strcmp(*name, CHARSET_WESTERN) == 0 || strcmp(*name, CHARSET_UTF8) == 0)) {
        *name = CHARSET_UTF8;
        return page;
    }
    if (*name == NULL || (strcmp(*name, CHARSET_UTF8) == 0 && !charset_is_mostly_utf8(page)))
        *name = charset_guess(page);
    if (*name == NULL)
        *name = CHARSET_WESTERN;
    charset_convert(*name, page, out);
    return (struct span){ out->p, out->n };
}

/* --- cleaning --- */

/* Past one attribute or word of a tag: up to white space or '>',
 * a quoted value behind '=' as a whole. */
static const char *skip_word(const char *p, const char *end)
{
    while (p < end && !isspace((unsigned char)*p) && *p != '>') {
        if (*p++ != '=')
            continue;
        while (p < end && isspace((unsigned char)*p))
            p++;
        if (p < end && (*p == '"' || *p == '\'')) {
            const char *close = memchr(p + 1, *p, (size_t)(end - p - 1));
            p = close != NULL ? close + 1 : end;
        }
    }
    return p;
}

/* The attributes that html_marks.c reads; the rest of a tag's bytes, which on most sites are more than its text, need no parser. */
static bool is_wanted(const char *p, const char *end)
{
    static const char *const names[] = {
        "class", "id", "role", "style", "rel", "hidden", "itemprop", "accesskey", "aria-hidden", "lang", NULL,
    };
    size_t n = 0;

    if (*p == '/')      /* an element that ends where it begins */
        return true;
    while (p + n < end && (isalpha((unsigned char)p[n]) || p[n] == '-'))
        n++;
    for (int i = 0; n >= 2 && names[i] != NULL; i++)
        if ((p[0] | 32) == names[i][0] && strncasecmp(p, names[i], n) == 0 && names[i][n] == 0)
            return true;
    return false;
}

static bool is_href(const char *p, const char *end)
{
    return end - p > 5 && strncasecmp(p, "href", 4) == 0 && (p[4] == '=' || isspace((unsigned char)p[4]));
}

/* From a tag's '<' to behind its '>'; appends it with the attributes that are wanted, at most HTML_ATTRIBUTES. */
static const char *copy_tag(const char *p, const char *end, struct buf *out)
{
    const char *word = p;
    int words = 0;

    p = skip_word(p, end);
    buf_add(out, word, (size_t)(p - word));
    while (p < end && *p != '>') {
        while (p < end && isspace((unsigned char)*p))
            p++;
        word = p;
        p = skip_word(p, end);
        if (word == p || words == HTML_ATTRIBUTES)
            continue;
        if (is_href(word, end)) {
            buf_adds(out, " href=x");      /* that it is a link matters, not where to */
            words++;
        } else if (is_wanted(word, end)) {
            buf_addc(out, ' ');
            buf_add(out, word, (size_t)(p - word));
            words++;
        }
    }
    if (p == end)
        return end;
    buf_addc(out, '>');
    return p + 1;
}

static bool is_tag(const char *p, const char *end, const char *name)
{
    size_t n = strlen(name);

    return (size_t)(end - p) > n && (p[1] | 32) == (name[1] | 32) && strncasecmp(p, name, n) == 0 && !isalnum((unsigned char)p[n]);
}

/* The end of a script's or style sheet's text: its closing tag, or the end. */
static const char *raw_end(const char *p, const char *end, const char *closing)
{
    while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
        if (is_tag(p, end, closing))
            return p;
        p++;
    }
    return end;
}

/* Behind a tag that says nothing to a reader. */
static const char *pass_tag(const char *p, const char *end)
{
    while (p < end && *p != '>') {
        while (p < end && isspace((unsigned char)*p))
            p++;
        p = skip_word(p, end);
    }
    return p < end ? p + 1 : end;
}

/* The end of a drawing, if it ends before the next one begins; else nothing is passed over. */
static const char *pass_drawing(const char *p, const char *end)
{
    const char *at = p;

    while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        if (is_tag(at, end, "</svg"))
            return at;
        if (is_tag(at, end, "<svg"))
            return p;
        at++;
    }
    return p;
}

/* Text that needs no escapes in XHTML gets them. Returns what is behind it. */
static const char *copy_cdata(const char *p, const char *end, struct buf *out)
{
    const char *close = memmem(p, (size_t)(end - p), "]]>", 3);

    for (; p < (close != NULL ? close : end); p++) {
        if (*p == '<')
            buf_adds(out, "&lt;");
        else if (*p == '&')
            buf_adds(out, "&amp;");
        else
            buf_addc(out, *p);
    }
    return close != NULL ? close + 3 : end;
}

/* What begins with '<' at p, appended: a comment not at all, a tag cut down,
 * a script without its text. */
static const char *copy_markup(const char *p, const char *end, bool *comments, struct buf *out)
{
    const char *close;

    if (*comments && end - p >= 4 && memcmp(p, "<!--", 4) == 0) {
        close = memmem(p + 4, (size_t)(end - p - 4), "-->", 3);
        *comments = close != NULL;
        if (close != NULL)
            return close + 3;
    }
    if (end - p >= 9 && memcmp(p, "<![CDATA[", 9) == 0)
        return copy_cdata(p + 9, end, out);
    if (end - p < 2 || !isalpha((unsigned char)p[1])) {
        buf_addc(out, *p);
        return p + 1;
    }
    if (is_tag(p, end, "<meta") || is_tag(p, end, "<link"))
        return pass_tag(p, end);
    close = copy_tag(p, end, out);
    if (is_tag(p, end, "<svg"))
        return pass_drawing(close, end);
    if (is_tag(p, end, "<script"))
        return raw_end(close, end, "</script");
    if (is_tag(p, end, "<style"))
        return raw_end(close, end, "</style");
    return close;
}

static void remove_nul(struct buf *b)
{
    size_t n = 0;

    if (memchr(b->p, 0, b->n) == NULL)
        return;
    for (size_t i = 0; i < b->n; i++)
        if (b->p[i] != 0)
            b->p[n++] = b->p[i];
    b->n = n;
    b->p[n] = 0;
}

const char *html_decode(struct span page, const char *transport, struct buf *out)
{
    size_t bom = page.n >= 3 && memcmp(page.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    struct span s = { page.p + bom, page.n - bom };
    struct buf converted = { 0 };
    const char *p, *end, *lt, *name = CHARSET_UTF8;
    bool comments = true;

    if (bom == 0) {
        s = to_utf8(s, transport, &converted, &name);
    } else if (!utf8_valid(s.p, s.n)) {
        utf8_repair(&converted, s.p, s.n);
        s = (struct span){ converted.p, converted.n };
    }
    buf_reserve(out, s.n);
    for (p = s.p, end = s.p + s.n; p < end && (lt = memchr(p, '<', (size_t)(end - p))) != NULL;) {
        buf_add(out, p, (size_t)(lt - p));
        p = copy_markup(lt, end, &comments, out);
    }
    if (p < end)
        buf_add(out, p, (size_t)(end - p));
    if (out->n > 0)
        remove_nul(out);
    buf_release(&converted);
    return name;
}
