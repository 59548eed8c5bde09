#include "tokenize/stage/learn_only.h"

struct spans {
    struct token_span *v;
    size_t count;
};

/* The ranges of text that begin before a place, and may still reach it. Tokens come in the order of their bytes, but
 * for those that normalization mixed, whose ranges overlap: so one range back is looked at, too. */
static bool touches(const struct byte_ranges *r, size_t *at, const struct id_range *id)
{
    uint64_t end = id->end > id->start ? id->end : id->start + 1;

    while (*at > 0 && r->v[*at - 1].end > id->start)
        --*at;
    while (*at < r->count && r->v[*at].end <= id->start)
        ++*at;
    return *at < r->count && r->v[*at].begin < end;
}

static void add_token(struct spans *s, uint64_t token)
{
    struct token_span *last = s->count ? &s->v[s->count - 1] : NULL;

    if (last && last->first + last->count == token)
        last->count++;
    else
        s->v[s->count++] = (struct token_span){ token, 1 };
}

void learn_only_spans(struct arena *a, const struct encoded_document *d, const struct byte_ranges *learnt,
                      struct token_span **out, size_t *count)
{
    struct spans s = { .v = NULL };
    size_t at = 0;

    *out = NULL;
    *count = 0;
    if (!learnt->given)
        return;
    s.v = arena_array(a, learnt->count + 2, sizeof *s.v);    /* one before, between and behind the ranges */
    for (size_t i = 0; i + 1 < d->count; i++)
        if (!touches(learnt, &at, &d->ranges[i]))
            add_token(&s, i);
    if (learnt->count == 0 || learnt->v[learnt->count - 1].end < d->text_bytes)
        add_token(&s, d->count - 1);
    *out = s.v;
    *count = s.count;
}
