#include "tokenize/encode/mark_cut.h"

#include "tokenize/tokenizer_part.h"

#define MARK "\xE2\x96\x81"

static bool is_mark_step(const struct normal_step *s)
{
    return s->kind == NORMAL_REPLACE && span_eq(s->from, " ") && span_eq(s->to, MARK);
}

void mark_cut_prepare(struct tokenizer *t)
{
    const struct normal_step *mark = NULL;

    if (t->normalizer == NULL || t->nfc || t->stage_count > 0 || !added_set_is_empty(t->added_normal) ||
        !pretok_cuts_at_marks(t->pretok))
        return;
    for (size_t i = 0; i < normalizer_count(t->normalizer); i++) {
        const struct normal_step *s = normalizer_step(t->normalizer, i);

        if (is_mark_step(s))
            mark = s;
        else if (s->kind != NORMAL_PREPEND)
            return;
    }
    if (mark == NULL)
        return;
    t->normalizer_inside = normalizer_new();
    BUG_IF(normalizer_add(t->normalizer_inside, "the part behind a cut", mark) != ST_OK);
}

static bool ends_added(const struct tokenizer *t, struct span text, size_t at)
{
    for (size_t i = 0; i < t->added_count; i++) {
        struct span content = t->added[i].content;

        if (content.n <= at && memcmp(text.p + at - content.n, content.p, content.n) == 0)
            return true;
    }
    return false;
}

/* Is it behind a whole character that is neither white space nor a mark? */
static bool behind_word(struct span text, size_t at)
{
    size_t n = 1;
    uint32_t cp;

    while (n < 4 && n < at && ((unsigned char)text.p[at - n] & 0xC0) == 0x80)
        n++;
    return utf8_decode(text.p + at - n, text.p + at, &cp) == n && !normal_is_white(cp) && cp != 0x2581;
}

size_t mark_cut(const struct tokenizer *t, struct span text, size_t from, size_t limit)
{
    if (text.n == 0)
        return 0;
    for (size_t at = limit < text.n ? limit : text.n - 1; at > from && at > 0; at--)
        if (text.p[at] == ' ' && behind_word(text, at) && added_set_allows_cut(t->added_raw, text, at) &&
            !ends_added(t, text, at))
            return at;
    return 0;
}
