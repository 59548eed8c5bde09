/*
 * Replies as JSON, in OpenAI's shapes: whole ones and pieces of streams.
 */
#ifndef TUNDISH_SERVE_REPLY_H
#define TUNDISH_SERVE_REPLY_H

#include "serve/choice.h"

struct reply_head {
    bool chat, stream;
    const char *id, *model, *fingerprint;
    int64_t created, seed;
    bool logprobs, token_ids;
    bool usage_null; /* a stream that ends with its usage: other pieces say null */
    const struct tokenizer *tokenizer;
};
struct reply_choice {
    int index;
    const struct choice_piece *piece;
    const char *finish;    /* NULL: not yet */
    bool first;            /* a chat stream's first piece names the role */
    const int32_t *prompt; /* ids of the prompt, where token ids were asked for; else NULL */
    int64_t prompt_count;
};
struct reply_usage {
    int64_t prompt_tokens, completion_tokens;
};
/* {"id": ..., "choices": [   then choices with commas between them, then reply_end(). */
void reply_begin(struct buf *out, const struct reply_head *h);
void reply_choice(struct buf *out, const struct reply_head *h, const struct reply_choice *c);
/* ] and usage, NULL: none. */
void reply_end(struct buf *out, const struct reply_head *h, const struct reply_usage *u);
/* [1, 2, 3] */
void reply_bytes(struct buf *out, struct span bytes);
void reply_quote(struct buf *out, const char *text);

#endif
