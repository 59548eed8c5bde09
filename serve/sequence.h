/*
 * One text that the engine writes: what was asked for, and how far it is. Private to the engine.
 */
#ifndef TUNDISH_SERVE_SEQUENCE_H
#define TUNDISH_SERVE_SEQUENCE_H

#include <stdatomic.h>

#include "serve/engine.h"

/* What sampling found for one row of logits. */
struct drawn {
    int32_t id;
    float logprob;
    int top_count;
    struct token_choice top[ENGINE_TOP];
    bool finite;
};

struct sequence {
    struct sequence_args args; /* its prompt and bias are copies */
    uint64_t ticket;
    struct sequence *next; /* in the queue */
    int32_t *tokens;       /* [prompt_count + max_tokens] */
    int64_t count;         /* of tokens so far */
    int64_t read;          /* of them, how many are in the cache or on their way */
    int64_t told;          /* prompt tokens that on_token has seen */
    int32_t slot;
    int32_t *written; /* [V] how often; NULL: no penalties, no bias */
    bool *in_prompt;  /* [V] */
    atomic_bool cancelled;
};

struct sequence *sequence_new(const struct sequence_args *args);
/* When it is admitted: what only a running sequence needs (a queue may be long). */
void sequence_begin(struct sequence *s, int64_t vocab);
void sequence_free(struct sequence *s);

/* Whether the logits of the row at this position are wanted. */
bool sequence_wants(const struct sequence *s, int64_t position);
/* Draws the token that follows position (the last one known), or, inside the prompt, scores the one
 * that does. logits: its row; scratch: f32 [V]. */
void sequence_draw(const struct sequence *s, int64_t position, const float *logits, float *scratch,
                   int64_t vocab, struct drawn *out);
/* Takes a drawn token in and tells it; false: the text ends, *end says how. end_of_text: the
 * model's token for that, -1: it has none. */
bool sequence_take(struct sequence *s, const struct drawn *d, int32_t end_of_text,
                   enum engine_end *end);
/* Tells the prompt's token behind `position`, scored. False: the callback wants the end. */
bool sequence_tell_prompt(struct sequence *s, int64_t position, const struct drawn *d);

#endif
