/* document_parse() and document_print(): the scanner of one JSONL line (RFC 8259).
 *
 * The text of a document is nearly the whole line, so the speed is that of one loop:
 * find_special() looks at 16 bytes a step for a quote, a backslash or a control character. A
 * string without escapes is handed out where it lies; one with escapes is copied while it is
 * looked at. Whether any byte was not ASCII falls out of the same loop, and only then is the
 * string checked as UTF-8. */
#include "store/documents/documents.h"

#include "base/json.h"

#define STEP 16
#define DEPTH_MAX 64

typedef uint8_t step_bytes __attribute__((vector_size(STEP)));

struct scan {
    const char *start, *p, *end;
    struct arena *scratch;
    char *out;           /* free end of the copy of this line's unescaped strings; NULL: none yet */
};

static enum status bad_at(const struct scan *s, const char *at, const char *what)
{
    return fail(ST_FORMAT, "column %zu: %s", (size_t)(at - s->start) + 1, what);
}

static enum status bad(const struct scan *s, const char *what)
{
    return bad_at(s, s->p, s->p == s->end ? "the line ends too early" : what);
}

/* ---- strings ---- */

static bool is_special(char c)
{
    return c == '"' || c == '\\' || (unsigned char)c < 0x20;
}

/* Bytes before the first marked one of a step (STEP if none is). */
static size_t first_marked(const step_bytes *marks)
{
    uint64_t half[2];

    memcpy(half, marks, sizeof half);
    if (half[0])
        return (size_t)__builtin_ctzll(half[0]) / 8;
    return half[1] ? 8 + (size_t)__builtin_ctzll(half[1]) / 8 : STEP;
}

/* Advances s->p to the next quote, backslash, control character or the end. `to`, when not
 * NULL, gets the bytes passed over and up to STEP bytes more. *high collects bits of (at least)
 * all bytes passed over. */
static void find_special(struct scan *s, char *to, unsigned char *high)
{
    const char *p = s->p;
    step_bytes seen = { 0 };
    size_t n = STEP;

    while (s->end - p >= STEP && n == STEP) {
        step_bytes x, marks;

        memcpy(&x, p, STEP);
        if (to) {
            memcpy(to, &x, STEP);
            to += STEP;
        }
        seen |= x;
        marks = (step_bytes)((x == '"') | (x == '\\') | (x < 0x20));
        n = first_marked(&marks);
        p += n;
    }
    for (; n == STEP && p < s->end && !is_special(*p); p++) {
        if (to)
            *to++ = *p;
        *high |= (unsigned char)*p;
    }
    for (int i = 0; i < STEP; i++)
        *high |= seen[i];
    s->p = p;
}

/* Marks the bytes of p[0..STEP) that cannot stand where they are in UTF-8 (Unicode 15, table 3-7),
 * given the three before them: a continuation byte that no lead byte asks for, the lack of one that
 * is asked for, a byte that never occurs, and the second bytes that would make a form too long, a
 * surrogate, or a number past U+10FFFF. */
static inline step_bytes misplaced(const char *p)
{
    step_bytes x, x1, x2, x3, wanted, second;

    memcpy(&x, p, STEP);
    memcpy(&x1, p - 1, STEP);
    memcpy(&x2, p - 2, STEP);
    memcpy(&x3, p - 3, STEP);
    wanted = (step_bytes)((x1 >= 0xC2) | (x2 >= 0xE0) | (x3 >= 0xF0));
    second = (step_bytes)(((x1 == 0xE0) & (x < 0xA0)) | ((x1 == 0xED) & (x > 0x9F)) |
                          ((x1 == 0xF0) & (x < 0x90)) | ((x1 == 0xF4) & (x > 0x8F)));
    return ((step_bytes)((x & 0xC0) == 0x80) ^ wanted) | second |
           (step_bytes)((x >= 0xF5) | ((x & 0xFE) == 0xC0));
}

static inline bool is_ascii(const char *p)
{
    uint64_t half[2];

    memcpy(half, p, STEP);
    return ((half[0] | half[1]) & 0x8080808080808080u) == 0;
}

/* utf8_valid(), STEP bytes at a time and, where any of them is not ASCII,
 * without a branch on which. */
static bool all_utf8(const char *p, size_t n)
{
    char edge[3 + STEP] = { 0 };         /* the first bytes behind ASCII, the last ones before it */
    step_bytes marks = { 0 };
    size_t done = 0, before;
    bool ascii, ascii_before = false;

    if (n >= STEP) {
        memcpy(edge + 3, p, STEP);
        marks |= misplaced(edge + 3);
        for (done = STEP; n - done >= STEP; done += STEP, ascii_before = ascii) {
            ascii = is_ascii(p + done);
            if (!ascii || !ascii_before)
                marks |= misplaced(p + done);
        }
    }
    before = done ? 3 : 0;
    memset(edge, 0, sizeof edge);
    memcpy(edge + 3 - before, p + done - before, n - done + before);
    marks |= misplaced(edge + 3);
    return first_marked(&marks) == STEP;
}

static enum status check_utf8(const struct scan *s, const char *p, const char *end)
{
    uint32_t cp;
    size_t n;

    if (all_utf8(p, (size_t)(end - p)))
        return ST_OK;
    while (p < end && (n = utf8_decode(p, end, &cp)) > 0)
        p += n;
    return bad_at(s, p, "the bytes here are not UTF-8");
}

/* Four hex digits at s->p. */
static bool read_unit(struct scan *s, uint32_t *unit)
{
    if (s->end - s->p < 4)
        return false;
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)*s->p++;
        unsigned letter = c | 0x20;

        if (c >= '0' && c <= '9')
            *unit = *unit << 4 | (c - '0');
        else if (letter >= 'a' && letter <= 'f')
            *unit = *unit << 4 | (letter - 'a' + 10);
        else
            return false;
    }
    return true;
}

/* Behind "\u": one code point, of two escapes where they are a surrogate pair. A surrogate that
 * stands alone says nothing, so it becomes U+FFFD. */
static bool read_code_point(struct scan *s, uint32_t *cp)
{
    uint32_t low;
    const char *behind;

    if (!read_unit(s, cp))
        return false;
    if (*cp < 0xD800 || *cp > 0xDFFF)
        return true;
    behind = s->p;
    if (*cp < 0xDC00 && s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u') {
        s->p += 2;
        if (!read_unit(s, &low))
            return false;
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *cp = 0x10000 + ((*cp - 0xD800) << 10) + (low - 0xDC00);
            return true;
        }
        s->p = behind;
    }
    *cp = 0xFFFD;
    return true;
}

/* At a backslash: what it stands for goes to out (4 bytes of room); *n its length. */
static enum status read_escape(struct scan *s, char out[4], size_t *n)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *at = s->p++, *letter;
    uint32_t cp;

    if (s->p == s->end)
        return bad(s, "");
    if (*s->p == 'u') {
        s->p++;
        if (!read_code_point(s, &cp))
            return bad_at(s, at, "want four hex digits behind \\u");
        *n = utf8_encode(cp, out);
        return ST_OK;
    }
    letter = *s->p ? strchr(letters, *s->p) : NULL;
    if (letter == NULL)
        return bad_at(s, at, "an escape that JSON does not have");
    out[0] = values[letter - letters];
    *n = 1;
    s->p++;
    return ST_OK;
}

/* The rest of a string that has an escape, from the one at s->p. Unescaped text is never longer
 * than its escapes, so a copy of the whole line has room for all strings of it. */
static enum status unescape(struct scan *s, const char *begin, unsigned char *high,
                            struct span *out)
{
    size_t run = (size_t)(s->p - begin);
    char *to;

    if (s->out == NULL)
        s->out = arena_alloc(s->scratch, (size_t)(s->end - s->start) + 2 * STEP);
    out->p = s->out;
    memcpy(s->out, begin, run);
    to = s->out + run;
    while (s->p < s->end && *s->p == '\\') {
        size_t n = 0;

        TRY(read_escape(s, to, &n));
        to += n;
        begin = s->p;
        find_special(s, to, high);
        to += s->p - begin;
    }
    out->n = (size_t)(to - out->p);
    s->out = to;
    return ST_OK;
}

/* The quote that ends a string. high: all its bytes, or-ed. */
static enum status end_string(struct scan *s, const char *begin, unsigned char high)
{
    if (s->p == s->end || *s->p != '"')
        return bad(s, "a control character in a string (want it escaped)");
    if (high & 0x80)
        TRY(check_utf8(s, begin, s->p));
    s->p++;
    return ST_OK;
}

/* The string whose quote is at s->p. */
static enum status read_string(struct scan *s, struct span *out)
{
    const char *begin = ++s->p;
    unsigned char high = 0;

    find_special(s, NULL, &high);
    *out = (struct span){ begin, (size_t)(s->p - begin) };
    if (s->p < s->end && *s->p == '\\')
        TRY(unescape(s, begin, &high, out));
    return end_string(s, begin, high);
}

/* The same, of a string nobody wants. */
static enum status skip_string(struct scan *s)
{
    const char *begin = ++s->p;
    unsigned char high = 0;
    char one[4];
    size_t n;

    find_special(s, NULL, &high);
    while (s->p < s->end && *s->p == '\\') {
        TRY(read_escape(s, one, &n));
        find_special(s, NULL, &high);
    }
    return end_string(s, begin, high);
}

/* ---- other values ---- */

static void skip_space(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n'))
        s->p++;
}

static bool at(const struct scan *s, char c)
{
    return s->p < s->end && *s->p == c;
}

static enum status skip_digits(struct scan *s)
{
    const char *begin = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > begin ? ST_OK : bad(s, "want a digit");
}

static enum status skip_number(struct scan *s)
{
    if (at(s, '-'))
        s->p++;
    if (at(s, '0'))
        s->p++;
    else
        TRY(skip_digits(s));
    if (at(s, '.')) {
        s->p++;
        TRY(skip_digits(s));
    }
    if (at(s, 'e') || at(s, 'E')) {
        s->p++;
        if (at(s, '+') || at(s, '-'))
            s->p++;
        TRY(skip_digits(s));
    }
    return ST_OK;
}

static enum status skip_word(struct scan *s)
{
    static const char *const words[] = { "true", "false", "null" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);

        if ((size_t)(s->end - s->p) >= n && memcmp(s->p, words[i], n) == 0) {
            s->p += n;
            return ST_OK;
        }
    }
    return bad(s, "want a JSON value");
}

static enum status skip_value(struct scan *s, int depth);

/* Behind a key: the colon and the space around it. */
static enum status skip_colon(struct scan *s)
{
    skip_space(s);
    if (!at(s, ':'))
        return bad(s, "want ':' behind a member's name");
    s->p++;
    skip_space(s);
    return ST_OK;
}

/* Behind a member or item: a comma with another one behind it, or (not passed)
 * the closing bracket. */
static enum status skip_comma(struct scan *s, char close)
{
    skip_space(s);
    if (at(s, close))
        return ST_OK;
    if (!at(s, ','))
        return bad(s, close == '}' ? "want ',' or '}'" : "want ',' or ']'");
    s->p++;
    skip_space(s);
    return at(s, close) ? bad(s, "nothing stands behind the ','") : ST_OK;
}

static enum status skip_nested(struct scan *s, int depth)
{
    char close = *s->p == '{' ? '}' : ']';

    if (depth == DEPTH_MAX)
        return bad(s, "nested deeper than 64 levels");
    s->p++;
    skip_space(s);
    while (!at(s, close)) {
        if (close == '}') {
            if (!at(s, '"'))
                return bad(s, "want a member's name in quotes");
            TRY(skip_string(s));
            TRY(skip_colon(s));
        }
        TRY(skip_value(s, depth + 1));
        TRY(skip_comma(s, close));
    }
    s->p++;
    return ST_OK;
}

static enum status skip_value(struct scan *s, int depth)
{
    if (at(s, '"'))
        return skip_string(s);
    if (at(s, '{') || at(s, '['))
        return skip_nested(s, depth);
    if (at(s, '-') || (s->p < s->end && *s->p >= '0' && *s->p <= '9'))
        return skip_number(s);
    return skip_word(s);
}

/* ---- the document's members ---- */

enum member { MEMBER_TEXT, MEMBER_ID, MEMBER_SOURCE, MEMBER_CREATED, MEMBER_METADATA, MEMBERS };
static const char *const member_names[MEMBERS] = { "text", "id", "source", "created", "metadata" };

/* What one line's parse holds. */
struct line_scan {
    struct scan s;
    const struct document_scan *how;
    bool seen[MEMBERS];
    struct span value[MEMBERS];
};

static enum member find_member(const struct line_scan *l, struct span key)
{
    const char *text_key = l->how->text_key ? l->how->text_key : member_names[MEMBER_TEXT];

    if (span_eq(key, text_key))
        return MEMBER_TEXT;
    for (int m = MEMBER_ID; m < MEMBERS; m++)
        if (span_eq(key, member_names[m]))
            return (enum member)m;
    return MEMBERS;
}

static enum status wrong_type(const struct line_scan *l, const char *where, struct span key,
                              const char *want)
{
    return fail(ST_FORMAT, "column %zu: the member '%.*s' wants %s",
                (size_t)(where - l->s.start) + 1, (int)(key.n < 100 ? key.n : 100), key.p, want);
}

/* A value whose type is not the one that a corpus has there. Where it may be absent, null is; in
 * lines from outside (id_optional) so is any other type, and a number serves as an id. */
static enum status odd_value(struct line_scan *l, enum member m, struct span key)
{
    const char *begin = l->s.p;
    bool null = at(&l->s, 'n'), foreign = l->how->id_optional;

    TRY(skip_value(&l->s, 1));
    if (m == MEMBER_TEXT || (m == MEMBER_ID && !foreign) || (!null && !foreign))
        return wrong_type(l, begin, key, m == MEMBER_METADATA ? "an object" : "a string");
    if (m == MEMBER_ID && (*begin == '-' || (*begin >= '0' && *begin <= '9')))
        l->value[m] = (struct span){ begin, (size_t)(l->s.p - begin) };
    return ST_OK;
}

static enum status read_member(struct line_scan *l, enum member m, struct span key)
{
    const char *begin = l->s.p;

    if (m == MEMBERS)
        return skip_value(&l->s, 1);
    if (l->seen[m])
        return fail(ST_FORMAT, "column %zu: the member '%.*s' stands twice",
                    (size_t)(begin - l->s.start) + 1, (int)(key.n < 100 ? key.n : 100), key.p);
    l->seen[m] = true;
    if (m == MEMBER_METADATA && at(&l->s, '{')) {
        TRY(skip_value(&l->s, 1));
        l->value[m] = (struct span){ begin, (size_t)(l->s.p - begin) };
        return ST_OK;
    }
    if (m != MEMBER_METADATA && at(&l->s, '"'))
        return read_string(&l->s, &l->value[m]);
    return odd_value(l, m, key);
}

static enum status read_members(struct line_scan *l)
{
    struct scan *s = &l->s;
    struct span key;

    skip_space(s);
    if (!at(s, '{'))
        return bad(s, "want a JSON object");
    s->p++;
    skip_space(s);
    while (!at(s, '}')) {
        if (!at(s, '"'))
            return bad(s, "want a member's name in quotes");
        TRY(read_string(s, &key));
        TRY(skip_colon(s));
        TRY(read_member(l, find_member(l, key), key));
        TRY(skip_comma(s, '}'));
    }
    s->p++;
    skip_space(s);
    return s->p == s->end ? ST_OK : bad(s, "something stands behind the object");
}

enum status document_parse(const struct document_scan *how, struct span line, struct arena *scratch,
                           struct document *out)
{
    struct line_scan l = { .s = { .start = line.p, .p = line.p, .end = line.p + line.n,
                                  .scratch = scratch },
                           .how = how };

    *out = (struct document){ 0 };
    TRY(read_members(&l));
    if (!l.seen[MEMBER_TEXT])
        return fail(ST_FORMAT, "the member '%s' is missing",
                    how->text_key ? how->text_key : member_names[MEMBER_TEXT]);
    if (!l.seen[MEMBER_ID] && !how->id_optional)
        return fail(ST_FORMAT, "the member 'id' is missing");
    *out = (struct document){ .id = l.value[MEMBER_ID], .text = l.value[MEMBER_TEXT],
                              .source = l.value[MEMBER_SOURCE],
                              .created = l.value[MEMBER_CREATED],
                              .metadata = l.value[MEMBER_METADATA] };
    return ST_OK;
}

/* ---- printing ---- */

static void print_string(struct buf *out, const char *name, struct span value)
{
    buf_addc(out, '"');
    buf_adds(out, name);
    buf_adds(out, "\":");
    json_quote(out, value.p, value.n);
}

static void print_optional(struct buf *out, enum member m, struct span value)
{
    if (value.n == 0)
        return;
    buf_addc(out, ',');
    print_string(out, member_names[m], value);
}

/* JSON text as it is, but on one line: a line feed in it can only be space between values. */
static void print_metadata(struct buf *out, struct span json)
{
    size_t begin;

    if (json.n == 0)
        return;
    buf_adds(out, ",\"metadata\":");
    begin = out->n;
    buf_add(out, json.p, json.n);
    for (char *p = out->p + begin; (p = memchr(p, '\n', (size_t)(out->p + out->n - p))) != NULL;
         p++)
        *p = ' ';
}

void document_print(struct buf *out, const struct document *d)
{
    buf_addc(out, '{');
    print_string(out, member_names[MEMBER_ID], d->id);
    buf_addc(out, ',');
    print_string(out, member_names[MEMBER_TEXT], d->text);
    print_optional(out, MEMBER_SOURCE, d->source);
    print_optional(out, MEMBER_CREATED, d->created);
    print_metadata(out, d->metadata);
    buf_adds(out, "}\n");
}
