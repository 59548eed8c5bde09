#include "tokenize/encode/safe_cut.h"

#include "tokenize/encode/mark_cut.h"
#include "tokenize/encode/token_nfc.h"
#include "tokenize/tokenizer_part.h"

static size_t pattern_cut(const struct pretok *p, struct span text, size_t from, size_t limit)
{
    struct span rest = { text.p + from, text.n - from };
    size_t at = limit > from ? pretok_safe_cut(p, rest, limit - from) : 0;

    return at > 0 ? from + at : 0;
}

/* Is the text around `at` surely its own NFC, for the `near` bytes before and the character behind? Of
 * that one the next tells whether it is composed, but for white space. */
static bool is_normal_near(struct span text, size_t at, size_t near)
{
    size_t from = at > near ? at - near : 0, to = text.n - at > 8 ? at + 8 : text.n;

    if (to - at < 3 && (unsigned char)text.p[at] > ' ')
        return false;
    return token_nfc_is_plain((struct span){ text.p + from, to - from }, FORM_NFC);
}

static bool tokens_allow(const struct tokenizer *t, struct span text, size_t at)
{
    if (!added_set_allows_cut(t->added_raw, text, at))
        return false;
    if (t->nfc && !added_set_is_empty(t->added_normal) &&
        !is_normal_near(text, at, added_set_longest(t->added_normal) + 4))
        return false;
    return added_set_allows_cut(t->added_normal, text, at);
}

size_t safe_cut(const struct tokenizer *t, struct span text, size_t from, size_t limit)
{
    size_t at;

    if (t->normalizer_inside)
        return mark_cut(t, text, from, limit);
    if (t->normalizer || t->stage_count || t->symbols)     /* not proven for these */
        return 0;
    at = pattern_cut(t->pretok, text, from, limit);
    while (at > 0 && !tokens_allow(t, text, at))
        at = pattern_cut(t->pretok, text, from, at - 1);
    return at;
}
