#include "serve/choice.h"

#include <string.h>

#include "base/arena.h"

void choice_init(struct choice *c, const struct choice_args *args)
{
    *c = (struct choice){ .args = *args, .cut = SIZE_MAX };
    buf_reserve(&c->raw, 64);
}

void choice_release(struct choice *c)
{
    for (size_t i = 0; i < c->token_count; i++)
        free(c->tokens[i].top);
    free(c->tokens);
    buf_release(&c->raw);
}

static void add_token(struct choice *c, const struct engine_token *t, struct span bytes)
{
    struct choice_token *at;

    if (!c->args.keep_tokens) {
        buf_add(&c->raw, bytes.p, bytes.n);
        return;
    }
    if (c->token_count == c->token_cap) {
        c->token_cap = c->token_cap ? 2 * c->token_cap : 64;
        c->tokens = mem_grow(c->tokens, c->token_cap, sizeof *c->tokens);
    }
    at = &c->tokens[c->token_count++];
    *at = (struct choice_token){ .id = t->id,
                                 .has_logprob = t->has_logprob,
                                 .logprob = t->logprob,
                                 .top_count = t->top_count,
                                 .begin = c->raw.n,
                                 .end = c->raw.n + bytes.n };
    if (t->top_count > 0) {
        at->top = mem_array((size_t)t->top_count, sizeof *at->top);
        memcpy(at->top, t->top, (size_t)t->top_count * sizeof *at->top);
    }
    buf_add(&c->raw, bytes.p, bytes.n);
}

void choice_add_prompt(struct choice *c, const struct engine_token *t)
{
    add_token(c, t, tokenizer_bytes(c->args.tokenizer, (uint32_t)t->id));
    c->prompt_bytes = c->searched = c->raw.n;
}

void choice_add_echo(struct choice *c, struct span bytes)
{
    buf_add(&c->raw, bytes.p, bytes.n);
    c->prompt_bytes = c->searched = c->raw.n;
}

/* The first of the texts to stop at that begins at or behind `from`. */
static size_t find_stop(const struct choice *c, size_t from)
{
    size_t first = SIZE_MAX;

    for (int i = 0; i < c->args.stop_count; i++) {
        struct span s = c->args.stops[i];
        const char *at = memmem(c->raw.p + from, c->raw.n - from, s.p, s.n);

        if (at != NULL && (size_t)(at - c->raw.p) < first)
            first = (size_t)(at - c->raw.p);
    }
    return first;
}

/* How many bytes at the end may be the beginning of a text to stop at. */
static size_t held_back(const struct choice *c)
{
    size_t most = 0, written = c->raw.n - c->prompt_bytes;

    for (int i = 0; i < c->args.stop_count; i++) {
        struct span s = c->args.stops[i];

        for (size_t n = s.n - 1 < written ? s.n - 1 : written; n > most; n--)
            if (memcmp(c->raw.p + c->raw.n - n, s.p, n) == 0)
                most = n;
    }
    return most;
}

bool choice_add(struct choice *c, const struct engine_token *t)
{
    bool special = tokenizer_is_special(c->args.tokenizer, (uint32_t)t->id);
    struct span none = { "", 0 };

    add_token(c, t, special ? none : tokenizer_bytes(c->args.tokenizer, (uint32_t)t->id));
    if (c->args.stop_count == 0)
        return true;
    if (c->raw.n > c->searched)
        c->cut = find_stop(c, c->searched);
    c->searched = c->raw.n - held_back(c);
    return c->cut == SIZE_MAX;
}

/* ---- showing ---- */

/* Where the bytes end that may be shown. */
static size_t limit_of(const struct choice *c, bool last)
{
    if (c->cut != SIZE_MAX)
        return c->cut;
    return last || c->args.stop_count == 0 ? c->raw.n : c->searched;
}

/* Whether the byte at `at` belongs to the character that the bytes in front of it have begun. */
static bool goes_on(const struct choice *c, size_t at)
{
    struct text_stream t = c->counted;
    struct buf out = { 0 };
    bool whole;

    if (at == c->raw.n)
        return false;
    text_stream_add(&t, (struct span){ c->raw.p + at, 1 }, &out);
    whole = t.count == 0 && utf8_length(out.p, out.n) == 1;
    buf_release(&out);
    return whole || t.count == c->counted.count + 1;
}

/* Characters of the text in front of `at`; one that goes on there is not in front of it. Calls come
 * in the order of tokens. */
static int64_t characters_before(struct choice *c, size_t at)
{
    struct buf out = { 0 };

    text_stream_add(&c->counted,
                    (struct span){ c->raw.p + c->counted_bytes, at - c->counted_bytes }, &out);
    c->counted_length += (int64_t)utf8_length(out.p, out.n);
    c->counted_bytes = at;
    buf_release(&out);
    return c->counted_length + (c->counted.count > 0 && !goes_on(c, at));
}

/* Tokens that end in what is shown; at the end of a text, also those that only begin in it. */
static void take_tokens(struct choice *c, bool last, struct choice_piece *out)
{
    size_t first = c->tokens_shown;

    while (c->tokens_shown < c->token_count) {
        struct choice_token *t = &c->tokens[c->tokens_shown];

        if (last ? c->cut != SIZE_MAX && t->begin >= c->cut : t->end > c->shown)
            break;
        t->text_begin = characters_before(c, t->begin);
        c->tokens_shown++;
    }
    out->tokens = c->tokens == NULL ? NULL : c->tokens + first;
    out->token_count = c->tokens_shown - first;
}

void choice_take(struct choice *c, bool last, struct choice_piece *out)
{
    size_t limit = limit_of(c, last), begin = c->shown, from;

    *out = (struct choice_piece){ 0 };
    if (limit < begin)
        limit = begin;
    if (c->args.drop_space && begin == c->prompt_bytes && limit > begin && c->raw.p[begin] == ' ')
        begin++;
    from = begin + c->characters.count;
    text_stream_add(&c->characters,
                    (struct span){ c->raw.p + from, from < limit ? limit - from : 0 }, &out->text);
    if (last)
        text_stream_end(&c->characters, &out->text);
    c->shown = limit - c->characters.count;
    out->exact = (struct span){ c->raw.p + begin, c->shown - begin };
    out->repaired = out->exact.n != out->text.n ||
                    (out->text.n > 0 && memcmp(out->exact.p, out->text.p, out->text.n) != 0);
    take_tokens(c, last, out);
}

void choice_piece_release(struct choice_piece *p) { buf_release(&p->text); }
