/* The UTF-8 half of base/str.h. */
#include "base/str.h"

/* Length of the sequence that lead byte b begins, and the range of its second byte
 * (Unicode 15, table 3-7); 0 if no sequence begins so. */
static size_t sequence(unsigned char b, unsigned char *lo, unsigned char *hi)
{
    *lo = b == 0xE0 ? 0xA0 : b == 0xF0 ? 0x90 : 0x80;
    *hi = b == 0xED ? 0x9F : b == 0xF4 ? 0x8F : 0xBF;
    if (b < 0x80)
        return 1;
    if (b < 0xC2)
        return 0;
    return b < 0xE0 ? 2 : b < 0xF0 ? 3 : b < 0xF5 ? 4 : 0;
}

/* Bytes at p (p < end) that belong together: a whole character (*good) or the maximal
 * ill-formed part, which is a broken-off beginning of one or a single byte. */
static size_t step(const char *p, const char *end, bool *good)
{
    unsigned char lo, hi;
    size_t n = sequence((unsigned char)*p, &lo, &hi);

    *good = false;
    for (size_t i = 1; i < n; i++) {
        unsigned char b;

        if (p + i == end)
            return i;
        b = (unsigned char)p[i];
        if (b < lo || b > hi)
            return i;
        lo = 0x80;
        hi = 0xBF;
    }
    *good = n > 0;
    return n ? n : 1;
}

/* Where the run of ASCII at p ends. */
static const char *skip_ascii(const char *p, const char *end)
{
    while (end - p >= 8) {
        uint64_t eight;

        memcpy(&eight, p, 8);
        if (eight & 0x8080808080808080u)
            break;
        p += 8;
    }
    while (p < end && (unsigned char)*p < 0x80)
        p++;
    return p;
}

size_t utf8_decode(const char *p, const char *end, uint32_t *cp)
{
    static const unsigned char lead_bits[5] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    bool good;
    size_t n = step(p, end, &good);
    uint32_t c;

    if (!good)
        return 0;
    c = (unsigned char)p[0] & lead_bits[n];
    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)p[i] & 0x3F);
    *cp = c;
    return n;
}

size_t utf8_encode(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

bool utf8_valid(const char *p, size_t n)
{
    const char *end;
    bool good = true;

    if (n == 0) /* p may be NULL */
        return true;
    end = p + n;

    while (good && (p = skip_ascii(p, end)) < end)
        p += step(p, end, &good);
    return good;
}

size_t utf8_repair(struct buf *out, const char *p, size_t n)
{
    const char *end, *run = p;           /* run: good bytes not yet copied */
    size_t replaced = 0;

    buf_reserve(out, n); /* out->p is text even if nothing comes */
    out->p[out->n] = 0;
    if (n == 0)
        return 0;
    end = p + n;
    while ((p = skip_ascii(p, end)) < end) {
        bool good;
        size_t len = step(p, end, &good);

        if (!good) {
            buf_add(out, run, (size_t)(p - run));
            buf_add(out, "\xEF\xBF\xBD", 3);
            run = p + len;
            replaced++;
        }
        p += len;
    }
    buf_add(out, run, (size_t)(end - run));
    return replaced;
}

size_t utf8_length(const char *p, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)p[i] & 0xC0) != 0x80;
    return count;
}
