/*
 * The engine: one thread that owns the model and writes many texts at once.
 *
 * Continuous batching over a paged key-value cache: each step takes one token of every sequence
 * that writes, fills what is left of the step's rows with chunks of prompts, and hands each new
 * token to its sequence's callback. A sequence is admitted, in order of arrival, when a slot and
 * pages for its prompt and all it may write are free: it never has to be thrown out again. Every
 * product and every sum is row-invariant, so a sequence gets the same tokens alone and among
 * others, whatever the chunks, the number of threads, and the moment of arrival.
 *
 * Threads: engine_submit() and engine_cancel() may be called from any thread; callbacks run on the
 * engine's thread, one at a time, without a lock of the engine held, and must be short.
 */
#ifndef TUNDISH_SERVE_ENGINE_H
#define TUNDISH_SERVE_ENGINE_H

#include "base/command.h"
#include "model/decode.h"

struct engine;
struct engine_args {
    struct model *model;  /* borrowed until engine_free() */
    int threads;          /* of one step; 0: all there are */
    int64_t sequences;    /* written at once, at most */
    uint64_t cache_bytes; /* of keys and values; at least one whole context is taken */
    int64_t step_rows;    /* tokens that go through the model in one step, at most */
    int64_t waiting;      /* sequences in the queue, at most */
};
/* Starts the thread. */
MUST_USE enum status engine_new(const struct engine_args *args, struct engine **out);
/* Ends all sequences (END_CANCELLED) and the thread; from then on engine_submit() fails. Everything
 * else may still be called. */
void engine_stop(struct engine *e);
void engine_free(struct engine *e); /* engine_stop(), and its memory is gone */

enum { ENGINE_TOP = 20 }; /* alternatives told for a token, at most */

/* A token, written or of the prompt. Logprobs are of the model's own distribution: before
 * temperature, penalties and bias. */
struct engine_token {
    int32_t id;
    int64_t position; /* in the sequence, from 0 */
    bool of_prompt;
    bool has_logprob; /* false for position 0, and where none was asked for */
    float logprob;
    int top_count;
    const struct token_choice
        *top; /* most likely first, lowest id on ties; valid in the callback */
};
enum engine_end { END_STOP, END_LENGTH, END_CANCELLED, END_FAILED };

/* One sequence to write. All is copied by engine_submit(). */
struct sequence_args {
    const int32_t *prompt;
    int64_t prompt_count; /* at least 1, at most the context */
    int64_t max_tokens;   /* 0: the prompt is only read */
    struct sample_options sample;
    uint64_t seed, stream; /* draw n is rng_uniform_at(seed, stream, n) */
    int64_t logprobs;      /* -1: none; else each token's logprob and this many alternatives */
    bool prompt_logprobs;  /* on_token is called for the prompt's tokens as well, first */
    bool past_end;         /* the end-of-text token does not end the text */
    /* false: the text ends here (END_STOP). The end-of-text token that ends a text is not told. */
    bool (*on_token)(void *ctx, const struct engine_token *t);
    /* Once, last; nothing is called afterwards. END_FAILED: why is in fail_message(). */
    void (*on_end)(void *ctx, enum engine_end end);
    void *ctx;
};
/* ST_LIMIT: the sequence is longer than the model's context or than the whole cache: it can never
 * be written. ST_AGAIN: the queue is full, or the engine has stopped. *ticket names it for
 * engine_cancel(). */
MUST_USE enum status engine_submit(struct engine *e, const struct sequence_args *args,
                                   uint64_t *ticket);
/* Asks for the end of a sequence; on_end (END_CANCELLED) follows soon unless it ended before. A
 * ticket that is over is fine. */
void engine_cancel(struct engine *e, uint64_t ticket);

struct engine_state {
    int64_t running, waiting; /* sequences */
    int64_t pages_used, pages;
    uint64_t prompt_tokens, written_tokens; /* since the start */
    uint64_t steps;
    double busy_seconds; /* in steps */
};
struct engine_state engine_state(struct engine *e);
const struct model *engine_model(const struct engine *e);

#endif
