/*
 * One reply that the model writes: P prompts, n texts of each, whole or as a stream.
 *
 * The HTTP thread makes it and submits its sequences; from then on it belongs to the engine's
 * callbacks, which write pieces to the exchange, until the last sequence has ended.
 */
#ifndef TUNDISH_SERVE_COMPLETION_H
#define TUNDISH_SERVE_COMPLETION_H

#include "serve/api.h"
#include "serve/request.h"

struct completion_prompt {
    int32_t *ids;
    int64_t count;
    int64_t hidden; /* of them, how many stand in front that the client did not send */
};
struct completion_args {
    struct exchange *x;
    const struct api *api;
    struct request *request; /* taken over */
    bool chat;
    struct completion_prompt *prompts; /* taken over */
    int64_t prompt_count;
};
/* Answers the exchange, sooner or later. */
void completion_start(const struct completion_args *args);
/* Checks lengths against context, cache and limits: what completion_start() may assume. */
bool completion_check(const struct completion_args *args, struct problem *p);
void completion_free_prompts(struct completion_prompt *prompts, int64_t count);
/* Tokens that may be written behind a prompt. */
int64_t completion_max_tokens(const struct completion_args *args, int64_t prompt_tokens);

#endif
