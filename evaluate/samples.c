#include "evaluate/samples.h"

#include <math.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/stop.h"
#include "model/decode.h"

enum { SAMPLES = 5, PROMPT = 48, CONTINUED = 96 };     /* documents; tokens */

struct sampler {
    const struct samples_args *args;
    struct stream *stream;
    struct kv_cache *cache;
    float *logits;
    int64_t prompt, most;             /* tokens of a prompt; of a sequence */
    int32_t before;                   /* stands in front of every document */
};

static enum status add_member(const struct sampler *s, const char *name, const int32_t *tokens,
                              size_t n, struct buf *out)
{
    struct buf text = { 0 };
    enum status st = tokenizer_decode(s->args->tokenizer, (const uint32_t *)tokens, n, true, &text);

    buf_printf(out, ",\"%s\":", name);
    json_quote(out, text.p ? text.p : "", text.n);
    buf_release(&text);
    return st;
}

/* Writes behind tokens[0, *count), until most, the end of the text or a stop. */
static enum status go_on(struct sampler *s, uint64_t stream, int32_t *tokens, int64_t *count)
{
    const struct sample_options how = { .temperature = s->args->temperature, .top_p = 0.95 };
    const struct model_config *c = model_config_of(s->args->model);
    struct decode_row rows[PROMPT + 1];
    int64_t n = *count;

    TRY(kv_cache_reserve(s->cache, 0, s->most));
    for (int64_t i = 0; i < n; i++)
        rows[i] = (struct decode_row){ 0, (int32_t)i, tokens[i], i + 1 == n };
    TRY(decode_step(s->cache, rows, n, s->logits));
    for (; *count < s->most; ++*count) {
        double draw = rng_uniform_at(s->args->seed, stream, (uint64_t)(*count - n));
        int32_t id = sample_token(s->logits, c->vocab, &how, draw);

        if (stop_requested())
            return fail(ST_INTERRUPTED, "stopped; nothing was written: run it again");
        if (!isfinite(s->logits[id]))
            return fail(ST_FAILED, "the model's logits are not finite: its weights are damaged");
        if (id == c->end_of_text)
            return ST_OK;
        tokens[*count] = id;
        rows[0] = (struct decode_row){ 0, (int32_t)*count, id, true };
        TRY(decode_step(s->cache, rows, 1, s->logits));
    }
    return ST_OK;
}

static enum status sample_document(struct sampler *s, uint64_t d, const struct token_range *r,
                                   struct buf *out)
{
    int32_t truth[PROMPT + CONTINUED], tokens[1 + PROMPT + CONTINUED];
    uint64_t n = r->count < (uint64_t)s->most - 1 ? r->count : (uint64_t)s->most - 1;
    int64_t count = s->prompt + 1;
    enum status st;

    TRY(blend_read(s->args->blend, TOKENS_VALIDATION, &(struct token_span){ r->first, n }, truth));
    tokens[0] = s->before;
    memcpy(tokens + 1, truth, (size_t)s->prompt * sizeof *tokens);
    st = go_on(s, d, tokens, &count);
    kv_cache_drop(s->cache, 0);
    TRY(st);
    buf_adds(out, "{\"id\":");
    json_quote(out, r->id.p, r->id.n);
    TRY(add_member(s, "prompt", truth, (size_t)s->prompt, out));
    TRY(add_member(s, "written", tokens + 1 + s->prompt, (size_t)(count - 1 - s->prompt), out));
    TRY(add_member(s, "truth", truth + s->prompt, (size_t)(n - (uint64_t)s->prompt), out));
    buf_adds(out, "}\n");
    return ST_OK;
}

/* Documents that are longer than a prompt, spread over the part. */
static enum status sample_part(struct sampler *s, struct buf *out)
{
    uint64_t documents = blend_documents(s->args->blend, TOKENS_VALIDATION);
    uint64_t stride = documents / SAMPLES ? documents / SAMPLES : 1;
    int done = 0;

    for (uint64_t d = 0; d < documents && done < SAMPLES;) {
        struct token_range r;

        TRY(blend_document(s->args->blend, TOKENS_VALIDATION, d, &r));
        if (r.count > (uint64_t)s->prompt) {
            TRY(sample_document(s, d, &r, out));
            done++;
            d += stride;
        } else {
            d++;
        }
    }
    return ST_OK;
}

enum status samples_write(const struct samples_args *args, struct buf *out)
{
    const struct model_config *c = model_config_of(args->model);
    int64_t most = 1 + PROMPT + CONTINUED < c->context ? 1 + PROMPT + CONTINUED : c->context;
    int64_t end = tokenizer_end_of_text(args->tokenizer);
    struct sampler s = { .args = args, .most = most, .before = end < 0 ? 0 : (int32_t)end,
                         .prompt = (most - 1) / 3 };
    struct kv_cache_args cache = { .model = args->model,
                                   .pool = args->pool,
                                   .sequences = 1,
                                   .pages = (most + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS,
                                   .max_rows = PROMPT + 1 };
    enum status st;

    if (s.prompt < 1)
        return fail(ST_CONFIG, "the model's context is %lld, want at least 4 for samples",
                    (long long)c->context);
    s.logits = mem_array((size_t)c->vocab, sizeof *s.logits);
    st = stream_open(args->device, &s.stream);
    cache.stream = s.stream;
    if (st == ST_OK)
        st = kv_cache_new(&cache, &s.cache);
    if (st == ST_OK)
        st = sample_part(&s, out);
    kv_cache_free(s.cache);
    stream_close(s.stream);
    free(s.logits);
    return st;
}
