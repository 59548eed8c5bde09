/* Web and mail addresses as spaCy's URL_PATTERN has them, without an expression: a scheme and a user part are optional, and what
 * may stand behind them begins at the start, behind "://" or behind an '@'. A host ends at the next '@' at the latest, so all
 * starts together are linear. */
#include <string.h>

#include "curate/text/words.h"

/* Code points that a host's label is made of. */
static bool in_label(uint32_t cp)
{
    return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') || (cp >= '0' && cp <= '9') || (cp >= 0xA1 && cp <= 0xFFFF);
}

/* Behind the host: a port or none, then a path or none, to the end. */
static bool ends_address(const struct word_classes *c, const char *p, const char *end)
{
    if (p < end && *p == ':') {
        int digits = 0;

        for (p++; p < end; digits++) {
            size_t n;

            if (!(word_class_at(c, p, &n) & WORD_DIGIT))
                break;
            p += n;
        }
        if (digits < 2 || digits > 5)
            return false;
    }
    return p == end || *p == '/' || *p == '?' || *p == '#';
}

/* Labels with a dot behind each, at least one, then 2 to 63 small letters. */
static bool is_host(const struct word_classes *c, const char *p, const char *end)
{
    size_t labels = 0;

    for (;;) {
        const char *start = p;
        size_t chars = 0, n = 0;
        bool lower = true, label = true;
        uint32_t cp = 0;

        for (; p < end; p += n, chars++) {
            unsigned flags = word_class_at(c, p, &n);
            bool inner;

            char_decode(p, &cp);
            inner = in_label(cp);
            if (!inner && cp != '_' && cp != '-' && !(flags & WORD_LOWER))
                break;
            lower &= (flags & WORD_LOWER) != 0;
            label &= inner || (p > start && (cp == '_' || cp == '-'));
        }
        if (p < end && *p == '.') {
            if (chars == 0 || chars > 64 || !label || p[-1] == '_' || p[-1] == '-')
                return false;
            labels++;
            p++;
            continue;
        }
        return labels > 0 && lower && chars >= 2 && chars <= 63 && ends_address(c, p, end);
    }
}

struct octet {
    uint32_t digits[3];     /* code points */
    int count;
};

/* Up to three digits of any script; false: none, or more. */
static bool read_octet(const struct word_classes *c, const char **p, const char *end, struct octet *o)
{
    o->count = 0;
    while (*p < end) {
        uint32_t cp;
        size_t n;

        if (!(word_class_at(c, *p, &n) & WORD_DIGIT))
            break;
        if (o->count == 3)
            return false;
        char_decode(*p, &cp);
        o->digits[o->count++] = cp;
        *p += n;
    }
    return o->count > 0;
}

static bool between(uint32_t cp, char first, char last) { return cp >= (uint32_t)first && cp <= (uint32_t)last; }

static bool is_number(const struct octet *o, const char *text)
{
    if ((size_t)o->count != strlen(text))
        return false;
    for (int i = 0; i < o->count; i++)
        if (o->digits[i] != (uint32_t)text[i])
            return false;
    return true;
}

/* [1-9]\d? | 1\d\d */
static bool is_small(const struct octet *o)
{
    return o->count < 3 ? between(o->digits[0], '1', '9') : o->digits[0] == '1';
}

static bool is_first(const struct octet *o)
{
    return is_small(o) || (o->count == 3 && o->digits[0] == '2' &&
                           (between(o->digits[1], '0', '1') || (o->digits[1] == '2' && between(o->digits[2], '0', '3'))));
}

/* 2[0-4]\d | 25[0-most] */
static bool is_large(const struct octet *o, char most)
{
    return o->count == 3 && o->digits[0] == '2' &&
           (between(o->digits[1], '0', '4') || (o->digits[1] == '5' && between(o->digits[2], '0', most)));
}

static bool is_middle(const struct octet *o) { return o->count < 3 || o->digits[0] == '1' || is_large(o, '5'); }

/* The nets that nobody outside can reach are none. */
static bool is_private(const struct octet *o)
{
    if (is_number(&o[0], "10") || is_number(&o[0], "127"))
        return true;
    if ((is_number(&o[0], "169") && is_number(&o[1], "254")) || (is_number(&o[0], "192") && is_number(&o[1], "168")))
        return true;
    if (!is_number(&o[0], "172") || o[1].count != 2)
        return false;
    return (o[1].digits[0] == '1' && between(o[1].digits[1], '6', '9')) || o[1].digits[0] == '2' ||
           (o[1].digits[0] == '3' && between(o[1].digits[1], '0', '1'));
}

static bool is_ip(const struct word_classes *c, const char *p, const char *end)
{
    struct octet o[4];

    for (int i = 0; i < 4; i++) {
        if (i > 0 && (p == end || *p++ != '.'))
            return false;
        if (!read_octet(c, &p, end, &o[i]))
            return false;
    }
    return is_first(&o[0]) && is_middle(&o[1]) && is_middle(&o[2]) && (is_small(&o[3]) || is_large(&o[3], '4')) &&
           !is_private(o) && ends_address(c, p, end);
}

static bool is_place(const struct word_classes *c, const char *p, const char *end)
{
    return is_host(c, p, end) || is_ip(c, p, end);
}

/* Behind "://", if two or more of \w + - . stand before it; NULL: no scheme. */
static const char *behind_scheme(const struct word_classes *c, const char *p, const char *end)
{
    size_t chars = 0, n;

    while (p < end && ((word_class_at(c, p, &n) & WORD_W) || *p == '+' || *p == '-' || *p == '.')) {
        p += n;
        chars++;
    }
    return chars >= 2 && end - p >= 3 && memcmp(p, "://", 3) == 0 ? p + 3 : NULL;
}

bool word_is_address(const struct word_classes *c, const char *p, const char *end)
{
    const char *place;

    if (memchr(p, '.', (size_t)(end - p)) == NULL)
        return false;
    if (is_place(c, p, end))
        return true;
    place = behind_scheme(c, p, end);
    if (place && is_place(c, place, end))
        return true;
    for (place = p; (place = memchr(place, '@', (size_t)(end - place))) != NULL;)
        if (place++ > p && is_place(c, place, end))
            return true;
    return false;
}
