#include "tokenize/measure/token_differ.h"

struct walk {
    const struct token_side *side;
    size_t next, end;                /* token; bytes of all before it */
};

size_t token_side_lead(const struct token_side *s, struct span text)
{
    size_t all = 0;
    struct span first;

    if (s->count == 0)
        return 0;
    first = tokenizer_bytes(s->tokenizer, s->ids[0]);
    if (first.n == 0 || first.p[0] != ' ')
        return 0;
    for (size_t i = 0; i < s->count; i++)
        all += tokenizer_bytes(s->tokenizer, s->ids[i]).n;
    return all == text.n + 1;
}

/* The token's bytes of the text. */
static struct span bytes_at(const struct walk *w, size_t i)
{
    struct span b = tokenizer_bytes(w->side->tokenizer, w->side->ids[i]);
    size_t lead = i == 0 && w->side->lead <= b.n ? w->side->lead : 0;

    return (struct span){ b.p + lead, b.n - lead };
}

static bool is_over(const struct walk *w)
{
    return w->next == w->side->count;
}

static void step(struct walk *w)
{
    w->end += bytes_at(w, w->next++).n;
}

/* Steps both on, at least once each, to the next boundary that they share, or to the ends. */
static void step_together(struct walk *a, struct walk *b)
{
    if (!is_over(a))
        step(a);
    if (!is_over(b))
        step(b);
    while (a->end != b->end) {
        struct walk *behind = a->end < b->end ? a : b, *other = behind == a ? b : a;

        if (!is_over(behind))
            step(behind);
        else if (!is_over(other))
            step(other);
        else
            break;
    }
}

struct span_kind {
    bool ids, cuts;                  /* differ */
};
static struct span_kind kind_of(const struct walk *a, const struct walk *b,
                                const struct token_span *s)
{
    struct span x, y;

    if (s->count[0] != 1 || s->count[1] != 1)
        return (struct span_kind){ true, true };
    x = bytes_at(a, s->first[0]);
    y = bytes_at(b, s->first[1]);
    return (struct span_kind){
        .ids = a->side->ids[s->first[0]] != b->side->ids[s->first[1]],
        .cuts = x.n != y.n || memcmp(x.p, y.p, x.n) != 0,
    };
}

struct token_difference token_differ(const struct token_side *a, const struct token_side *b)
{
    struct token_difference d = { 0 };
    struct walk x = { .side = a }, y = { .side = b };

    while (!is_over(&x) || !is_over(&y)) {
        struct token_span s = { .at = x.end, .first = { x.next, y.next } };
        struct span_kind kind;

        step_together(&x, &y);
        s.bytes = x.end - s.at;
        s.count[0] = x.next - s.first[0];
        s.count[1] = y.next - s.first[1];
        kind = kind_of(&x, &y, &s);
        if (!kind.cuts)
            d.same_bytes += s.bytes;
        if (kind.cuts && !d.cuts)
            d.first_cuts = s;
        if (kind.ids && !d.ids)
            d.first_ids = s;
        d.cuts |= kind.cuts;
        d.ids |= kind.ids;
        d.spans += kind.ids;
        d.tokens[0] += kind.ids ? s.count[0] : 0;
        d.tokens[1] += kind.ids ? s.count[1] : 0;
    }
    return d;
}
