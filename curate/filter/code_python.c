/*
 * Python's comments and docstrings, by a lexer that knows strings, brackets and logical lines and nothing else.
 *
 * A docstring is a string alone on a logical line, as the first one of the file or the first behind a line that begins
 * with `def` or `class` and ends with a colon, or behind that colon on the same line.
 */
#include "base/str.h"
#include "curate/filter/code.h"

struct python {
    const char *p, *end;
    struct buf *doc;               /* the string in hand, escapes resolved */
    uint64_t comments, docstrings, documented;
    int depth;                     /* of brackets */
    bool header;                   /* the logical line before was a def's or class's, or this is the first */
    bool broken;
};

static bool in_name(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (c & 0x80);
}

static size_t line_end(const struct python *y, const char *p)
{
    const char *stop = memchr(p, '\n', (size_t)(y->end - p));

    return (size_t)((stop ? stop : y->end) - p);
}

/* ---- strings ---- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Appends the character that digits in a base stand for. */
static const char *numbered(struct buf *out, const char *p, const char *end, int base, int most)
{
    uint32_t cp = 0;
    char utf8[4];

    for (int i = 0; i < most && p < end && digit_of(*p) < base; i++)
        cp = cp * (uint32_t)base + (uint32_t)digit_of(*p++);
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
        cp = 0xFFFD;
    buf_add(out, utf8, utf8_encode(cp, utf8));
    return p;
}

/* p: behind the backslash. */
static const char *escape(struct buf *out, const char *p, const char *end)
{
    static const char names[] = "abfnrtv\\'\"", values[] = "\a\b\f\n\r\t\v\\'\"";
    const char *name = *p ? strchr(names, *p) : NULL;

    if (*p == '\n')
        return p + 1;
    if (name) {
        buf_addc(out, values[name - names]);
        return p + 1;
    }
    switch (*p) {
    case 'x': return numbered(out, p + 1, end, 16, 2);
    case 'u': return numbered(out, p + 1, end, 16, 4);
    case 'U': return numbered(out, p + 1, end, 16, 8);
    case 'N':
        while (p < end && *p != '}')
            p++;
        buf_addc(out, '?');
        return p < end ? p + 1 : end;
    default: break;
    }
    if (*p >= '0' && *p <= '7')
        return numbered(out, p, end, 8, 3);
    buf_addc(out, '\\');
    return p;
}

/* A string from its opening quote on, appended to y->doc; what is not closed breaks the program. */
static void read_string(struct python *y, bool raw)
{
    char quote = *y->p;
    size_t n = y->end - y->p >= 3 && y->p[1] == quote && y->p[2] == quote ? 3 : 1;

    y->p += n;
    while (y->p < y->end) {
        if (*y->p == quote && (n == 1 || (y->end - y->p >= 3 && y->p[1] == quote && y->p[2] == quote))) {
            y->p += n;
            return;
        }
        if (*y->p == '\\' && y->p + 1 < y->end) {
            if (raw)
                buf_add(y->doc, y->p, 2);
            y->p = raw ? y->p + 2 : escape(y->doc, y->p + 1, y->end);
            continue;
        }
        if (n == 1 && *y->p == '\n')
            break;
        buf_addc(y->doc, *y->p++);
    }
    y->broken = true;
}

/* The letters in front of a quote, if that is what p begins: sets what they mean. */
static size_t prefix_of(const struct python *y, const char *p, bool *raw, bool *text)
{
    size_t n = 0;

    *raw = false;
    *text = true;
    while (n < 3 && p + n < y->end && strchr("rRuUbBfF", p[n]) && p[n]) {
        *raw |= (p[n] | 0x20) == 'r';
        *text &= (p[n] | 0x20) != 'b' && (p[n] | 0x20) != 'f';
        n++;
    }
    return p + n < y->end && (p[n] == '"' || p[n] == '\'') ? n : SIZE_MAX;
}

/* ---- docstrings as inspect.cleandoc() leaves them ---- */

static size_t indent_of(const char *p, size_t n, size_t *columns)
{
    size_t i = 0;

    *columns = 0;
    for (; i < n && (p[i] == ' ' || p[i] == '\t'); i++)
        *columns = p[i] == ' ' ? *columns + 1 : (*columns / 8 + 1) * 8;
    return i;
}

/* Columns of a line: tabs go to the next multiple of eight. */
static uint64_t columns_of(const char *p, size_t n)
{
    uint64_t columns = 0;

    for (size_t i = 0; i < n; i++)
        if (p[i] == '\t')
            columns = (columns / 8 + 1) * 8;
        else
            columns += (p[i] & 0xC0) != 0x80;
    return columns;
}

static uint64_t clean_chars(struct span doc)
{
    size_t margin = SIZE_MAX, columns, skipped;
    uint64_t chars = 0, waiting = 0;                       /* lengths of empty lines that may be the last */
    bool any = false, first = true;
    const char *end = doc.p + doc.n;

    for (int pass = 0; pass < 2; pass++)
        for (const char *p = doc.p, *stop; p <= end; p = stop + 1) {
            size_t n;
            uint64_t length;

            stop = memchr(p, '\n', (size_t)(end - p));
            stop = stop ? stop : end;
            n = (size_t)(stop - p);
            skipped = indent_of(p, n, &columns);
            first = p == doc.p;
            if (pass == 0) {
                margin = !first && skipped < n && columns < margin ? columns : margin;
                continue;
            }
            length = columns_of(p, n);
            if (first)
                length -= columns;
            else
                length = margin == SIZE_MAX ? length : length > margin ? length - margin : 0;
            if (length == 0 && !any)
                continue;
            waiting += any;                                /* the line end before it */
            any = true;
            if (length) {
                chars += waiting + length;
                waiting = 0;
            }
        }
    return chars;
}

/* ---- logical lines ---- */

static bool begins_word(const struct python *y, const char *p, const char *word)
{
    size_t n = strlen(word);

    return (size_t)(y->end - p) > n && memcmp(p, word, n) == 0 && !in_name(p[n]);
}

struct line {
    bool definition;               /* begins with def or class */
    bool strings, other;           /* what stands on it */
    char last;                     /* its last sign that is no space */
};

/* Does a string begin behind the colon of a def or class? It is judged as a line of its own. */
static bool is_one_line_body(const struct python *y, const struct line *l)
{
    const char *p = y->p;
    bool raw, text;

    if (l->last != ':' || y->depth != 0 || !l->definition)
        return false;
    while (p < y->end && (*p == ' ' || *p == '\t'))
        p++;
    return p < y->end && prefix_of(y, p, &raw, &text) != SIZE_MAX;
}

/* One token or space of the line; false: the line ends here. */
static bool read_token(struct python *y, struct line *l)
{
    bool raw, text;
    size_t prefix = prefix_of(y, y->p, &raw, &text), n;

    if (prefix != SIZE_MAX) {
        y->p += prefix;
        read_string(y, raw);
        l->strings |= text;
        l->other |= !text;
        l->last = '"';
        return true;
    }
    if (*y->p == '#') {
        n = line_end(y, y->p);
        y->comments += utf8_length(y->p, n);
        y->p += n;
        return true;
    }
    if (*y->p == '\n') {
        y->p++;
        return y->depth > 0 || (!l->strings && !l->other);
    }
    if (*y->p == '\\' && y->end - y->p >= 2 && y->p[1] == '\n') {
        y->p += 2;
        return true;
    }
    if (strchr(" \t\r\f", *y->p) && *y->p) {
        y->p++;
        return true;
    }
    y->depth += (*y->p == '(') | (*y->p == '[') | (*y->p == '{');
    y->depth -= (*y->p == ')') | (*y->p == ']') | (*y->p == '}');
    y->broken |= y->depth < 0;
    if (!l->other && !l->strings)
        l->definition = begins_word(y, y->p, "def") || begins_word(y, y->p, "class");
    l->other = true;
    l->last = *y->p;
    do
        y->p++;
    while (in_name(y->p[-1]) && y->p < y->end && in_name(*y->p));
    return !is_one_line_body(y, l);
}

static void read_line(struct python *y)
{
    struct line l = { 0 };

    buf_clear(y->doc);
    while (y->p < y->end && !y->broken && read_token(y, &l))
        ;
    if (!l.strings && !l.other)
        return;
    if (y->header && l.strings && !l.other) {
        uint64_t chars = clean_chars((struct span){ y->doc->p, y->doc->n });

        y->docstrings += chars;
        y->documented += chars > 0;
    }
    y->header = l.definition && l.last == ':';
}

double code_python_comments(struct span text, struct buf *spare)
{
    struct python y = { .p = text.p, .end = text.p + text.n, .doc = spare, .header = true };

    buf_reserve(spare, 1);
    while (y.p < y.end && !y.broken)
        read_line(&y);
    if (y.broken || y.depth != 0)
        return -1;
    return (double)(y.comments + y.docstrings + (y.documented ? y.documented - 1 : 0));
}
