#include "tokenize/encode/safe_cut.h"

#include "tokenize/encode/token_nfc.h"
#include "tokenize/tokenizer_part.h"

enum line_rule {
    LINE_NONE,
    LINE_ALONE,                      /* a line feed behind a character that is not white */
    LINE_ANY,                        /* any line feed */
};

static enum line_rule rule_of(const struct pretok *p)
{
    static const struct {
        const char *pattern;
        enum line_rule rule;
    } known[] = { { "gpt2", LINE_ALONE }, { "cl100k", LINE_ANY }, { "llama3", LINE_ANY },
                  { "qwen2", LINE_ANY },  { "o200k", LINE_ANY } };
    const char *cut = pretok_cut(p, 0), *name = cut ? pretok_pattern_name(cut) : NULL;

    if (name == NULL || pretok_cut(p, 1) != NULL)
        return LINE_NONE;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].pattern, name) == 0)
            return known[i].rule;
    return LINE_NONE;
}

/* Letters (L*) of the larger scripts, all of them starters that compose with nothing before. */
static bool is_letter(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } letters[] = { { 'A', 'Z' },         { 'a', 'z' },         { 0xC0, 0xD6 },     { 0xD8, 0xF6 },
                    { 0xF8, 0x17F },      { 0x391, 0x3A1 },     { 0x3B1, 0x3C9 },   { 0x400, 0x481 },
                    { 0x5D0, 0x5EA },     { 0x621, 0x63A },     { 0x905, 0x939 },   { 0xE01, 0xE30 },
                    { 0x3041, 0x3096 },   { 0x30A1, 0x30FA },   { 0x4E00, 0x9FA5 }, { 0xAC00, 0xD7A3 } };

    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (c <= letters[i].last)
            return c >= letters[i].first;
    return false;
}

/* Is the byte the end of a character that is surely not white space? ASCII, or two bytes or more
 * that are neither U+0085, U+00A0, nor of the blocks with spaces. */
static bool ends_solid(struct span text, size_t at)
{
    unsigned char c = (unsigned char)text.p[at - 1];
    size_t lead = at - 1;
    uint32_t cp = 0;

    if (c < 0x80)
        return c > ' ' && c < 0x7F;
    while (lead > 0 && at - lead < 4 && ((unsigned char)text.p[lead] & 0xC0) == 0x80)
        lead--;
    if (utf8_decode(text.p + lead, text.p + at, &cp) != at - lead)
        return false;
    return cp > 0xA0 && cp != 0x1680 && cp != 0x180E && !(cp >= 0x2000 && cp <= 0x205F) && cp != 0x3000;
}

static size_t line_cut(const struct pretok *p, struct span text, size_t from, size_t limit)
{
    enum line_rule rule = rule_of(p);

    if (rule == LINE_NONE || text.n < 2)
        return 0;
    for (size_t i = limit < text.n - 1 ? limit : text.n - 1; i > from && i > 1; i--) {
        uint32_t cp = 0;

        if (text.p[i - 1] == '\n' && (rule == LINE_ANY || ends_solid(text, i - 1)) &&
            utf8_decode(text.p + i, text.p + text.n, &cp) > 0 && is_letter(cp))
            return i;
    }
    return 0;
}

static size_t pattern_cut(const struct pretok *p, struct span text, size_t from, size_t limit)
{
    struct span rest = { text.p + from, text.n - from };
    size_t at = limit > from ? pretok_safe_cut(p, rest, limit - from) : 0;

    return at > 0 ? from + at : line_cut(p, text, from, limit);
}

static bool tokens_allow(const struct tokenizer *t, struct span text, size_t at)
{
    size_t near = added_set_longest(t->added_normal) + 4;

    if (!added_set_allows_cut(t->added_raw, text, at))
        return false;
    near = near < at ? near : at;
    if (t->nfc && !added_set_is_empty(t->added_normal) &&
        !token_nfc_is_plain((struct span){ text.p + at - near, near }, FORM_NFC))
        return false;
    return added_set_allows_cut(t->added_normal, text, at);
}

size_t safe_cut(const struct tokenizer *t, struct span text, size_t from, size_t limit)
{
    size_t at;

    if (t->normalizer || t->stage_count || t->symbols)     /* not proven for these */
        return 0;
    at = pattern_cut(t->pretok, text, from, limit);
    while (at > 0 && !tokens_allow(t, text, at))
        at = pattern_cut(t->pretok, text, from, at - 1);
    return at;
}
