#include "serve/generate_cmd.h"

#include <stdio.h>
#include <string.h>

#include "base/bench.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/stop.h"
#include "model/decode.h"
#include "serve/text_stream.h"
#include "tokenize/tokenizer.h"

struct generate_options {
    const char *model;
    struct opt_list prompt;
    int64_t max_tokens, top_k, seed;
    double temperature, top_p, min_p;
    int dtype;
    const char *device;
};

static const char *const dtypes[] = { "f32", "bf16", NULL };

static const struct opt options[] = {
#define S struct generate_options
    OPT_INPUT(S, model, "model", "checkpoint or model folder", .flags = OPT_REQUIRED),
    OPT_LIST(S, prompt, "prompt", "what to go on from; '-' reads standard input",
             .flags = OPT_POSITIONAL),
    OPT_INT(S, max_tokens, "max-tokens", "128", 1, 1e9, "most tokens to write"),
    OPT_REAL(S, temperature, "temperature", "0.8", 0, 100, "0: always the most likely token"),
    OPT_INT(S, top_k, "top-k", "0", 0, 16777216, "choose among the k most likely; 0: all"),
    OPT_REAL(S, top_p, "top-p", "0.95", 0, 1,
             "choose among the most likely that make up this share"),
    OPT_REAL(S, min_p, "min-p", "0", 0, 1,
             "choose among those at least this share as likely as the first"),
    OPT_INT(S, seed, "seed", "1", 0, 9007199254740992, "seed of the choices"),
    OPT_CHOICE(S, dtype, "dtype", "f32", dtypes, "type of matrix products"),
    OPT_STR(S, device, "device", "auto", "auto, cpu or cuda"),
#undef S
    OPT_END
};

enum { CHUNK = 64 }; /* prompt tokens that go through the model at a time */

struct generator {
    const struct generate_options *o;
    struct device *device;
    struct stream *stream;
    struct model *model;
    struct tokenizer *tokenizer;
    struct kv_cache *cache;
    struct token_list tokens; /* prompt, then what was written */
    float *logits;
    struct text_stream text;
};

static enum status read_prompt(const struct generate_options *o, struct buf *out)
{
    char block[4096];
    size_t n;

    if (o->prompt.count == 1 && strcmp(o->prompt.v[0], "-") == 0) {
        while ((n = fread(block, 1, sizeof block, stdin)) > 0)
            buf_add(out, block, n);
        return ferror(stdin) ? fail_errno(ST_IO, "reading the prompt from standard input") : ST_OK;
    }
    for (size_t i = 0; i < o->prompt.count; i++) {
        if (i > 0)
            buf_addc(out, ' ');
        buf_adds(out, o->prompt.v[i]);
    }
    return ST_OK;
}

/* A text begins behind an end-of-text token, as documents do in training. */
static enum status encode_prompt(struct generator *g, struct buf *prompt)
{
    int64_t context = model_config_of(g->model)->context, end = tokenizer_end_of_text(g->tokenizer);
    struct encoder *e = encoder_new(g->tokenizer);
    enum status st;

    if (end >= 0) {
        g->tokens.v = mem_grow(g->tokens.v, 1, sizeof *g->tokens.v);
        g->tokens.v[0] = (uint32_t)end;
        g->tokens.count = g->tokens.cap = 1;
    }
    st = encoder_encode(e, (struct span){ prompt->p == NULL ? "" : prompt->p, prompt->n }, false,
                        &g->tokens);
    encoder_free(e);
    TRY(st);
    if (g->tokens.count == 0)
        return fail(
            ST_USAGE,
            "the prompt is empty, and this tokenizer has no end-of-text token to begin with");
    if ((int64_t)g->tokens.count > context)
        return fail(ST_LIMIT, "the prompt has %zu tokens, the model's context is %lld",
                    g->tokens.count, (long long)context);
    return ST_OK;
}

static enum status open_all(struct generator *g)
{
    const struct generate_options *o = g->o;
    const struct model_config *c;

    TRY(device_open(o->device, &g->device));
    TRY(stream_open(g->device, &g->stream));
    TRY(tokenizer_open(o->model, &g->tokenizer));
    TRY(model_load(o->model, g->device, o->dtype == 1 ? DT_BF16 : DT_F32, &g->model));
    c = model_config_of(g->model);
    g->logits = mem_array((size_t)c->vocab, sizeof *g->logits);
    return kv_cache_new(
        &(struct kv_cache_args){ .model = g->model,
                                 .stream = g->stream,
                                 .sequences = 1,
                                 .pages = (c->context + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS,
                                 .max_rows = CHUNK },
        &g->cache);
}

static void close_all(struct generator *g)
{
    kv_cache_free(g->cache);
    model_free(g->model);
    tokenizer_close(g->tokenizer);
    stream_close(g->stream);
    device_close(g->device);
    token_list_release(&g->tokens);
    free(g->logits);
}

/* Puts tokens [first, count) through the model; the logits of the last one stay. */
static enum status feed(struct generator *g, size_t first)
{
    struct decode_row rows[CHUNK];

    TRY(kv_cache_reserve(g->cache, 0, (int64_t)g->tokens.count));
    while (first < g->tokens.count) {
        int64_t n = 0;

        for (; n < CHUNK && first < g->tokens.count; n++, first++)
            rows[n] = (struct decode_row){ 0, (int32_t)first, (int32_t)g->tokens.v[first],
                                           first + 1 == g->tokens.count };
        TRY(decode_step(g->cache, rows, n, g->logits));
    }
    return ST_OK;
}

static enum status show(const char *p, size_t n)
{
    if (fwrite(p, 1, n, stdout) != n || fflush(stdout) != 0)
        return fail_errno(ST_IO, "writing to standard output");
    return ST_OK;
}

static enum status show_token(struct generator *g, uint32_t id)
{
    struct buf out = { 0 };
    enum status st;

    text_stream_add(&g->text, tokenizer_bytes(g->tokenizer, id), &out);
    st = show(out.p, out.n);
    buf_release(&out);
    return st;
}

static enum status append(struct generator *g, uint32_t id)
{
    if (g->tokens.count == g->tokens.cap) {
        g->tokens.cap = g->tokens.cap * 2 + 16;
        g->tokens.v = mem_grow(g->tokens.v, g->tokens.cap, sizeof *g->tokens.v);
    }
    g->tokens.v[g->tokens.count++] = id;
    return show_token(g, id);
}

static enum status write_tokens(struct generator *g, int64_t *written)
{
    const struct generate_options *o = g->o;
    const struct sample_options how = { o->temperature, o->top_k, o->top_p, o->min_p };
    const struct model_config *c = model_config_of(g->model);

    for (*written = 0; *written < o->max_tokens && !stop_requested(); ++*written) {
        double draw = rng_uniform_at((uint64_t)o->seed, 0, (uint64_t)*written);
        int32_t id = sample_token(g->logits, c->vocab, &how, draw);

        if (id == c->end_of_text || (int64_t)g->tokens.count == c->context)
            break;
        TRY(append(g, (uint32_t)id));
        TRY(feed(g, g->tokens.count - 1));
    }
    return ST_OK;
}

static enum status generate(struct generator *g, struct buf *prompt)
{
    struct buf rest = { 0 };
    int64_t written;
    double start;
    enum status st;

    TRY(read_prompt(g->o, prompt));
    TRY(open_all(g));
    TRY(encode_prompt(g, prompt));
    if (prompt->n > 0)
        TRY(show(prompt->p, prompt->n));
    TRY(feed(g, 0));
    start = bench_now();
    TRY(write_tokens(g, &written));
    text_stream_end(&g->text, &rest);
    buf_addc(&rest, '\n');
    st = show(rest.p, rest.n);
    buf_release(&rest);
    log_info("%lld tokens, %.0f a second", (long long)written,
             (double)written / (bench_now() - start));
    return st;
}

static enum status run(struct arena *a, void *cfg)
{
    struct generator g = { .o = cfg };
    struct buf prompt = { 0 };
    enum status st = generate(&g, &prompt);

    buf_release(&prompt);
    close_all(&g);
    return st;
}

const struct command cmd_generate = {
    .name = "generate",
    .summary = "write a completion in the terminal",
    .details =
        "Prints the prompt and what the model goes on with, as it comes. The same seed writes the "
        "same text.\n\n"
        "  tundish generate --model model \"The following options\"\n"
        "  echo -n \"The following options\" | tundish generate --model model --temperature 0 -",
    .opts = options,
    .cfg_size = sizeof(struct generate_options),
    .run = run,
};
