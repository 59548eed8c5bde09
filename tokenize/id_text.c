#include "tokenize/id_text.h"

#define NUMBER_MAX 20                /* digits of a 64-bit number */

void id_text_add_number(struct buf *out, uint64_t n)
{
    char text[NUMBER_MAX];
    size_t at = sizeof text;

    do {
        text[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    buf_add(out, text + at, sizeof text - at);
}

/* Writes the digits of n from p on and returns where they end. */
static char *put_id(char *p, uint32_t n)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233"
                                "34353637383940414243444546474849505152535455565758596061626364656667"
                                "6869707172737475767778798081828384858687888990919293949596979899";
    int digits = n < 10 ? 1 : n < 100 ? 2 : n < 1000 ? 3 : n < 10000 ? 4 : n < 100000 ? 5
                 : n < 1000000 ? 6 : n < 10000000 ? 7 : n < 100000000 ? 8 : n < 1000000000 ? 9 : 10;
    char *end = p + digits;

    for (p = end; n >= 100; n /= 100)
        memcpy(p -= 2, pairs + 2 * (n % 100), 2);
    if (n >= 10)
        memcpy(p - 2, pairs + 2 * n, 2);
    else
        p[-1] = (char)('0' + n);
    return end;
}

void id_text_add(struct buf *out, const uint32_t *ids, size_t count, char separator)
{
    char *p;

    if (count == 0)
        return;
    buf_reserve(out, count * 11);
    p = out->p + out->n;
    for (size_t i = 0; i < count; i++) {
        p = put_id(p, ids[i]);
        *p++ = separator;
    }
    p[-1] = 0;
    out->n = (size_t)(p - 1 - out->p);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The id that begins at p; NULL if there is none. */
static const char *read_id(const char *p, const char *end, uint32_t *id)
{
    const char *begin = p;
    uint64_t n = 0;

    while (p < end && *p >= '0' && *p <= '9' && n <= UINT32_MAX)
        n = n * 10 + (uint64_t)(*p++ - '0');
    *id = (uint32_t)n;
    return p > begin && n <= UINT32_MAX ? p : NULL;
}

size_t id_text_read(struct span text, struct token_list *out)
{
    const char *p = text.p, *end = text.p + text.n;

    for (;;) {
        const char *next;
        uint32_t id;

        while (p < end && is_blank(*p))
            p++;
        if (p == end)
            return text.n;
        next = read_id(p, end, &id);
        if (next == NULL || (next < end && !is_blank(*next)))
            return (size_t)(p - text.p);
        token_list_add(out, id);
        p = next;
    }
}

/* ---- one object ---- */

struct cursor {
    const char *p, *end;
};

static bool accept(struct cursor *c, char want)
{
    while (c->p < c->end && is_blank(*c->p))
        c->p++;
    if (c->p == c->end || *c->p != want)
        return false;
    c->p++;
    return true;
}

/* A string without escapes and control characters. */
static bool accept_string(struct cursor *c, struct span *out)
{
    const char *begin;

    if (!accept(c, '"'))
        return false;
    begin = c->p;
    while (c->p < c->end && *c->p != '"' && *c->p != '\\' && (unsigned char)*c->p >= ' ')
        c->p++;
    *out = (struct span){ begin, (size_t)(c->p - begin) };
    return c->p < c->end && *c->p++ == '"' && utf8_valid(out->p, out->n);
}

static bool accept_ids(struct cursor *c, struct token_list *out)
{
    if (!accept(c, '['))
        return false;
    if (accept(c, ']'))
        return true;
    do {
        const char *next;
        uint32_t id;

        while (c->p < c->end && is_blank(*c->p))
            c->p++;
        next = read_id(c->p, c->end, &id);
        if (next == NULL || (*c->p == '0' && next > c->p + 1))
            return false;
        token_list_add(out, id);
        c->p = next;
    } while (accept(c, ','));
    return accept(c, ']');
}

static bool read_members(struct cursor *c, struct span *id, struct token_list *out)
{
    struct span name;

    if (!accept(c, '{') || !accept_string(c, &name) || !accept(c, ':'))
        return false;
    if (span_eq(name, "id") &&
        !(accept_string(c, id) && accept(c, ',') && accept_string(c, &name) && accept(c, ':')))
        return false;
    if (!span_eq(name, "ids") || !accept_ids(c, out) || !accept(c, '}'))
        return false;
    while (c->p < c->end && is_blank(*c->p))
        c->p++;
    return c->p == c->end;
}

bool id_text_read_object(struct span line, struct span *id, struct token_list *out)
{
    struct cursor c = { line.p, line.p + line.n };
    size_t before = out->count;

    *id = (struct span){ 0 };
    if (read_members(&c, id, out))
        return true;
    out->count = before;
    return false;
}
