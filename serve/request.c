#include "serve/request.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum field_type { F_INT, F_REAL, F_BOOL, F_TEXT, F_ANY, F_IGNORED, F_UNSUPPORTED };
struct field {
    const char *name;
    unsigned at; /* endpoints */
    enum field_type type;
    size_t offset;
    double min, max;
};

enum { WRITE = AT_COMPLETIONS | AT_CHAT, TEXT = AT_TOKENIZE | AT_DETOKENIZE };
#define FIELD(f) offsetof(struct request, f)
static const struct field fields[] = {
    { "model", WRITE | TEXT, F_TEXT, FIELD(model), 0, 0 },
    { "prompt", AT_COMPLETIONS | AT_TOKENIZE, F_ANY, FIELD(prompt), 0, 0 },
    { "content", AT_TOKENIZE, F_ANY, FIELD(prompt), 0, 0 },
    { "tokens", AT_DETOKENIZE, F_ANY, FIELD(tokens), 0, 0 },
    { "messages", AT_CHAT, F_ANY, FIELD(messages), 0, 0 },
    { "max_tokens", WRITE, F_INT, FIELD(max_tokens), 0, 16777216 },
    { "max_completion_tokens", AT_CHAT, F_INT, FIELD(max_completion_tokens), 0, 16777216 },
    { "temperature", WRITE, F_REAL, FIELD(temperature), 0, 2 },
    { "top_p", WRITE, F_REAL, FIELD(top_p), 0, 1 },
    { "top_k", WRITE, F_INT, FIELD(top_k), 0, 16777216 },
    { "min_p", WRITE, F_REAL, FIELD(min_p), 0, 1 },
    { "presence_penalty", WRITE, F_REAL, FIELD(presence_penalty), -2, 2 },
    { "frequency_penalty", WRITE, F_REAL, FIELD(frequency_penalty), -2, 2 },
    { "repetition_penalty", WRITE, F_REAL, FIELD(repetition_penalty), 0.01, 10 },
    { "n", WRITE, F_INT, FIELD(n), 1, 128 },
    { "seed", WRITE, F_INT, FIELD(seed), -9007199254740992.0, 9007199254740992.0 },
    { "stop", WRITE, F_ANY, FIELD(stop_value), 0, 0 },
    { "logit_bias", WRITE, F_ANY, FIELD(bias_value), 0, 0 },
    { "stream", WRITE, F_BOOL, FIELD(stream), 0, 0 },
    { "stream_options", WRITE, F_ANY, FIELD(stream_options), 0, 0 },
    { "echo", AT_COMPLETIONS, F_BOOL, FIELD(echo), 0, 0 },
    { "logprobs", AT_COMPLETIONS, F_INT, FIELD(logprobs_count), 0, 20 },
    { "logprobs", AT_CHAT, F_BOOL, FIELD(logprobs), 0, 0 },
    { "top_logprobs", AT_CHAT, F_INT, FIELD(top_logprobs), 0, 20 },
    { "add_special_tokens", WRITE | AT_TOKENIZE, F_BOOL, FIELD(add_special_tokens), 0, 0 },
    { "ignore_eos", WRITE, F_BOOL, FIELD(ignore_eos), 0, 0 },
    { "return_token_ids", WRITE, F_BOOL, FIELD(return_token_ids), 0, 0 },
    { "parse_special", AT_TOKENIZE, F_BOOL, FIELD(parse_special), 0, 0 },
    { "with_pieces", AT_TOKENIZE, F_BOOL, FIELD(with_pieces), 0, 0 },
    { "return_token_strs", AT_TOKENIZE, F_BOOL, FIELD(with_pieces), 0, 0 },
    /* OpenAI's, of no consequence here */
    { "user", WRITE, F_IGNORED, 0, 0, 0 },
    { "metadata", WRITE, F_IGNORED, 0, 0, 0 },
    { "store", WRITE, F_IGNORED, 0, 0, 0 },
    { "service_tier", WRITE, F_IGNORED, 0, 0, 0 },
    { "safety_identifier", WRITE, F_IGNORED, 0, 0, 0 },
    { "prompt_cache_key", WRITE, F_IGNORED, 0, 0, 0 },
    { "parallel_tool_calls", AT_CHAT, F_IGNORED, 0, 0, 0 },
    { "verbosity", AT_CHAT, F_IGNORED, 0, 0, 0 },
    /* OpenAI's, that would change the answer: only as if they were not there */
    { "suffix", AT_COMPLETIONS, F_UNSUPPORTED, 0, 0, 0 },
    { "best_of", AT_COMPLETIONS, F_UNSUPPORTED, 0, 0, 0 },
    { "tools", AT_CHAT, F_UNSUPPORTED, 0, 0, 0 },
    { "tool_choice", AT_CHAT, F_UNSUPPORTED, 0, 0, 0 },
    { "functions", AT_CHAT, F_UNSUPPORTED, 0, 0, 0 },
    { "function_call", AT_CHAT, F_UNSUPPORTED, 0, 0, 0 },
    { "response_format", AT_CHAT, F_UNSUPPORTED, 0, 0, 0 },
    { "modalities", AT_CHAT, F_UNSUPPORTED, 0, 0, 0 },
    { "audio", AT_CHAT, F_UNSUPPORTED, 0, 0, 0 },
    { "prediction", AT_CHAT, F_UNSUPPORTED, 0, 0, 0 },
    { "reasoning_effort", AT_CHAT, F_UNSUPPORTED, 0, 0, 0 },
    { "web_search_options", AT_CHAT, F_UNSUPPORTED, 0, 0, 0 },
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

bool problem_is(struct problem *p, int http, const char *code, const char *param, const char *fmt,
                ...)
{
    va_list args;

    p->http = http;
    p->code = code;
    p->param = param;
    va_start(args, fmt);
    vsnprintf(p->text, sizeof p->text, fmt, args);
    va_end(args);
    return false;
}

/* ---- one field ---- */

static const char *kind_of(const json_t *v)
{
    static const char *const names[] = { "an object", "a list",  "a text",  "a whole number",
                                         "a number",  "a truth", "a truth", "null" };

    return names[json_typeof(v)];
}

static bool wrong_type(const struct field *f, const json_t *v, const char *want, struct problem *p)
{
    return problem_is(p, 400, "wrong_type", f->name, "'%s' is %s, want %s", f->name, kind_of(v),
                      want);
}

/* Whole numbers may be written as 16.0. */
static bool whole(const json_t *v, double *out)
{
    if (!json_is_number(v))
        return false;
    *out = json_number_value(v);
    return json_is_integer(v) || (isfinite(*out) && floor(*out) == *out);
}

static bool take_number(struct request *r, const struct field *f, const json_t *v,
                        struct problem *p)
{
    double x = json_number_value(v);

    if (f->type == F_INT && !whole(v, &x))
        return wrong_type(f, v, "a whole number", p);
    if (!json_is_number(v))
        return wrong_type(f, v, "a number", p);
    if (!(x >= f->min && x <= f->max))
        return problem_is(p, 400, "out_of_range", f->name, "'%s' is %.12g, want %.12g to %.12g",
                          f->name, x, f->min, f->max);
    if (f->type == F_INT)
        *(int64_t *)((char *)r + f->offset) = (int64_t)x;
    else
        *(double *)((char *)r + f->offset) = x;
    return true;
}

/* The values that ask for nothing. */
static bool asks_for_nothing(const struct request *r, const struct field *f, const json_t *v)
{
    const char *text = json_string_value(v), *type;

    if (strcmp(f->name, "best_of") == 0)
        return json_is_integer(v) && json_integer_value(v) == r->n;
    if (strcmp(f->name, "response_format") == 0) {
        type = json_string_value(json_object_get(v, "type"));
        return type != NULL && strcmp(type, "text") == 0;
    }
    if (strcmp(f->name, "modalities") == 0) {
        type = json_string_value(json_array_get(v, 0));
        return json_array_size(v) == 1 && type != NULL && strcmp(type, "text") == 0;
    }
    if (text != NULL)
        return *text == 0 || (strcmp(text, "none") == 0 && strcmp(f->name, "suffix") != 0);
    return (json_is_array(v) || json_is_object(v)) && json_array_size(v) + json_object_size(v) == 0;
}

static bool take(struct request *r, const struct field *f, json_t *v, struct problem *p)
{
    void *at = (char *)r + f->offset;

    if (json_is_null(v))
        return true;
    switch (f->type) {
    case F_INT:
    case F_REAL:
        return take_number(r, f, v, p);
    case F_BOOL:
        if (!json_is_boolean(v))
            return wrong_type(f, v, "true or false", p);
        *(bool *)at = json_is_true(v);
        return true;
    case F_TEXT:
        if (!json_is_string(v))
            return wrong_type(f, v, "a text", p);
        *(const char **)at = json_string_value(v);
        return true;
    case F_ANY:
        *(json_t **)at = v;
        return true;
    case F_IGNORED:
        return true;
    case F_UNSUPPORTED:
        return asks_for_nothing(r, f, v) ||
               problem_is(p, 400, "unsupported", f->name, "'%s' is not supported by this server",
                          f->name);
    }
    return true;
}

static const struct field *find(enum endpoint at, const char *name)
{
    for (int i = 0; i < FIELDS; i++)
        if ((fields[i].at & (unsigned)at) && strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static bool unknown(enum endpoint at, const char *name, struct problem *p)
{
    const char *names[FIELDS + 1], *near;
    int n = 0;

    for (int i = 0; i < FIELDS; i++)
        if (fields[i].at & (unsigned)at)
            names[n++] = fields[i].name;
    names[n] = NULL;
    near = str_nearest(name, names);
    return problem_is(p, 400, "unknown_field", name, "there is no field '%.60s'%s%s%s", name,
                      near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* ---- fields with a form of their own ---- */

static bool take_stop(struct request *r, const json_t *v, struct problem *p)
{
    if (!json_is_string(v))
        return problem_is(p, 400, "wrong_type", "stop", "'stop' holds %s, want texts", kind_of(v));
    if (json_string_length(v) < 1 || json_string_length(v) > STOP_BYTES)
        return problem_is(p, 400, "out_of_range", "stop",
                          "a text to stop at has %zu bytes, want 1 to %d", json_string_length(v),
                          STOP_BYTES);
    r->stops[r->stop_count++] = (struct span){ json_string_value(v), json_string_length(v) };
    return true;
}

static bool take_stops(struct request *r, struct problem *p)
{
    size_t n = json_array_size(r->stop_value);

    if (r->stop_value == NULL)
        return true;
    if (!json_is_array(r->stop_value))
        return take_stop(r, r->stop_value, p);
    if (n > 4)
        return problem_is(p, 400, "out_of_range", "stop", "%zu texts to stop at, want at most 4",
                          n);
    for (size_t i = 0; i < n; i++)
        if (!take_stop(r, json_array_get(r->stop_value, i), p))
            return false;
    return true;
}

static bool take_biases(struct request *r, int64_t vocab, struct problem *p)
{
    const char *name;
    json_t *v;

    if (r->bias_value == NULL)
        return true;
    if (!json_is_object(r->bias_value) || json_object_size(r->bias_value) > BIASES)
        return problem_is(p, 400, "wrong_type", "logit_bias",
                          "'logit_bias' is %s, want an object of at most %d token ids",
                          kind_of(r->bias_value), BIASES);
    r->bias = mem_array(json_object_size(r->bias_value) + 1, sizeof *r->bias);
    json_object_foreach(r->bias_value, name, v)
    {
        long long id = strtoll(name, NULL, 10);
        char same[24];

        snprintf(same, sizeof same, "%lld", id); /* no other way to write it: it comes once */
        if (strcmp(name, same) != 0 || id < 0 || id >= vocab)
            return problem_is(p, 400, "out_of_range", "logit_bias",
                              "'%.40s' is no token id, want 0 to %lld", name, (long long)vocab - 1);
        if (!json_is_number(v) || !(fabs(json_number_value(v)) <= 100))
            return problem_is(p, 400, "out_of_range", "logit_bias",
                              "the bias of token %lld must be a number from -100 to 100", id);
        r->bias[r->bias_count++] = (struct token_bias){ (int32_t)id, (float)json_number_value(v) };
    }
    return true;
}

static bool take_stream_options(struct request *r, struct problem *p)
{
    const char *name;
    json_t *v;

    if (r->stream_options == NULL)
        return true;
    if (!json_is_object(r->stream_options))
        return problem_is(p, 400, "wrong_type", "stream_options",
                          "'stream_options' is %s, want an object", kind_of(r->stream_options));
    if (!r->stream)
        return problem_is(p, 400, "unsupported", "stream_options",
                          "'stream_options' is only for \"stream\": true");
    json_object_foreach(r->stream_options, name, v)
    {
        if (strcmp(name, "include_usage") != 0 && strcmp(name, "include_obfuscation") != 0)
            return problem_is(p, 400, "unknown_field", "stream_options",
                              "there is no option '%.60s' in 'stream_options'", name);
        if (!json_is_boolean(v))
            return problem_is(p, 400, "wrong_type", "stream_options",
                              "'%.60s' is %s, want true or false", name, kind_of(v));
        if (strcmp(name, "include_usage") == 0)
            r->include_usage = json_is_true(v);
    }
    return true;
}

bool request_ids(const json_t *list, const char *param, int64_t vocab, int32_t **out, size_t *count,
                 struct problem *p)
{
    size_t n = json_array_size(list);

    *count = 0;
    *out = mem_array(n + 1, sizeof **out);
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(list, i);
        double x;

        if (!whole(v, &x))
            return problem_is(p, 400, "wrong_type", param, "'%s' holds %s, want token ids", param,
                              kind_of(v));
        if (!(x >= 0 && x < (double)vocab))
            return problem_is(p, 400, "out_of_range", param,
                              "token id %.12g at place %zu, want 0 to %lld", x, i,
                              (long long)vocab - 1);
        (*out)[(*count)++] = (int32_t)x;
    }
    return true;
}

/* ---- the whole ---- */

enum { LEVELS = 64, LISTS = 65536, VALUES = 1 << 20 };

/* A look at the body before it is parsed: the parser goes down with every level of brackets, and
 * makes blocks of memory that are many times as large as the two bytes of a list or a number. */
static bool is_modest(struct span body, struct problem *p)
{
    int64_t depth = 0, lists = 0, values = 0;
    bool text = false;

    for (size_t i = 0; i < body.n; i++) {
        char c = body.p[i];

        if (text && c == '\\')
            i++;
        else if (c == '"')
            text = !text;
        else if (!text && (c == '{' || c == '['))
            depth++, lists++;
        else if (!text && (c == '}' || c == ']'))
            depth--;
        values += !text && c == ',';
        if (depth > LEVELS)
            return problem_is(p, 400, "invalid_json", NULL,
                              "the body has more than %d levels of brackets", LEVELS);
        if (lists > LISTS || values > VALUES)
            return problem_is(p, 400, "invalid_json", NULL,
                              "the body has more than %d lists and objects, or %d values", LISTS,
                              VALUES);
    }
    return true;
}

static bool parse_root(struct request *r, struct span body, struct problem *p)
{
    if (!is_modest(body, p))
        return false;
    if (json_parse(body.p, body.n, "the body", &r->root) != ST_OK)
        return problem_is(p, 400, "invalid_json", NULL, "%s", fail_message());
    if (!json_is_object(r->root))
        return problem_is(p, 400, "invalid_json", NULL, "the body is %s, want an object",
                          kind_of(r->root));
    return true;
}

static void set_defaults(struct request *r)
{
    *r = (struct request){ .max_tokens = -1,
                           .max_completion_tokens = -1,
                           .n = 1,
                           .seed = SEED_NONE,
                           .logprobs_count = -1,
                           .temperature = 1,
                           .top_p = 1,
                           .repetition_penalty = 1,
                           .add_special_tokens = true,
                           .parse_special = true };
}

bool request_parse(struct request *r, enum endpoint at, struct span body, int64_t vocab,
                   struct problem *p)
{
    const struct field *f;

    set_defaults(r);
    if (!parse_root(r, body, p))
        return false;
    for (int i = 0; i < FIELDS; i++) { /* in the table's order: `best_of` looks at `n` */
        json_t *v = json_object_get(r->root, fields[i].name);

        if (v != NULL && (fields[i].at & (unsigned)at) && !take(r, &fields[i], v, p))
            return false;
    }
    for (void *it = json_object_iter(r->root); it; it = json_object_iter_next(r->root, it)) {
        f = find(at, json_object_iter_key(it));
        if (f == NULL)
            return unknown(at, json_object_iter_key(it), p);
    }
    if (r->top_logprobs > 0 && !r->logprobs)
        return problem_is(p, 400, "unsupported", "top_logprobs",
                          "'top_logprobs' is only for \"logprobs\": true");
    return take_stops(r, p) && take_biases(r, vocab, p) && take_stream_options(r, p);
}

void request_detach(struct request *r)
{
    size_t n = 0, at = 0;

    for (int i = 0; i < r->stop_count; i++)
        n += r->stops[i].n;
    r->stop_text = mem_array(n + 1, 1);
    for (int i = 0; i < r->stop_count; i++) {
        memcpy(r->stop_text + at, r->stops[i].p, r->stops[i].n);
        r->stops[i].p = r->stop_text + at;
        at += r->stops[i].n;
    }
    json_decref(r->root);
    r->root = NULL;
    r->model = NULL;
    r->prompt = r->messages = r->tokens = NULL;
    r->stop_value = r->bias_value = r->stream_options = NULL;
}

void request_release(struct request *r)
{
    free(r->stop_text);
    json_decref(r->root);
    free(r->bias);
    r->root = NULL;
    r->bias = NULL;
}

static void print_fields_of(FILE *out, enum endpoint at, const char *title)
{
    int column = fprintf(out, "  %s:", title);

    for (int i = 0; i < FIELDS; i++) {
        const struct field *f = &fields[i];
        char text[96];
        int n;

        if (!(f->at & (unsigned)at) || f->type == F_IGNORED || f->type == F_UNSUPPORTED)
            continue;
        n = f->min < f->max
                ? snprintf(text, sizeof text, " %s (%.10g to %.10g)", f->name, f->min, f->max)
                : snprintf(text, sizeof text, " %s", f->name);
        if (column + n > 98)
            column = fprintf(out, "\n   ") - 1;
        column += fprintf(out, "%s", text);
    }
    fputc('\n', out);
}

void request_print_fields(FILE *out)
{
    fprintf(out, "\nFields of a request's body:\n");
    print_fields_of(out, AT_COMPLETIONS, "completions");
    print_fields_of(out, AT_CHAT, "chat");
    print_fields_of(out, AT_TOKENIZE, "tokenize");
    print_fields_of(out, AT_DETOKENIZE, "detokenize");
}
