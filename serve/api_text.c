/* /v1/completions and /v1/chat/completions: from a body to prompts. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "serve/chat_template.h"
#include "serve/completion.h"

void api_reply_json(struct exchange *x, const struct buf *body)
{
    exchange_reply(x, &(struct reply){
                          .code = 200, .type = "application/json", .body = { body->p, body->n } });
}

void api_reply_problem(struct exchange *x, const struct problem *p)
{
    exchange_error(x, p->http, p->code, p->param, "%s", p->text);
}

bool api_encode(const struct api *a, struct span text, const struct encode_how *how,
                struct token_list *out, struct problem *p)
{
    int64_t end = tokenizer_end_of_text(a->tokenizer);
    struct encoder *e;
    enum status st;

    if (text.n / a->longest_token > (size_t)a->config->context)
        return problem_is(p, 400, "context_length_exceeded", how->param,
                          "a text of %zu bytes has more than %zu tokens, the model's context is "
                          "%lld",
                          text.n, text.n / a->longest_token, (long long)a->config->context);
    if (how->begin && end >= 0)
        token_list_add(out, (uint32_t)end);
    e = encoder_new(a->tokenizer);
    st = encoder_encode(e, text, how->specials, out);
    encoder_free(e);
    if (st != ST_OK)
        return problem_is(p, 400, "cannot_tokenize", how->param, "%s", fail_message());
    return true;
}

static bool check_model(const struct api *a, const struct request *r, struct problem *p)
{
    if (r->model == NULL)
        return problem_is(p, 400, "missing_field", "model", "'model' is missing: this is '%s'",
                          a->name);
    if (strcmp(r->model, a->name) != 0)
        return problem_is(p, 404, "model_not_found", "model",
                          "there is no model '%.100s' here, only '%s'", r->model, a->name);
    return true;
}

/* ---- prompts ---- */

static bool text_prompt(const struct api *a, const struct request *r, struct span text,
                        struct completion_prompt *out, struct problem *p)
{
    bool special = r->add_special_tokens && tokenizer_end_of_text(a->tokenizer) >= 0;
    struct token_list ids = { 0 };
    const struct encode_how how = { .begin = special,
                                    .param = r->prompt != NULL ? "prompt" : "messages" };
    bool good = api_encode(a, text, &how, &ids, p);

    *out = (struct completion_prompt){ .count = (int64_t)ids.count, .hidden = special };
    out->ids = mem_array(ids.count + 1, sizeof *out->ids);
    for (size_t i = 0; i < ids.count; i++)
        out->ids[i] = (int32_t)ids.v[i];
    token_list_release(&ids);
    return good;
}

static struct span text_of(const json_t *v)
{
    return (struct span){ json_string_value(v), json_string_length(v) };
}

static bool one_prompt(const struct api *a, const struct request *r, const json_t *v,
                       struct completion_prompt *out, struct problem *p)
{
    size_t n;

    if (json_is_string(v))
        return text_prompt(a, r, text_of(v), out, p);
    if (!json_is_array(v))
        return problem_is(p, 400, "wrong_type", "prompt",
                          "'prompt' must be a text, a list of token ids, or a list of these");
    if (!request_ids(v, "prompt", a->config->vocab, &out->ids, &n, p))
        return false;
    out->count = (int64_t)n;
    return true;
}

/* A text, [text ...], [id ...] or [[id ...] ...]. */
static bool read_prompts(struct completion_args *c, struct problem *p)
{
    const json_t *v = c->request->prompt;
    bool many = json_array_size(v) > 0 && !json_is_number(json_array_get(v, 0));
    size_t n = many ? json_array_size(v) : 1;

    if (v == NULL)
        return problem_is(p, 400, "missing_field", "prompt", "'prompt' is missing");
    if (n < 1 || n > PROMPTS || n * (size_t)c->request->n > 2 * PROMPTS)
        return problem_is(p, 400, "out_of_range", "prompt",
                          "%zu prompts, %lld texts of each: want 1 to %d prompts and at most %d "
                          "texts",
                          n, (long long)c->request->n, PROMPTS, 2 * PROMPTS);
    c->prompts = mem_array(n, sizeof *c->prompts);
    c->prompt_count = (int64_t)n;
    for (size_t i = 0; i < n; i++)
        if (!one_prompt(c->api, c->request, many ? json_array_get(v, i) : v, &c->prompts[i], p))
            return false;
    return true;
}

/* ---- chat ---- */

static bool add_parts(struct buf *out, const json_t *parts, struct problem *p)
{
    size_t i;
    json_t *part;

    json_array_foreach(parts, i, part)
    {
        const char *type = json_string_value(json_object_get(part, "type"));
        const json_t *text = json_object_get(part, "text");

        if (type == NULL || strcmp(type, "text") != 0 || !json_is_string(text))
            return problem_is(p, 400, "unsupported", "messages",
                              "part %zu of a message is not of the type 'text'", i);
        buf_add(out, json_string_value(text), json_string_length(text));
    }
    return true;
}

static bool add_message(struct buf *out, const json_t *m, size_t at, struct problem *p)
{
    const char *name = json_string_value(json_object_get(m, "role"));
    const json_t *content = json_object_get(m, "content");
    struct buf text = { 0 };
    enum chat_role role;
    bool good = true;

    if (name == NULL || !chat_role_of(name, &role))
        return problem_is(p, 400, "unsupported", "messages",
                          "message %zu has the role '%.40s', want system, user or assistant", at,
                          name == NULL ? "" : name);
    if (json_is_string(content))
        buf_add(&text, json_string_value(content), json_string_length(content));
    else if (json_is_array(content))
        good = add_parts(&text, content, p);
    else
        good = problem_is(p, 400, "wrong_type", "messages",
                          "message %zu has no 'content' that is a text or a list of texts", at);
    if (good)
        chat_add(out, role, (struct span){ text.p == NULL ? "" : text.p, text.n });
    buf_release(&text);
    return good;
}

static bool read_chat(struct completion_args *c, struct problem *p)
{
    const json_t *messages = c->request->messages;
    struct buf text = { 0 };
    bool good = true;

    if (!json_is_array(messages) || json_array_size(messages) == 0)
        return problem_is(p, 400, "missing_field", "messages",
                          "'messages' must be a list of at least one message");
    for (size_t i = 0; i < json_array_size(messages) && good; i++)
        good = add_message(&text, json_array_get(messages, i), i, p);
    chat_ask(&text);
    c->prompts = mem_array(1, sizeof *c->prompts);
    c->prompt_count = 1;
    good = good && text_prompt(c->api, c->request, (struct span){ text.p, text.n }, c->prompts, p);
    c->request->stops[c->request->stop_count++] = span_of(CHAT_STOP);
    buf_release(&text);
    return good;
}

/* ---- handlers ---- */

static void answer(struct exchange *x, const struct api *a, bool chat)
{
    struct completion_args c = { .x = x, .api = a, .chat = chat };
    struct problem p = { 0 };
    bool good;

    c.request = mem_alloc(sizeof *c.request);
    good = request_parse(c.request, chat ? AT_CHAT : AT_COMPLETIONS, exchange_body(x),
                         a->config->vocab, &p) &&
           check_model(a, c.request, &p) && (chat ? read_chat(&c, &p) : read_prompts(&c, &p)) &&
           completion_check(&c, &p);
    if (good) {
        request_detach(c.request);
        exchange_drop_body(x);
        completion_start(&c);
        return;
    }
    api_reply_problem(x, &p);
    completion_free_prompts(c.prompts, c.prompt_count);
    request_release(c.request);
    free(c.request);
}

void api_completions(struct exchange *x, void *ctx) { answer(x, ctx, false); }

void api_chat(struct exchange *x, void *ctx) { answer(x, ctx, true); }
