/* Comments of C's kind, and what a reader sees of HTML. */
#include "base/str.h"
#include "curate/filter/code.h"

/* The first quote or slash from `at` on; the text's end: none. */
static size_t next_quote(const struct space_scan *s, size_t at)
{
    size_t k = at / 64;
    uint64_t bits;

    if (at >= s->text.n)
        return s->text.n;
    bits = s->bits.quote[k] >> at % 64 << at % 64;
    while (bits == 0 && ++k < s->blocks)
        bits = s->bits.quote[k];
    return bits ? 64 * k + (size_t)__builtin_ctzll(bits) : s->text.n;
}

/* A string ends on its line, and a backslash means nothing in it: that is how the peer's parser has it. */
double code_c_comments(const struct space_scan *s)
{
    const char *text = s->text.p, *end = text + s->text.n, *p = text + next_quote(s, 0), *stop;
    uint64_t chars = 0, comments = 0;

    while (p < end) {
        if (*p == '"') {
            stop = p + 1;
            while (stop < end && *stop != '"' && *stop != '\n')
                stop++;
            p = stop < end && *stop == '"' ? stop + 1 : p + 1;
        } else if (end - p >= 2 && p[1] == '/') {
            stop = memchr(p, '\n', (size_t)(end - p));
            stop = stop ? stop : end;
            chars += space_chars(s, p + 2, (size_t)(stop - p - 2));
            comments++;
            p = stop;
        } else if (end - p >= 2 && p[1] == '*') {
            stop = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);
            if (stop == NULL)
                return -1;
            chars += space_chars(s, p + 2, (size_t)(stop - p - 2));
            comments++;
            p = stop + 2;
        } else {
            p++;
        }
        p = text + next_quote(s, (size_t)(p - text));
    }
    return (double)(chars + (comments ? comments - 1 : 0));
}

/* ---- HTML ---- */

static const char *find(const char *p, const char *end, const char *what)
{
    const char *at = memmem(p, (size_t)(end - p), what, strlen(what));

    return at ? at + strlen(what) : end;
}

static bool begins(const char *p, const char *end, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(end - p) < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]) != word[i])
            return false;
    return (size_t)(end - p) == n || strchr(" \t\r\n\f/>", p[n]) != NULL;
}

/* Behind the end tag of a script or style. */
static const char *behind_raw(const char *p, const char *end, const char *name)
{
    while (p < end) {
        p = find(p, end, "</");
        if (begins(p, end, name))
            return find(p, end, ">");
    }
    return end;
}

static const char *behind_tag(const char *p, const char *end)
{
    if (end - p >= 4 && memcmp(p, "<!--", 4) == 0)
        return find(p + 4, end, "-->");
    if (begins(p + 1, end, "script"))
        return behind_raw(find(p, end, ">"), end, "script");
    if (begins(p + 1, end, "style"))
        return behind_raw(find(p, end, ">"), end, "style");
    return find(p, end, ">");
}

static bool is_tag(const char *p, const char *end)
{
    return *p == '<' && end - p >= 2 &&
           (p[1] == '/' || p[1] == '!' || p[1] == '?' || ((p[1] | 0x20) >= 'a' && (p[1] | 0x20) <= 'z'));
}

static size_t reference(const char *p, const char *end)
{
    size_t n = 1;

    while (p + n < end && n < 32 && (p[n] == '#' || (p[n] >= '0' && p[n] <= '9') ||
                                     ((p[n] | 0x20) >= 'a' && (p[n] | 0x20) <= 'z')))
        n++;
    return n > 1 && p + n < end && p[n] == ';' ? n + 1 : 1;
}

/* Does a tag begin or end text whose blanks stay? */
static int keeps_blanks(const char *p, const char *end)
{
    bool closes = end - p >= 2 && p[1] == '/';

    p += 1 + closes;
    return begins(p, end, "pre") || begins(p, end, "textarea") ? (closes ? -1 : 1) : 0;
}

/* What stands between two tags: blanks alone count as one. */
static const char *read_run(const char *p, const char *end, bool keep, uint64_t *chars)
{
    uint64_t run = 0;
    bool blank = !keep;

    while (p < end && !is_tag(p, end)) {
        blank &= *p != 0 && strchr(" \n\t\f\r", *p) != NULL;
        run += (*p & 0xC0) != 0x80;
        p += *p == '&' ? reference(p, end) : 1;
    }
    *chars += blank && run > 1 ? 1 : run;
    return p;
}

uint64_t code_html_chars(struct span text)
{
    const char *p = text.p, *end = text.p + text.n;
    uint64_t chars = 0;
    int keep = 0;

    while (p < end)
        if (is_tag(p, end)) {
            keep += keeps_blanks(p, end);
            keep = keep < 0 ? 0 : keep;
            p = behind_tag(p, end);
        } else {
            p = read_run(p, end, keep > 0, &chars);
        }
    return chars;
}
