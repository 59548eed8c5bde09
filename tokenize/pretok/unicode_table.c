#include "tokenize/pretok/unicode_table.h"

#include <stdlib.h>
#include <strings.h>

#include "base/arena.h"

bool unicode_known(int version)
{
    static const int versions[] = { 140, 150, 151, 160, 170 };

    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        if (versions[i] == version)
            return true;
    return false;
}

void unicode_fill(int version, uint8_t *category)
{
    for (size_t i = 0; i < unicode_range_count; i++) {
        uint32_t first = unicode_ranges[i] >> 8;
        uint32_t next = i + 1 < unicode_range_count ? unicode_ranges[i + 1] >> 8 : UNICODE_POINTS;

        memset(category + first, (int)(unicode_ranges[i] & 0xFF), next - first);
    }
    for (size_t i = 0; i < unicode_change_count && unicode_changes[i].since > version; i++) {
        const struct unicode_change *c = &unicode_changes[i];

        memset(category + c->first, c->before, c->last - c->first + 1);
    }
}

uint32_t unicode_category_bits(const char *name)
{
    static const char *const names[] = {
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe",
        "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
    };
    size_t n = strlen(name);
    uint32_t bits = 0;

    for (size_t i = 0; n >= 1 && n <= 2 && i < UNICODE_CATEGORIES; i++)
        if (strncasecmp(names[i], name, n) == 0)
            bits |= (uint32_t)1 << i;
    return bits;
}

/* Surrogates are no characters, and PCRE2 takes none in a pattern. */
static void print_range(struct buf *out, uint32_t first, uint32_t last)
{
    first = first >= 0xD800 && first <= 0xDFFF ? 0xE000 : first;
    last = last >= 0xD800 && last <= 0xDFFF ? 0xD7FF : last;
    if (first < last)
        buf_printf(out, "\\x{%x}-\\x{%x}", (unsigned)first, (unsigned)last);
    else if (first == last)
        buf_printf(out, "\\x{%x}", (unsigned)first);
}

/* Other_Alphabetic of category So. */
static bool is_circled(uint32_t cp)
{
    return (cp >= 0x24B6 && cp <= 0x24E9) || (cp >= 0x1F130 && cp <= 0x1F149) || (cp >= 0x1F150 && cp <= 0x1F169) ||
           (cp >= 0x1F170 && cp <= 0x1F189);
}

void unicode_print_ranges(const struct unicode_class *c, bool circled, struct buf *out)
{
    uint8_t *category = mem_alloc(UNICODE_POINTS);
    uint32_t end;

    unicode_fill(c->want, category);
    for (uint32_t i = 0; i < UNICODE_POINTS; i = end) {
        bool in = (c->bits >> category[i] & 1) || (circled && is_circled(i));

        for (end = i + 1; end < UNICODE_POINTS; end++)
            if (((c->bits >> category[end] & 1) || (circled && is_circled(end))) != in)
                break;
        if (in != c->negated)
            print_range(out, i, end - 1);
    }
    free(category);
}

/* Appends what came to the categories from version `have` to `want`. Whether anything left them. No character changes twice in the
 * versions of the table (its script checks that), so each change says all. */
static bool print_added(const struct unicode_class *c, struct buf *added)
{
    bool left = false, newer = c->want > c->have;
    int low = newer ? c->have : c->want, high = newer ? c->want : c->have;

    for (size_t i = 0; i < unicode_change_count; i++) {
        const struct unicode_change *u = &unicode_changes[i];
        bool before = c->bits >> (newer ? u->before : u->now) & 1;
        bool after = c->bits >> (newer ? u->now : u->before) & 1;

        if (u->since <= low || u->since > high || before == after)
            continue;
        if (after)
            print_range(added, u->first, u->last);
        left = left || before;
    }
    return left;
}

void unicode_print_class(const struct unicode_class *c, struct buf *out)
{
    struct buf added = { 0 };
    bool left = print_added(c, &added);

    if (left || (c->negated && added.n > 0))
        unicode_print_ranges(c, false, out);
    else
        buf_printf(out, "\\%c{%s}%s", c->negated ? 'P' : 'p', c->name, added.p ? added.p : "");
    buf_release(&added);
}

uint8_t *unicode_changed_pages(int version, int other)
{
    uint8_t *a, *b, *pages;

    if (version == other)
        return NULL;
    a = mem_alloc(UNICODE_POINTS);
    b = mem_alloc(UNICODE_POINTS);
    pages = mem_alloc(UNICODE_POINTS / 64);
    unicode_fill(version, a);
    unicode_fill(other, b);
    for (uint32_t i = 0; i < UNICODE_POINTS / 64; i++)
        pages[i] = memcmp(a + i * 64, b + i * 64, 64) != 0;
    free(a);
    free(b);
    return pages;
}

bool unicode_without(const uint8_t *pages, struct span text)
{
    const unsigned char *p = (const unsigned char *)text.p, *end = p + text.n;
    uint64_t eight;

    while (p < end) {
        if (end - p >= 8 && (memcpy(&eight, p, 8), (eight & 0x8080808080808080u) == 0)) {
            p += 8;
        } else if (*p < 0x80) {
            p++;
        } else if (*p < 0xE0) {
            if (pages[*p & 31])
                return false;
            p += 2;
        } else if (*p < 0xF0) {
            if (pages[(p[0] & 15) << 6 | (p[1] & 63)])
                return false;
            p += 3;
        } else {
            if (pages[(p[0] & 7) << 12 | (p[1] & 63) << 6 | (p[2] & 63)])
                return false;
            p += 4;
        }
    }
    return true;
}
