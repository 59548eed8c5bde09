/*
 * What a client may ask for. One table of fields (request.c) says of each its name, where it
 * stands, its type and its bounds, and whether it means something here; parsing, the message for a
 * wrong value, and the nearest name for an unknown one follow from it.
 *
 * To add a field: a member here and a row there.
 */
#ifndef TUNDISH_SERVE_REQUEST_H
#define TUNDISH_SERVE_REQUEST_H

#include <stdio.h>

#include "base/json.h"
#include "model/decode.h"

enum endpoint { AT_COMPLETIONS = 1, AT_CHAT = 2, AT_TOKENIZE = 4, AT_DETOKENIZE = 8 };

/* What is wrong with a request: becomes the error that the client gets. */
struct problem {
    int http;
    const char *code, *param; /* code NULL: none; param: borrowed from table or request */
    char text[800];
};
/* Fills it in; returns false. */
bool problem_is(struct problem *p, int http, const char *code, const char *param, const char *fmt,
                ...) PRINTF_LIKE(5, 6);

#define SEED_NONE INT64_MIN
enum { STOPS = 8, STOP_BYTES = 1024, BIASES = 1024, PROMPTS = 1024 };

struct request {
    json_t *root; /* owns all that is borrowed below */
    const char *model;
    json_t *prompt, *messages, *tokens; /* raw; their own readers check them */
    json_t *stop_value, *bias_value, *stream_options;
    int64_t max_tokens, max_completion_tokens; /* -1: not given */
    int64_t n, seed, top_k, top_logprobs,
        logprobs_count; /* logprobs_count -1, seed SEED_NONE: not given */
    double temperature, top_p, min_p, presence_penalty, frequency_penalty, repetition_penalty;
    bool stream, echo, logprobs, add_special_tokens, ignore_eos, return_token_ids, with_pieces;
    bool parse_special; /* special tokens' texts are these tokens; never so in prompts */
    bool include_usage;
    struct span stops[STOPS]; /* borrowed from root, or of stop_text */
    char *stop_text;
    int stop_count;
    struct token_bias *bias;
    size_t bias_count;
};

/* Parses a body; false: *p says what is wrong. vocab bounds token ids. */
bool request_parse(struct request *r, enum endpoint at, struct span body, int64_t vocab,
                   struct problem *p);
/* Keeps what writing needs and lets go of the body's tree, prompts and messages with it. */
void request_detach(struct request *r);
void request_release(struct request *r);
/* The fields with their bounds, for --help. */
void request_print_fields(FILE *out);
/* Reads a list of token ids; false: *p. Caller frees *out. */
bool request_ids(const json_t *list, const char *param, int64_t vocab, int32_t **out, size_t *count,
                 struct problem *p);

#endif
