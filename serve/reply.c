#include "serve/reply.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"

void reply_quote(struct buf *out, const char *text) { json_quote(out, text, strlen(text)); }

void reply_bytes(struct buf *out, struct span bytes)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < bytes.n; i++)
        buf_printf(out, "%s%u", i ? "," : "", (unsigned)(unsigned char)bytes.p[i]);
    buf_addc(out, ']');
}

/* ---- tokens ---- */

static struct span bytes_of(const struct reply_head *h, int32_t id)
{
    return tokenizer_bytes(h->tokenizer, (uint32_t)id);
}

/* A token as text; one that is no text of its own as its bytes: "bytes:\xe2\x82". */
static void token_text(struct buf *out, const struct reply_head *h, int32_t id)
{
    struct span bytes = bytes_of(h, id);
    struct buf name = { 0 };

    if (utf8_valid(bytes.p, bytes.n)) {
        json_quote(out, bytes.p, bytes.n);
        return;
    }
    buf_adds(&name, "bytes:");
    for (size_t i = 0; i < bytes.n; i++)
        buf_printf(&name, "\\x%02x", (unsigned)(unsigned char)bytes.p[i]);
    json_quote(out, name.p, name.n);
    buf_release(&name);
}

/* 9 digits hold a float exactly: equal floats are equal texts. */
static void number(struct buf *out, float x)
{
    buf_printf(out, "%.9g", (double)(x < -9999 ? -9999 : x));
}

/* The token itself stands among its alternatives, as OpenAI's does. */
static void legacy_top(struct buf *out, const struct reply_head *h, const struct choice_token *t)
{
    bool seen = false;

    if (!t->has_logprob) {
        buf_adds(out, "null");
        return;
    }
    buf_addc(out, '{');
    for (int i = 0; i < t->top_count; i++) {
        buf_adds(out, i ? "," : "");
        token_text(out, h, t->top[i].id);
        buf_addc(out, ':');
        number(out, t->top[i].logprob);
        seen = seen || t->top[i].id == t->id;
    }
    if (!seen) {
        buf_adds(out, t->top_count ? "," : "");
        token_text(out, h, t->id);
        buf_addc(out, ':');
        number(out, t->logprob);
    }
    buf_addc(out, '}');
}

static void legacy_logprobs(struct buf *out, const struct reply_head *h,
                            const struct choice_piece *p)
{
    buf_adds(out, "{\"tokens\":[");
    for (size_t i = 0; i < p->token_count; i++) {
        buf_adds(out, i ? "," : "");
        token_text(out, h, p->tokens[i].id);
    }
    buf_adds(out, "],\"token_logprobs\":[");
    for (size_t i = 0; i < p->token_count; i++) {
        buf_adds(out, i ? "," : "");
        if (p->tokens[i].has_logprob)
            number(out, p->tokens[i].logprob);
        else
            buf_adds(out, "null");
    }
    buf_adds(out, "],\"top_logprobs\":[");
    for (size_t i = 0; i < p->token_count; i++) {
        buf_adds(out, i ? "," : "");
        legacy_top(out, h, &p->tokens[i]);
    }
    buf_adds(out, "],\"text_offset\":[");
    for (size_t i = 0; i < p->token_count; i++)
        buf_printf(out, "%s%" PRId64, i ? "," : "", p->tokens[i].text_begin);
    buf_adds(out, "]}");
}

static void chat_token(struct buf *out, const struct reply_head *h, int32_t id, float logprob)
{
    struct span bytes = bytes_of(h, id);

    buf_adds(out, "\"token\":");
    json_quote(out, bytes.p, bytes.n);
    buf_adds(out, ",\"logprob\":");
    number(out, logprob);
    buf_adds(out, ",\"bytes\":");
    reply_bytes(out, bytes);
}

static void chat_logprobs(struct buf *out, const struct reply_head *h, const struct choice_piece *p)
{
    buf_adds(out, "{\"content\":[");
    for (size_t i = 0; i < p->token_count; i++) {
        const struct choice_token *t = &p->tokens[i];

        buf_adds(out, i ? ",{" : "{");
        chat_token(out, h, t->id, t->logprob);
        buf_adds(out, ",\"top_logprobs\":[");
        for (int k = 0; k < t->top_count; k++) {
            buf_adds(out, k ? ",{" : "{");
            chat_token(out, h, t->top[k].id, t->top[k].logprob);
            buf_addc(out, '}');
        }
        buf_adds(out, "]}");
    }
    buf_adds(out, "],\"refusal\":null}");
}

static void ids(struct buf *out, const char *name, const int32_t *v, int64_t n)
{
    buf_printf(out, ",\"%s\":[", name);
    for (int64_t i = 0; i < n; i++)
        buf_printf(out, "%s%d", i ? "," : "", v[i]);
    buf_addc(out, ']');
}

static void token_ids(struct buf *out, const struct reply_choice *c)
{
    buf_adds(out, ",\"token_ids\":[");
    for (size_t i = 0; i < c->piece->token_count; i++)
        buf_printf(out, "%s%d", i ? "," : "", c->piece->tokens[i].id);
    buf_addc(out, ']');
    if (c->prompt != NULL)
        ids(out, "prompt_token_ids", c->prompt, c->prompt_count);
}

/* ---- the whole ---- */

void reply_begin(struct buf *out, const struct reply_head *h)
{
    const char *object = !h->chat    ? "text_completion"
                         : h->stream ? "chat.completion.chunk"
                                     : "chat.completion";

    buf_printf(out, "{\"id\":\"%s\",\"object\":\"%s\",\"created\":%" PRId64 ",\"model\":", h->id,
               object, h->created);
    reply_quote(out, h->model);
    buf_printf(out, ",\"system_fingerprint\":\"%s\",\"seed\":%" PRId64 ",\"choices\":[",
               h->fingerprint, h->seed);
}

static void chat_text(struct buf *out, const struct reply_head *h, const struct reply_choice *c)
{
    buf_adds(out, h->stream ? ",\"delta\":{" : ",\"message\":{");
    if (!h->stream || c->first)
        buf_adds(out, "\"role\":\"assistant\",");
    buf_adds(out, "\"content\":");
    json_quote(out, c->piece->text.p, c->piece->text.n);
    buf_adds(out, h->stream ? "}" : ",\"refusal\":null}");
}

void reply_choice(struct buf *out, const struct reply_head *h, const struct reply_choice *c)
{
    buf_printf(out, "{\"index\":%d", c->index);
    if (h->chat) {
        chat_text(out, h, c);
    } else {
        buf_adds(out, ",\"text\":");
        json_quote(out, c->piece->text.p, c->piece->text.n);
    }
    if (c->piece->repaired) {
        buf_adds(out, ",\"text_bytes\":");
        reply_bytes(out, c->piece->exact);
    }
    buf_adds(out, ",\"logprobs\":");
    if (!h->logprobs)
        buf_adds(out, "null");
    else if (h->chat)
        chat_logprobs(out, h, c->piece);
    else
        legacy_logprobs(out, h, c->piece);
    if (h->token_ids)
        token_ids(out, c);
    buf_adds(out, ",\"finish_reason\":");
    if (c->finish == NULL)
        buf_adds(out, "null");
    else
        reply_quote(out, c->finish);
    buf_addc(out, '}');
}

void reply_end(struct buf *out, const struct reply_head *h, const struct reply_usage *u)
{
    buf_addc(out, ']');
    if (u != NULL)
        buf_printf(out,
                   ",\"usage\":{\"prompt_tokens\":%" PRId64 ",\"completion_tokens\":%" PRId64
                   ",\"total_tokens\":%" PRId64 ",\"prompt_tokens_details\":{\"cached_tokens\":0},"
                   "\"completion_tokens_details\":{\"reasoning_tokens\":0}}",
                   u->prompt_tokens, u->completion_tokens, u->prompt_tokens + u->completion_tokens);
    else if (h->usage_null)
        buf_adds(out, ",\"usage\":null");
    buf_addc(out, '}');
}
