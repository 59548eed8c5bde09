#include "serve/generate_cmd.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/bench.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/stop.h"
#include "model/compute.h"
#include "model/decode.h"
#include "serve/loaded.h"
#include "serve/sampling_rows.h"
#include "tokenize/encode/text_stream.h"

struct generate_options {
    const char *model;
    struct opt_list prompt;
    int64_t max_tokens, top_k, seed;
    double temperature, top_p, min_p;
    int dtype;
    const char *device;
};

static const struct opt options[] = {
#define S struct generate_options
    OPT_INPUT(S, model, "model", "checkpoint or model folder", .flags = OPT_REQUIRED),
    OPT_LIST(S, prompt, "prompt", "what to go on from; '-' reads standard input",
             .flags = OPT_POSITIONAL),
    OPT_INT(S, max_tokens, "max-tokens", "128", 1, 1e9, "most tokens to write"),
    SAMPLING_ROWS(S),
    OPT_CHOICE(S, dtype, "dtype", "f32", compute_names,
               "type of matrix products; auto: bf16 where the hardware has it"),
    OPT_STR(S, device, "device", "auto", "auto, cpu or cuda"),
#undef S
    OPT_END
};

enum {
    CHUNK = 64,               /* prompt tokens that go through the model at a time */
    PROMPT_LIMIT = 256 << 20, /* bytes */
};

struct generator {
    const struct generate_options *o;
    struct loaded loaded;
    struct stream *stream;
    struct kv_cache *cache;
    struct token_list tokens; /* prompt, then what was written */
    float *logits;
    struct text_stream text;
    bool reader_gone; /* nobody reads standard output any more: no failure, but the end */
};

static enum status read_prompt(const struct generate_options *o, struct buf *out)
{
    char block[4096];
    size_t n;

    if (o->prompt.count == 1 && strcmp(o->prompt.v[0], "-") == 0) {
        while (out->n <= PROMPT_LIMIT && (n = fread(block, 1, sizeof block, stdin)) > 0)
            buf_add(out, block, n);
        if (out->n > PROMPT_LIMIT)
            return fail(ST_LIMIT, "the prompt is longer than %d bytes", PROMPT_LIMIT);
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
static enum status encode_prompt(struct generator *g, const struct buf *prompt)
{
    int64_t context = model_config_of(g->loaded.model)->context,
            end = tokenizer_end_of_text(g->loaded.tokenizer);
    struct encoder *e = encoder_new(g->loaded.tokenizer);
    enum status st;

    if (end >= 0)
        token_list_add(&g->tokens, (uint32_t)end);
    st = encoder_encode(e, (struct span){ prompt->p == NULL ? "" : prompt->p, prompt->n }, false,
                        &g->tokens);
    encoder_free(e);
    TRY(st);
    if (g->tokens.count == 0)
        return fail(ST_USAGE, "the prompt is empty, and this tokenizer has no end-of-text token to "
                              "begin with");
    if ((int64_t)g->tokens.count > context)
        return fail(ST_LIMIT, "the prompt has %zu tokens, the model's context is %lld: shorten it",
                    g->tokens.count, (long long)context);
    return ST_OK;
}

static enum status open_model(struct generator *g)
{
    const struct generate_options *o = g->o;

    TRY(loaded_open(&g->loaded, o->model, o->device, o->dtype));
    TRY(stream_open(g->loaded.device, &g->stream));
    g->logits = mem_array((size_t)model_config_of(g->loaded.model)->vocab, sizeof *g->logits);
    return ST_OK;
}

/* Room for the prompt and what may follow it. */
static enum status open_cache(struct generator *g)
{
    int64_t context = model_config_of(g->loaded.model)->context, most = g->o->max_tokens;

    most += (int64_t)g->tokens.count;
    most = most < context ? most : context;
    return kv_cache_new(
        &(struct kv_cache_args){ .model = g->loaded.model,
                                 .stream = g->stream,
                                 .sequences = 1,
                                 .pages = (most + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS,
                                 .max_rows = CHUNK },
        &g->cache);
}

static void close_all(struct generator *g)
{
    kv_cache_free(g->cache);
    stream_close(g->stream);
    loaded_close(&g->loaded);
    token_list_release(&g->tokens);
    free(g->logits);
}

/* Puts tokens [first, count) through the model; the logits of the last one stay. Ends early when a
 * stop is asked for. */
static enum status feed(struct generator *g, size_t first)
{
    struct decode_row rows[CHUNK];

    TRY(kv_cache_reserve(g->cache, 0, (int64_t)g->tokens.count));
    while (first < g->tokens.count && !stop_requested()) {
        int64_t n = 0;

        for (; n < CHUNK && first < g->tokens.count; n++, first++)
            rows[n] = (struct decode_row){ 0, (int32_t)first, (int32_t)g->tokens.v[first],
                                           first + 1 == g->tokens.count };
        TRY(decode_step(g->cache, rows, n, g->logits));
    }
    return ST_OK;
}

static enum status show(struct generator *g, const struct buf *text)
{
    if (text->n == 0 || g->reader_gone)
        return ST_OK;
    if (fwrite(text->p, 1, text->n, stdout) == text->n && fflush(stdout) == 0)
        return ST_OK;
    g->reader_gone = errno == EPIPE;
    return g->reader_gone ? ST_OK : fail_errno(ST_IO, "writing to standard output");
}

static enum status show_token(struct generator *g, uint32_t id)
{
    struct buf out = { 0 };
    enum status st;

    text_stream_add(&g->text, tokenizer_bytes(g->loaded.tokenizer, id), &out);
    st = show(g, &out);
    buf_release(&out);
    return st;
}

static enum status show_end(struct generator *g)
{
    struct buf rest = { 0 };
    enum status st;

    text_stream_end(&g->text, &rest);
    buf_addc(&rest, '\n');
    st = show(g, &rest);
    buf_release(&rest);
    return st;
}

static enum status choose(struct generator *g, int64_t n, int32_t *id)
{
    const struct generate_options *o = g->o;
    const struct sample_options how = {
        .temperature = o->temperature, .top_k = o->top_k, .top_p = o->top_p, .min_p = o->min_p
    };
    double draw = rng_uniform_at((uint64_t)o->seed, 0, (uint64_t)n);

    *id = sample_token(g->logits, model_config_of(g->loaded.model)->vocab, &how, draw);
    if (!isfinite(g->logits[*id]))
        return fail(ST_FAILED, "the model's logits are not finite: its weights are damaged, or the "
                               "training went astray");
    return ST_OK;
}

static bool is_open(const struct generator *g) { return !stop_requested() && !g->reader_gone; }

/* Until max-tokens, the end of the text, or the end of the context. */
static enum status write_tokens(struct generator *g, int64_t *written)
{
    const struct model_config *c = model_config_of(g->loaded.model);
    int32_t id;

    for (*written = 0; *written < g->o->max_tokens && is_open(g); ++*written) {
        TRY(choose(g, *written, &id));
        if (id == c->end_of_text || (int64_t)g->tokens.count == c->context)
            return ST_OK;
        token_list_add(&g->tokens, (uint32_t)id);
        TRY(show_token(g, (uint32_t)id));
        TRY(feed(g, g->tokens.count - 1));
    }
    return ST_OK;
}

static enum status generate(struct generator *g, struct buf *prompt)
{
    int64_t written;
    double start;

    TRY(read_prompt(g->o, prompt));
    TRY(open_model(g));
    TRY(encode_prompt(g, prompt));
    TRY(open_cache(g));
    TRY(show(g, prompt));
    TRY(feed(g, 0));
    start = bench_now();
    TRY(write_tokens(g, &written));
    TRY(show_end(g));
    log_info("%lld tokens, %.0f a second", (long long)written,
             (double)written / (bench_now() - start));
    if ((int64_t)g->tokens.count == model_config_of(g->loaded.model)->context)
        log_info("the model's context of %zu tokens is full", g->tokens.count);
    if (stop_requested())
        return fail(ST_INTERRUPTED, "stopped after %lld tokens", (long long)written);
    return ST_OK;
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
