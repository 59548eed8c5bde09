#include "evaluate/bits_per_byte.h"

#include <math.h>

#include "base/arena.h"
#include "base/json.h"
#include "evaluate/score.h"
#include "evaluate/xz_yardstick.h"

/* The text of documents [0, n) of a part, at most `limit` bytes: tokens decode to exactly the bytes
 * that went in. */
static enum status decode_part(const struct bits_args *args, enum token_part part, uint64_t limit,
                               struct buf *out)
{
    uint64_t documents = blend_documents(args->blend, part);
    uint32_t *ids = NULL;
    enum status st = ST_OK;

    for (uint64_t d = 0; d < documents && out->n < limit && st == ST_OK; d++) {
        struct token_span s = blend_span(args->blend, part, d);

        ids = mem_grow(ids, s.count + 1, sizeof *ids);
        st = blend_read(args->blend, part, &s, (int32_t *)ids);
        if (st == ST_OK)
            st = tokenizer_decode(args->tokenizer, ids, s.count, true, out);
    }
    free(ids);
    return st;
}

/* ---- per document ---- */

static enum status add_document(const struct bits_args *args, uint64_t d, const int32_t *tokens,
                                const float *nats, struct bits_result *out, double *total)
{
    struct token_range r;
    struct buf text = { 0 };
    double sum = 0;
    enum status st;

    TRY(blend_document(args->blend, TOKENS_VALIDATION, d, &r));
    for (uint64_t i = r.first; i < r.first + r.count; i++)
        sum += (double)nats[i];
    st =
        tokenizer_decode(args->tokenizer, (const uint32_t *)tokens + r.first, r.count, true, &text);
    buf_adds(&out->documents_jsonl, "{\"id\":");
    json_quote(&out->documents_jsonl, r.id.p, r.id.n);
    buf_printf(&out->documents_jsonl, ",\"bytes\":%zu,\"tokens\":%llu,\"bits\":%.3f}\n", text.n,
               (unsigned long long)r.count, sum / M_LN2);
    out->bytes += text.n;
    *total += sum;
    buf_release(&text);
    return st;
}

static enum status add_documents(const struct bits_args *args, const int32_t *tokens,
                                 const float *nats, struct bits_result *out)
{
    double total = 0;

    for (uint64_t d = 0; d < out->documents; d++)
        TRY(add_document(args, d, tokens, nats, out, &total));
    if (out->bytes == 0)
        return fail(ST_CONFIG, "the validation documents have no text");
    if (!isfinite(total))
        return fail(ST_FAILED, "the model's loss is not finite: its weights are damaged, or the "
                               "training went astray");
    out->bits_per_byte = total / M_LN2 / (double)out->bytes;
    out->nats_per_token = total / (double)out->tokens;
    return ST_OK;
}

static enum status score_part(const struct bits_args *args, struct bits_result *out)
{
    const struct model_config *c = model_config_of(args->model);
    int32_t *tokens = mem_array(out->tokens, sizeof *tokens);
    float *nats = mem_array(out->tokens, sizeof *nats);
    int64_t end = tokenizer_end_of_text(args->tokenizer);
    enum status st = blend_read(args->blend, TOKENS_VALIDATION,
                                &(struct token_span){ 0, out->tokens }, tokens);

    if (st == ST_OK)
        st = score_tokens(
            &(struct score_args){ .model = args->model,
                                  .pool = args->pool,
                                  .tokens = tokens,
                                  .count = (int64_t)out->tokens,
                                  .before = end < 0 ? 0 : (int32_t)end,
                                  .length =
                                      (args->length > 0 ? args->length : c->context) / 2 * 2 },
            nats);
    if (st == ST_OK)
        st = add_documents(args, tokens, nats, out);
    free(tokens);
    free(nats);
    return st;
}

/* ---- the yardstick ---- */

struct yardstick {
    struct span prime, text;
    uint64_t bytes[2]; /* alone, primed */
};

static enum status run_yardstick(void *ctx, size_t item, int worker)
{
    struct yardstick *y = ctx;

    return xz_bytes(item == 0 ? (struct span){ "", 0 } : y->prime, y->text, &y->bytes[item]);
}

static enum status measure_xz(const struct bits_args *args, struct bits_result *out)
{
    struct buf text = { 0 }, prime = { 0 };
    struct yardstick y;
    enum status st = decode_part(args, TOKENS_VALIDATION, UINT64_MAX, &text);

    if (st == ST_OK && args->prime_bytes > 0)
        st = decode_part(args, TOKENS_TRAIN, args->prime_bytes, &prime);
    y = (struct yardstick){ .prime = { prime.p, prime.n }, .text = { text.p, text.n } };
    if (st == ST_OK)
        st = pool_for(args->pool, prime.n > 0 ? 2 : 1, run_yardstick, &y);
    if (st == ST_OK) {
        out->xz = 8.0 * (double)y.bytes[0] / (double)text.n;
        out->xz_primed = prime.n > 0 ? 8.0 * (double)y.bytes[1] / (double)text.n : -1;
    }
    buf_release(&text);
    buf_release(&prime);
    return st;
}

enum status bits_per_byte(const struct bits_args *args, struct bits_result *out)
{
    enum status st;

    *out = (struct bits_result){ .documents = blend_documents(args->blend, TOKENS_VALIDATION),
                                 .tokens = blend_tokens(args->blend, TOKENS_VALIDATION) };
    if (out->documents == 0)
        return fail(ST_CONFIG, "the token store has no validation documents: tokenize with a "
                               "larger --validation share");
    st = score_part(args, out);
    if (st == ST_OK)
        st = measure_xz(args, out);
    return st;
}
