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
    const char *name;   /* the model's, as clients must call it */
    const char *folder; /* of the model */
    int64_t created;    /* of the model, seconds since 1970 */
    uint64_t max_reply; /* bytes that one reply may need, by estimate */
    struct http *http;  /* for /ready */
};

/* All routes; ends with a NULL path. ctx of the handlers is a struct api. (routes.c) */
extern const struct route api_routes[];

#endif
