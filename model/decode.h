/*
 * Decoding: many sequences, token by token, over a paged KV cache.
 *
 * A cache has a number of pages; a sequence owns a list of them. One call of decode_step() takes
 * rows (sequence, position, token): prefill chunks and single tokens of many sequences alike. Each
 * row's result does not depend on what else is in the call, nor on the number of threads: a product
 * is divided by its columns, all else by rows, so every sum is made by one thread in its own order.
 */
#ifndef TUNDISH_MODEL_DECODE_H
#define TUNDISH_MODEL_DECODE_H

#include "base/pool.h"
#include "base/rng.h"
#include "model/model.h"

struct kv_cache;
struct kv_cache_args {
    const struct model *model;
    struct stream *stream; /* of the thread that calls decode_step() */
    struct pool *pool;     /* that a step is divided over; NULL: the calling thread alone */
    int64_t sequences;     /* slots */
    int64_t pages;         /* over all sequences; a page holds KV_PAGE_TOKENS tokens of all layers */
    int64_t max_rows;      /* rows of one decode_step() */
    int64_t max_wanted;    /* of them, rows with want_logits; 0: all may be */
};
#define KV_PAGE_TOKENS 16
MUST_USE enum status kv_cache_new(const struct kv_cache_args *args, struct kv_cache **out);
void kv_cache_free(struct kv_cache *c);
/* Gives sequence pages for positions [0, length); ST_LIMIT when there are none left (nothing
 * changes then). */
MUST_USE enum status kv_cache_reserve(struct kv_cache *c, int64_t sequence, int64_t length);
void kv_cache_drop(struct kv_cache *c, int64_t sequence); /* its pages are free again */
int64_t kv_cache_free_pages(const struct kv_cache *c);
/* Bytes of one page's keys and values, all layers. */
uint64_t kv_page_bytes(const struct model *m);

struct decode_row {
    int32_t sequence, position, token;
    bool want_logits;
};
/* rows of one sequence must be in order of position. logits: host f32 [number of rows with
 * want_logits, V], in row order. */
MUST_USE enum status decode_step(struct kv_cache *c, const struct decode_row *rows, int64_t count,
                                 float *logits);

/* ---- choosing a token ---- */
struct token_bias {
    int32_t token;
    float bias; /* added to its logit */
};
struct sample_options {
    double temperature; /* 0: the most likely token, lowest id on ties */
    int64_t top_k;      /* 0: all */
    double top_p;       /* 1: all */
    double min_p;       /* 0: all */
    /* Against repeating: presence once, frequency a time off the logit of a token that was written
     * (OpenAI); repetition divides the positive and multiplies the negative logits of tokens that
     * stand in prompt or text (Keskar et al. 2019, section 4.1). 0, 0 and 1: none. */
    double presence_penalty, frequency_penalty, repetition_penalty;
    const struct token_bias *bias; /* borrowed */
    size_t bias_count;
};
/* Pure in (logits, options, draw): temperature, then top-k, top-p, min-p; draw in [0, 1).
 * Penalties and bias are sample_adjust()'s. */
int32_t sample_token(const float *logits, int64_t vocab, const struct sample_options *o,
                     double draw);
/* Whether sample_adjust() would change anything. */
bool sample_adjusts(const struct sample_options *o);
/* Applies penalties, then bias, in place. written: how often each token was written, [vocab];
 * in_prompt: whether it stands in the prompt, [vocab]. */
void sample_adjust(float *logits, int64_t vocab, const struct sample_options *o,
                   const int32_t *written, const bool *in_prompt);

struct token_choice {
    int32_t id;
    float logprob; /* natural logarithm of softmax(logits)[id] */
};
/* The k most likely tokens, most likely first, lowest id on ties; returns their number, at most
 * vocab. *log_sum is that of exp(logits): a token's logprob is its logit less that. */
int sample_top(const float *logits, int64_t vocab, int k, struct token_choice *out,
               double *log_sum);

#endif
