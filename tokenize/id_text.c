#include "tokenize/id_text.h"

#include <endian.h>

#define NUMBER_MAX 20                /* digits of a 64-bit number */

static char *put_number(char *p, uint64_t n)
{
    char text[NUMBER_MAX];
    size_t at = sizeof text;

    do {
        text[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    memcpy(p, text + at, sizeof text - at);
    return p + sizeof text - at;
}

void id_text_add_number(struct buf *out, uint64_t n)
{
    buf_reserve(out, NUMBER_MAX);
    out->n = (size_t)(put_number(out->p + out->n, n) - out->p);
    out->p[out->n] = 0;
}

/* Writes the digits of n < 10^8 from p on, where 8 bytes have room, and returns where they end. The
 * eight digits are made in the bytes of one number, the first in the lowest byte: halves, quarters and
 * eighths by multiplication in all lanes at once; then leading zeros are shifted out. */
static char *put_id(char *p, uint32_t n)
{
    uint64_t x = n / 10000 | (uint64_t)(n % 10000) << 32, high;
    int zeros;

    high = (x * 10486) >> 20 & UINT64_C(0x0000007F0000007F);             /* of each lane, / 100 */
    x = high | (x - 100 * high) << 16;
    high = (x * 103) >> 10 & UINT64_C(0x000F000F000F000F);               /* / 10 */
    x = high | (x - 10 * high) << 8;
    zeros = __builtin_ctzll(x | UINT64_C(1) << 56) / 8;
    x = htole64((x | UINT64_C(0x3030303030303030)) >> (8 * zeros));
    memcpy(p, &x, 8);
    return p + 8 - zeros;
}

void id_text_add(struct buf *out, const uint32_t *ids, size_t count, char separator)
{
    char *p;

    if (count == 0)
        return;
    buf_reserve(out, count * 11 + 8);
    p = out->p + out->n;
    for (size_t i = 0; i < count; i++) {
        p = ids[i] < 100000000 ? put_id(p, ids[i]) : put_number(p, ids[i]);
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

    for (unsigned digit; p < end && (digit = (unsigned)*p - '0') < 10 && n <= UINT32_MAX; p++)
        n = n * 10 + digit;
    *id = (uint32_t)n;
    return p > begin && n <= UINT32_MAX ? p : NULL;
}

size_t id_text_read(struct span text, struct token_list *out)
{
    const char *p = text.p, *end = text.p + text.n;
    uint32_t *ids;

    token_list_reserve(out, text.n / 2 + 1);
    ids = out->v + out->count;
    for (;;) {
        const char *next;

        while (p < end && is_blank(*p))
            p++;
        if (p == end)
            break;
        next = read_id(p, end, ids);
        if (next == NULL || (next < end && !is_blank(*next)))
            break;
        ids++;
        p = next;
    }
    out->count = (size_t)(ids - out->v);
    return (size_t)(p - text.p);
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
