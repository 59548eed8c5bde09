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

void unicode_differences(uint32_t bits, int first_version, int second_version,
                         void (*fn)(void *ctx, uint32_t first, uint32_t last, bool now), void *ctx)
{
    uint8_t *a = mem_alloc(UNICODE_POINTS), *b = mem_alloc(UNICODE_POINTS);
    uint32_t end;

    unicode_fill(first_version, a);
    unicode_fill(second_version, b);
    for (uint32_t i = 0; i < UNICODE_POINTS; i = end) {
        int was = bits >> a[i] & 1, is = bits >> b[i] & 1;

        for (end = i + 1; end < UNICODE_POINTS; end++)
            if ((int)(bits >> a[end] & 1) != was || (int)(bits >> b[end] & 1) != is)
                break;
        if (was != is)
            fn(ctx, i, end - 1, is);
    }
    free(a);
    free(b);
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

static void print_all(const struct unicode_class *c, struct buf *out)
{
    uint8_t *category = mem_alloc(UNICODE_POINTS);
    uint32_t end;

    unicode_fill(c->want, category);
    for (uint32_t i = 0; i < UNICODE_POINTS; i = end) {
        bool in = c->bits >> category[i] & 1;

        for (end = i + 1; end < UNICODE_POINTS && (c->bits >> category[end] & 1) == in; end++)
            ;
        if (in != c->negated)
            print_range(out, i, end - 1);
    }
    free(category);
}

struct changes {
    struct buf added;
    bool removed;
};

static void note_change(void *ctx, uint32_t first, uint32_t last, bool now)
{
    struct changes *c = ctx;

    if (now)
        print_range(&c->added, first, last);
    c->removed = c->removed || !now;
}

void unicode_print_class(const struct unicode_class *c, struct buf *out)
{
    struct changes changes = { 0 };

    unicode_differences(c->bits, c->have, c->want, note_change, &changes);
    if (changes.removed || (c->negated && changes.added.n > 0))
        print_all(c, out);
    else
        buf_printf(out, "\\%c{%s}%s", c->negated ? 'P' : 'p', c->name,
                   changes.added.p ? changes.added.p : "");
    buf_release(&changes.added);
}
