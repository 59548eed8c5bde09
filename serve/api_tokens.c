/* /tokenize, /detokenize, /tokenizer_info. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "serve/api.h"
#include "serve/reply.h"
#include "serve/request.h"

static void write_tokens(struct buf *out, const struct api *a, const struct request *r,
                         const struct token_list *ids)
{
    buf_printf(out, "{\"count\":%zu,\"max_model_len\":%" PRId64 ",\"tokens\":[", ids->count,
               a->config->context);
    for (size_t i = 0; i < ids->count; i++)
        buf_printf(out, "%s%u", i ? "," : "", ids->v[i]);
    buf_addc(out, ']');
    if (r->with_pieces) {
        buf_adds(out, ",\"token_strs\":[");
        for (size_t i = 0; i < ids->count; i++) {
            struct span bytes = tokenizer_bytes(a->tokenizer, ids->v[i]);

            buf_adds(out, i ? "," : "");
            json_quote(out, bytes.p, bytes.n);
        }
        buf_addc(out, ']');
    }
    buf_addc(out, '}');
}

static bool tokenize(struct buf *out, const struct api *a, const struct request *r,
                     struct problem *p)
{
    const struct encode_how how = { r->add_special_tokens, r->parse_special, "prompt" };
    struct token_list ids = { 0 };
    bool good;

    if (!json_is_string(r->prompt))
        return problem_is(p, 400, "missing_field", "prompt", "'prompt' must be a text");
    good =
        api_encode(a, (struct span){ json_string_value(r->prompt), json_string_length(r->prompt) },
                   &how, &ids, p);
    if (good)
        write_tokens(out, a, r, &ids);
    token_list_release(&ids);
    return good;
}

static bool detokenize(struct buf *out, const struct api *a, const struct request *r,
                       struct problem *p)
{
    struct buf text = { 0 };
    int32_t *ids = NULL;
    size_t n = 0;
    bool good;

    if (!json_is_array(r->tokens))
        return problem_is(p, 400, "missing_field", "tokens",
                          "'tokens' must be a list of token ids");
    good = request_ids(r->tokens, "tokens", tokenizer_vocab(a->tokenizer), &ids, &n, p);
    for (size_t i = 0; i < n && good; i++) {
        struct span bytes = tokenizer_bytes(a->tokenizer, (uint32_t)ids[i]);

        buf_add(&text, bytes.p, bytes.n);
        if (6 * (uint64_t)text.n > a->max_reply) /* twice as text, once as numbers */
            good = problem_is(p, 400, "reply_too_large", "tokens",
                              "the text of the first %zu tokens alone has %zu bytes: ask for fewer",
                              i + 1, text.n);
    }
    if (good) {
        const char *bytes = text.p == NULL ? "" : text.p;

        buf_adds(out, "{\"prompt\":");
        json_quote(out, bytes, text.n);
        buf_adds(out, ",\"content\":");
        json_quote(out, bytes, text.n);
        if (!utf8_valid(bytes, text.n)) {
            buf_adds(out, ",\"bytes\":");
            reply_bytes(out, (struct span){ bytes, text.n });
        }
        buf_addc(out, '}');
    }
    buf_release(&text);
    free(ids);
    return good;
}

static void answer(struct exchange *x, const struct api *a, enum endpoint at,
                   bool (*work)(struct buf *, const struct api *, const struct request *,
                                struct problem *))
{
    struct problem p = { 0 };
    struct buf out = { 0 };
    struct request r;

    if (request_parse(&r, at, exchange_body(x), a->config->vocab, &p) && work(&out, a, &r, &p))
        api_reply_json(x, &out);
    else
        api_reply_problem(x, &p);
    request_release(&r);
    buf_release(&out);
}

void api_tokenize(struct exchange *x, void *ctx) { answer(x, ctx, AT_TOKENIZE, tokenize); }

void api_detokenize(struct exchange *x, void *ctx) { answer(x, ctx, AT_DETOKENIZE, detokenize); }

void api_quote_end_of_text(struct buf *out, const struct api *a)
{
    int64_t end = tokenizer_end_of_text(a->tokenizer);

    if (end >= 0) {
        struct span bytes = tokenizer_bytes(a->tokenizer, (uint32_t)end);

        json_quote(out, bytes.p, bytes.n);
    } else {
        buf_adds(out, "null");
    }
}

/* What evaluation programs ask for when they have no tokenizer of their own. */
void api_tokenizer_info(struct exchange *x, void *ctx)
{
    const struct api *a = ctx;
    struct buf out = { 0 }, name = { 0 };

    api_quote_end_of_text(&name, a);
    buf_printf(&out,
               "{\"eos_token\":%s,\"bos_token\":%s,\"pad_token\":%s,\"model_max_length\":%" PRId64
               ",\"vocab_size\":%u}",
               name.p, name.p, name.p, a->config->context, tokenizer_vocab(a->tokenizer));
    api_reply_json(x, &out);
    buf_release(&out);
    buf_release(&name);
}
