#include "curate/text/python_text.h"

#include <utf8proc.h>

#include "curate/text/char_class.h"

size_t python_line_end(const char *p, const char *end)
{
    const unsigned char *u = (const unsigned char *)p;

    if (*u == '\r')
        return p + 1 < end && p[1] == '\n' ? 2 : 1;
    if ((*u >= '\n' && *u <= '\f') || (*u >= 0x1C && *u <= 0x1E))
        return 1;
    if (*u == 0xC2 && u[1] == 0x85)
        return 2;
    return *u == 0xE2 && u[1] == 0x80 && (u[2] == 0xA8 || u[2] == 0xA9) ? 3 : 0;
}

/* May a line end begin with this byte? */
static bool may_end(unsigned char c) { return c < 0x20 || c == 0xC2 || c == 0xE2; }

bool python_line(struct span *rest, struct span *line)
{
    const char *p = rest->p, *end = p + rest->n;
    size_t n = 0;

    if (rest->n == 0)
        return false;
    while (p < end && (!may_end((unsigned char)*p) || (n = python_line_end(p, end)) == 0))
        p++;
    *line = (struct span){ rest->p, (size_t)(p - rest->p) };
    if (p < end)
        p += n;
    *rest = (struct span){ p, (size_t)(end - p) };
    return true;
}

static void lower_one(struct buf *out, uint32_t cp)
{
    utf8proc_uint8_t bytes[4];

    if (cp == 0x130) {      /* the only one that becomes two */
        buf_add(out, "i\xCC\x87", 3);
        return;
    }
    buf_add(out, (const char *)bytes, (size_t)utf8proc_encode_char(utf8proc_tolower((utf8proc_int32_t)cp), bytes));
}

void python_lower(struct buf *out, struct span text)
{
    const char *p = text.p, *end = p + text.n;

    while (p < end) {
        const char *start = p;
        uint32_t cp;

        while (p < end && (unsigned char)*p < 0x80)
            p++;
        if (p > start) {
            char *to;

            buf_add(out, start, (size_t)(p - start));
            to = out->p + out->n - (p - start);
            for (size_t i = 0; i < (size_t)(p - start); i++)
                to[i] = (char)(to[i] + (to[i] >= 'A' && to[i] <= 'Z') * 32);
        }
        if (p < end) {
            p += char_decode(p, &cp);
            lower_one(out, cp);
        }
    }
}
