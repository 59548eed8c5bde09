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

static bool is_in(uint32_t cp, const uint32_t (*ranges)[2], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (cp >= ranges[i][0] && cp <= ranges[i][1])
            return true;
    return false;
}

int utf8_columns(uint32_t cp)
{
    static const uint32_t none[][2] = {
        { 0x0300, 0x036F }, { 0x0483, 0x0489 }, { 0x0591, 0x05BD }, { 0x0610, 0x061A },
        { 0x064B, 0x065F }, { 0x093C, 0x093C }, { 0x0941, 0x0948 }, { 0x0E31, 0x0E31 },
        { 0x0E34, 0x0E3A }, { 0x1AB0, 0x1AFF }, { 0x1DC0, 0x1DFF }, { 0x200B, 0x200F },
        { 0x20D0, 0x20FF }, { 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F }, { 0xE0100, 0xE01EF },
    };
    static const uint32_t two[][2] = {
        { 0x1100, 0x115F },   { 0x231A, 0x231B },   { 0x2E80, 0x303E },   { 0x3041, 0x33FF },
        { 0x3400, 0x4DBF },   { 0x4E00, 0x9FFF },   { 0xA000, 0xA4CF },   { 0xA960, 0xA97F },
        { 0xAC00, 0xD7A3 },   { 0xF900, 0xFAFF },   { 0xFE30, 0xFE6F },   { 0xFF01, 0xFF60 },
        { 0xFFE0, 0xFFE6 },   { 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF },
        { 0x1FA70, 0x1FAFF }, { 0x20000, 0x3FFFD },
    };

    if (cp < 0x300)
        return 1;
    if (is_in(cp, none, sizeof none / sizeof *none))
        return 0;
    return is_in(cp, two, sizeof two / sizeof *two) ? 2 : 1;
}

size_t utf8_width(const char *p, size_t n)
{
    size_t columns = 0;

    for (const char *end = p + n; p < end;) {
        uint32_t cp;
        size_t length = utf8_decode(p, end, &cp);
        columns += length > 0 ? (size_t)utf8_columns(cp) : 1;
        p += length > 0 ? length : 1;
    }
    return columns;
}
