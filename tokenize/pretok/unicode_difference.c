/* Where the categories that a chain's patterns name differ between two versions of Unicode. */
#include <ctype.h>
#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/pretok/pretok_part.h"
#include "tokenize/pretok/unicode_table.h"

#define SETS_MAX 32

/* The different sets of categories that patterns ask for. */
struct sets {
    uint32_t v[SETS_MAX];
    size_t count;
};

static void add_set(struct sets *s, uint32_t bits)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->v[i] == bits)
            return;
    if (bits != 0 && s->count < SETS_MAX)
        s->v[s->count++] = bits;
}

/* The categories of "{Lu}", "{^Letter}", ... */
static uint32_t named_set(const char *p)
{
    static const char *const names[][2] = { { "letter", "L" }, { "mark", "M" }, { "number", "N" },
        { "punctuation", "P" }, { "symbol", "S" }, { "separator", "Z" }, { "other", "C" } };
    char name[16];
    size_t n = 0;

    for (; *p && *p != '}' && n + 1 < sizeof name; p++)
        if (isalpha((unsigned char)*p))
            name[n++] = (char)tolower((unsigned char)*p);
    name[n] = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i][0], name) == 0)
            return unicode_category_bits(names[i][1]);
    return unicode_category_bits(name);
}

/* Of \w, \b and [:word:] and of [:digit:] and [:punct:]; the other brackets hold nothing that changes. */
static void add_word(struct sets *s)
{
    add_set(s, unicode_category_bits("L") | unicode_category_bits("M") | unicode_category_bits("Nd") |
               unicode_category_bits("Nl") | unicode_category_bits("Pc"));
}

static void add_bracket(struct sets *s, const char *name)
{
    name += *name == '^';
    if (strncmp(name, "word:]", 6) == 0)
        add_word(s);
    else if (strncmp(name, "digit:]", 7) == 0)
        add_set(s, unicode_category_bits("Nd"));
    else if (strncmp(name, "punct:]", 7) == 0)
        add_set(s, unicode_category_bits("P") | unicode_category_bits("S"));
}

static void add_pattern(struct sets *s, const char *p)
{
    for (; *p; p++) {
        if (*p == '[' && p[1] == ':')
            add_bracket(s, p + 2);
        if (*p != '\\' || p[1] == 0)
            continue;
        p++;
        if ((*p == 'p' || *p == 'P') && p[1] == '{')
            add_set(s, named_set(p + 1));
        else if (*p == 'd' || *p == 'D')
            add_set(s, unicode_category_bits("Nd"));
        else if (strchr("wWbB", *p))
            add_word(s);
    }
}

static bool differs(const struct sets *s, unsigned a, unsigned b)
{
    for (size_t i = 0; i < s->count; i++)
        if ((s->v[i] >> a & 1) != (s->v[i] >> b & 1))
            return true;
    return false;
}

void pretok_unicode_difference(const struct pretok *p, int other_version,
                               void (*fn)(void *ctx, uint32_t first, uint32_t last), void *ctx)
{
    uint8_t *a = mem_alloc(UNICODE_POINTS), *b = mem_alloc(UNICODE_POINTS);
    struct sets sets = { .count = 0 };
    uint32_t end;

    unicode_fill(p->unicode, a);
    unicode_fill(other_version, b);
    for (size_t i = 0; i < p->count; i++)
        add_pattern(&sets, p->cuts[i].pattern);
    for (uint32_t i = 0; i < UNICODE_POINTS; i = end) {
        bool now = differs(&sets, a[i], b[i]);

        for (end = i + 1; end < UNICODE_POINTS && differs(&sets, a[end], b[end]) == now; end++)
            ;
        if (now)
            fn(ctx, i, end - 1);
    }
    free(a);
    free(b);
}
