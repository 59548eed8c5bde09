#include "base/cursor.h"

#include "base/status.h"

struct cursor cursor_over(const void *p, size_t n)
{
    const unsigned char *start = p;

    if (n == 0)   /* p may be NULL then, and NULL + 0 is not ours to compute */
        start = (const unsigned char *)"";
    return (struct cursor){ .p = start, .end = start + n, .start = start };
}

/* The next n bytes, or NULL (and bad from then on) if there are fewer. */
static const unsigned char *take(struct cursor *c, uint64_t n)
{
    const unsigned char *p = c->p;

    if (c->bad || n > (uint64_t)(c->end - c->p)) {
        c->bad = true;
        return NULL;
    }
    c->p += n;
    return p;
}

uint64_t cursor_uint(struct cursor *c, int bytes)
{
    const unsigned char *p;
    uint64_t v = 0;

    BUG_IF(bytes < 1 || bytes > 8);
    p = take(c, (uint64_t)bytes);
    if (!p)
        return 0;
    for (int i = bytes - 1; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

struct span cursor_bytes(struct cursor *c, uint64_t n)
{
    const unsigned char *p = take(c, n);

    return p ? (struct span){ (const char *)p, (size_t)n } : (struct span){ "", 0 };
}

size_t cursor_left(const struct cursor *c)
{
    return c->bad ? 0 : (size_t)(c->end - c->p);
}

size_t cursor_offset(const struct cursor *c)
{
    return (size_t)(c->p - c->start);
}
