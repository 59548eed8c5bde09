/*
 * The API: what each route does. OpenAI's shapes, with additions that its clients ignore.
 *
 * A handler reads its body by a table of fields (request.h), submits sequences to the engine, and
 * answers from the engine's callbacks as tokens come. Nothing that a client sends reaches the
 * engine without having passed its row's bounds.
 */
#ifndef TUNDISH_SERVE_API_H
#define TUNDISH_SERVE_API_H

#include "serve/engine.h"
#include "serve/http.h"
#include "tokenize/tokenizer.h"

struct api {
    struct engine *engine;
    const struct tokenizer *tokenizer;
    const struct model_config *config;
    const char *name;        /* the model's, as clients must call it */
    const char *folder;      /* of the model, where no link can change */
    const char *digest;      /* of the folder; NULL: no manifest names it */
    int64_t created;         /* of the model, seconds since 1970 */
    const char *fingerprint; /* changes with the weights and with how they are computed */
    size_t longest_token;    /* bytes */
    int64_t queue;           /* texts that may wait, and so that one request may ask for */
    uint64_t max_reply;      /* bytes that one reply may need, by estimate */
    struct served *served;   /* of which this is a part; NULL: a model that is never swapped */
};
/* A handler has it while it runs; who answers later holds it until then (swap.h). */
void api_hold(const struct api *a);
void api_release(const struct api *a);

/* The handlers, a file each: api_text.c (completions and chat), api_tokens.c, api_status.c. */
void api_completions(struct exchange *x, void *ctx);
void api_chat(struct exchange *x, void *ctx);
void api_tokenize(struct exchange *x, void *ctx);
void api_detokenize(struct exchange *x, void *ctx);
void api_tokenizer_info(struct exchange *x, void *ctx);
void api_models(struct exchange *x, void *ctx);
void api_model(struct exchange *x, void *ctx);
void api_model_card(struct exchange *x, void *ctx);
void api_health(struct exchange *x, void *ctx);
void api_ready(struct exchange *x, void *ctx);
void api_metrics(struct exchange *x, void *ctx);

/* What they share. */
struct problem;
void api_reply_json(struct exchange *x, const struct buf *body);
/* The end-of-text token's text as JSON; null where there is none. */
void api_quote_end_of_text(struct buf *out, const struct api *a);
void api_reply_problem(struct exchange *x, const struct problem *p);
struct encode_how {
    bool begin;        /* put the end-of-text token in front */
    bool specials;     /* special tokens' texts count as these tokens */
    const char *param; /* where the text stands in the request */
};
/* Appends the ids of a text. One that cannot fit into the context is refused before it is read. */
bool api_encode(const struct api *a, struct span text, const struct encode_how *how,
                struct token_list *out, struct problem *p);

/* All routes; ends with a NULL path. ctx of the handlers is a struct api. (routes.c) */
extern const struct route api_routes[];

#endif
