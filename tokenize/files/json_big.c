#include "tokenize/files/json_big.h"

/* ---- where they lie ---- */

struct walk {
    const char *p, *end;
};

static void skip_white(struct walk *w)
{
    while (w->p < w->end && (*w->p == ' ' || *w->p == '\n' || *w->p == '\r' || *w->p == '\t'))
        w->p++;
}

/* Behind the string's closing quote; *text is what stands between the quotes. */
static bool skip_string(struct walk *w, struct span *text)
{
    const char *start;

    if (w->p >= w->end || *w->p != '"')
        return false;
    start = ++w->p;
    for (;; w->p += 2) {
        while (w->p < w->end && *w->p != '"' && *w->p != '\\')
            w->p++;
        if (w->end - w->p < 2 || *w->p == '"')
            break;
    }
    if (w->p >= w->end || *w->p != '"')
        return false;
    *text = (struct span){ start, (size_t)(w->p - start) };
    w->p++;
    return true;
}

/* Behind the value that the walk stands on, at the ',' or the bracket that ends it. */
static bool skip_value(struct walk *w)
{
    static const bool stops[256] = {
        ['"'] = true, ['{'] = true, ['['] = true, ['}'] = true, [']'] = true, [','] = true,
    };
    const char *start = w->p;
    struct span ignored;
    size_t depth = 0;

    for (;;) {
        while (w->p < w->end && !stops[(unsigned char)*w->p])
            w->p++;
        if (w->p >= w->end)
            return false;
        if (*w->p == '"') {
            if (!skip_string(w, &ignored))
                return false;
            continue;
        }
        if (depth == 0 && (*w->p == ',' || *w->p == '}' || *w->p == ']'))
            return w->p > start;
        if (*w->p != ',')
            depth += *w->p == '{' || *w->p == '[' ? 1 : (size_t)-1;
        w->p++;
    }
}

/* The next member of the object that the walk is in; stands on its value. */
static bool next_member(struct walk *w, bool first, struct span *key)
{
    skip_white(w);
    if (!first) {
        if (w->p >= w->end || *w->p != ',')
            return false;
        w->p++;
        skip_white(w);
    }
    if (!skip_string(w, key))
        return false;
    skip_white(w);
    if (w->p >= w->end || *w->p != ':')
        return false;
    w->p++;
    skip_white(w);
    return w->p < w->end;
}

static void find_in_model(struct walk *w, struct json_big *big)
{
    struct span key;

    w->p++;
    for (bool first = true; next_member(w, first, &key); first = false) {
        const char *start = w->p;
        struct span value;

        if (!skip_value(w))
            return;
        value = (struct span){ start, (size_t)(w->p - start) };
        while (value.n > 0 && value.p[value.n - 1] != '}' && value.p[value.n - 1] != ']')
            value.n--;
        if (value.n >= 2 && *start == '{' && span_eq(key, "vocab") && big->vocab.p == NULL)
            big->vocab = value;
        else if (value.n >= 2 && *start == '[' && span_eq(key, "merges") && big->merges.p == NULL)
            big->merges = value;
    }
}

void json_big_find(struct span text, struct json_big *big)
{
    struct walk w = { text.p, text.p + text.n };
    struct span key;

    *big = (struct json_big){ { NULL, 0 }, { NULL, 0 } };
    skip_white(&w);
    if (w.p >= w.end || *w.p++ != '{')
        return;
    for (bool first = true; next_member(&w, first, &key); first = false) {
        if (span_eq(key, "model") && *w.p == '{') {
            find_in_model(&w, big);
            return;
        }
        if (!skip_value(&w))
            return;
    }
}

void json_big_rest(struct span text, const struct json_big *big, struct buf *out)
{
    const struct span *one = &big->vocab, *other = &big->merges;
    const char *p = text.p;

    if (one->p == NULL || (other->p != NULL && other->p < one->p)) {
        const struct span *swap = one;

        one = other;
        other = swap;
    }
    for (int i = 0; i < 2; i++) {
        const struct span *cut = i ? other : one;

        if (cut->p == NULL)
            continue;
        buf_add(out, p, (size_t)(cut->p - p));
        buf_adds(out, *cut->p == '{' ? "{}" : "[]");
        p = cut->p + cut->n;
    }
    buf_add(out, p, (size_t)(text.p + text.n - p));
}

/* ---- strings ---- */

struct scan {
    const char *p, *end, *start;
    const char *what;
};

static enum status scan_failed(const struct scan *s, const char *want)
{
    size_t left = (size_t)(s->end - s->p);

    return fail(ST_FORMAT, "'%s': %s at byte %zu of it, at '%.*s'", s->what, want,
                (size_t)(s->p - s->start), (int)(left < 20 ? left : 20), s->p);
}

static void scan_white(struct scan *s)
{
    while (s->p < s->end && (unsigned char)*s->p <= ' ' &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

static bool scan_char(struct scan *s, char c)
{
    scan_white(s);
    if (s->p >= s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool four_hex(const char *p, const char *end, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char c = p + i < end ? p[i] : 'x';
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;

        if (d < 0)
            return false;
        *out = *out * 16 + (uint32_t)d;
    }
    return true;
}

/* \uHHHH, or two of them that are one character; p stands behind "\u". */
static size_t scan_code(const char *p, const char *end, uint32_t *cp)
{
    uint32_t low;

    if (!four_hex(p, end, cp) || (*cp >= 0xDC00 && *cp <= 0xDFFF) || *cp == 0)
        return 0;
    if (*cp < 0xD800 || *cp > 0xDBFF)
        return 4;
    if (end - p < 10 || p[4] != '\\' || p[5] != 'u' || !four_hex(p + 6, end, &low) ||
        low < 0xDC00 || low > 0xDFFF)
        return 0;
    *cp = 0x10000 + ((*cp - 0xD800) << 10) + (low - 0xDC00);
    return 10;
}

/* An escape at the backslash p, into out; returns its length, or 0. */
static size_t scan_escape(const char *p, const char *end, char **out)
{
    static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    const char *at;
    uint32_t cp;
    size_t n;

    if (end - p < 2)
        return 0;
    if (p[1] == 'u') {
        n = scan_code(p + 2, end, &cp);
        if (n > 0)
            *out += utf8_encode(cp, *out);
        return n ? n + 2 : 0;
    }
    at = memchr(names, p[1], sizeof names - 1);
    if (at == NULL)
        return 0;
    *(*out)++ = means[at - names];
    return 2;
}

/* A string into *out, which has room for all that is left, and a NUL. Escapes never grow. */
static enum status scan_string(struct scan *s, char **out, struct span *text)
{
    char *start = *out;

    if (!scan_char(s, '"'))
        return scan_failed(s, "want a text in quotes");
    for (size_t n; s->p < s->end && *s->p != '"'; s->p += n) {
        char *to = *out;
        const char *p = s->p, *end = s->end;

        while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
            *to++ = *p++;
        *out = to;
        s->p = p;
        n = 0;
        if (p < end && *p == '"')
            break;
        if (p < end && *p == '\\')
            n = scan_escape(p, end, out);
        if (n == 0)
            return scan_failed(s, "want another character in a text");
    }
    if (s->p >= s->end)
        return scan_failed(s, "a text without end");
    s->p++;
    *text = (struct span){ start, (size_t)(*out - start) };
    *(*out)++ = 0;
    return ST_OK;
}

static enum status begin(struct scan *s, struct span text, const char *what)
{
    *s = (struct scan){ text.p, text.p + text.n, text.p, what };
    if (!utf8_valid(text.p, text.n))
        return fail(ST_FORMAT, "'%s': the vocabulary or the merges are not UTF-8", what);
    return ST_OK;
}

/* ---- vocab ---- */

static enum status scan_id(struct scan *s, struct span token, int64_t *id)
{
    bool minus;
    const char *digits;

    scan_white(s);
    minus = s->p < s->end && *s->p == '-';
    s->p += minus;
    digits = s->p;
    for (*id = 0; s->p < s->end && *s->p >= '0' && *s->p <= '9' && s->p - digits < 18; s->p++)
        *id = *id * 10 + (*s->p - '0');
    if (s->p == digits || (*digits == '0' && s->p - digits > 1) ||
        (s->p < s->end && (*s->p == '.' || *s->p == 'e' || *s->p == 'E' ||
                           (*s->p >= '0' && *s->p <= '9'))))
        return fail(ST_FORMAT, "'%s': the id of token '%.80s' is not a whole number", s->what,
                    token.p);
    *id = minus ? -*id : *id;
    return ST_OK;
}

enum status json_big_vocab(struct span text, const char *what, struct arena *a, json_vocab_fn *take,
                           void *ctx)
{
    struct scan s;
    char *out = arena_alloc(a, text.n + 1);

    TRY(begin(&s, text, what));
    if (!scan_char(&s, '{'))
        return scan_failed(&s, "want '{'");
    for (bool first = true; !scan_char(&s, '}'); first = false) {
        struct span token;
        int64_t id;

        if (!first && !scan_char(&s, ','))
            return scan_failed(&s, "want ',' or '}' in the vocabulary");
        TRY(scan_string(&s, &out, &token));
        if (!scan_char(&s, ':'))
            return scan_failed(&s, "want ':' behind a token");
        TRY(scan_id(&s, token, &id));
        TRY(take(ctx, token, id));
    }
    return s.p == s.end ? ST_OK : scan_failed(&s, "want nothing behind '}'");
}

/* ---- merges ---- */

static enum status not_a_merge(const struct scan *s, size_t rank)
{
    return fail(ST_FORMAT, "'%s': merges[%zu] is neither \"a b\" nor [\"a\", \"b\"]", s->what, rank);
}

static enum status scan_merge(struct scan *s, size_t rank, char **room, struct span side[2])
{
    struct span text;
    const char *space;

    scan_white(s);
    if (s->p < s->end && *s->p == '[') {
        s->p++;
        for (int i = 0; i < 2; i++) {
            scan_white(s);
            if ((i && !scan_char(s, ',')) || (scan_white(s), s->p >= s->end || *s->p != '"'))
                return not_a_merge(s, rank);
            TRY(scan_string(s, room, &side[i]));
        }
        return scan_char(s, ']') ? ST_OK : not_a_merge(s, rank);
    }
    if (s->p >= s->end || *s->p != '"')
        return not_a_merge(s, rank);
    TRY(scan_string(s, room, &text));
    space = memchr(text.p, ' ', text.n);
    if (space == NULL || memchr(space + 1, ' ', (size_t)(text.p + text.n - space - 1)) != NULL)
        return not_a_merge(s, rank);
    side[0] = (struct span){ text.p, (size_t)(space - text.p) };
    side[1] = (struct span){ space + 1, (size_t)(text.p + text.n - space - 1) };
    return ST_OK;
}

enum status json_big_merges(struct span text, const char *what, struct arena *a,
                            json_merge_fn *take, void *ctx)
{
    struct scan s;
    char *room = arena_alloc(a, text.n + 2);
    enum status st = begin(&s, text, what);

    if (st == ST_OK && !scan_char(&s, '['))
        st = scan_failed(&s, "want '['");
    for (size_t rank = 0; st == ST_OK && !scan_char(&s, ']'); rank++) {
        struct span side[2] = { { NULL, 0 }, { NULL, 0 } };

        if (rank > 0 && !scan_char(&s, ','))
            st = scan_failed(&s, "want ',' or ']' in the merges");
        if (st == ST_OK)
            st = scan_merge(&s, rank, &room, side);
        if (st == ST_OK)
            st = take(ctx, rank, side[0], side[1]);
    }
    if (st == ST_OK && s.p != s.end)
        st = scan_failed(&s, "want nothing behind ']'");
    return st;
}
