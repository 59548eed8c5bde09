#include "serve/completion.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/arena.h"
#include "base/bench.h"
#include "serve/chat_template.h"
#include "serve/metrics.h"
#include "serve/reply.h"

struct job;
/* One text. */
struct part {
    struct job *job;
    int index;
    struct choice choice;
    uint64_t ticket; /* 0: was not submitted */
    const char *finish;
    bool begun; /* a piece of it was sent */
    double last_token;
    int64_t tokens;
};

struct job {
    struct completion_args args;
    struct reply_head head;
    char id[40];
    struct part *parts;
    int64_t count;
    atomic_llong left; /* parts that have not ended, and the thread that submits */
    double start;
    pthread_mutex_t lock; /* the callbacks wait until all is submitted */
    bool refused;         /* an error was sent, nothing more is */
    bool first_token_seen;
    struct failure failure;
};

/* ---- lengths ---- */

int64_t completion_max_tokens(const struct completion_args *a, int64_t prompt_tokens)
{
    const struct request *r = a->request;
    int64_t left = a->api->config->context - prompt_tokens;
    int64_t given = r->max_completion_tokens >= 0 ? r->max_completion_tokens : r->max_tokens;

    if (given >= 0)
        return given;
    if (a->chat)
        return left;
    return left < 16 ? left : 16; /* OpenAI's default */
}

static bool check_prompt(const struct completion_args *a, int64_t prompt, struct problem *p)
{
    int64_t context = a->api->config->context, max = completion_max_tokens(a, prompt);
    const char *param = a->chat ? "messages" : "prompt";

    if (prompt < 1)
        return problem_is(p, 400, "empty_prompt", param, "the prompt has no token");
    if (prompt > context)
        return problem_is(p, 400, "context_length_exceeded", param,
                          "the prompt has %lld tokens, the model's context is %lld",
                          (long long)prompt, (long long)context);
    if (prompt + max > context + 1) /* the last token needs no place */
        return problem_is(p, 400, "context_length_exceeded", "max_tokens",
                          "%lld tokens of prompt and %lld to write: the model's context is %lld",
                          (long long)prompt, (long long)max, (long long)context);
    return true;
}

bool completion_check(const struct completion_args *a, struct problem *p)
{
    const struct request *r = a->request;
    double per_token = r->logprobs || r->logprobs_count >= 0 ? 120 : 40, bytes = 0;

    if (a->prompt_count * r->n > a->api->queue)
        return problem_is(p, 400, "out_of_range", "n",
                          "%lld prompts, %lld texts of each: this server takes %lld texts at once",
                          (long long)a->prompt_count, (long long)r->n, (long long)a->api->queue);
    per_token += (double)a->api->longest_token;
    if (r->logprobs || r->logprobs_count > 0)
        per_token += 90.0 * (double)(r->logprobs ? r->top_logprobs : r->logprobs_count);
    if (r->stream)
        per_token += 300;
    for (int64_t i = 0; i < a->prompt_count; i++) {
        int64_t prompt = a->prompts[i].count;

        if (!check_prompt(a, prompt, p))
            return false;
        bytes += (double)r->n * per_token *
                 (double)(completion_max_tokens(a, prompt) + (r->echo ? prompt : 0));
        if (r->return_token_ids && !r->stream)
            bytes += 8.0 * (double)(r->n * prompt);
    }
    if (bytes > (double)a->api->max_reply)
        return problem_is(p, 400, "reply_too_large", NULL,
                          "the reply may need %.0f bytes, the limit is %llu: ask for fewer tokens, "
                          "texts or logprobs",
                          bytes, (unsigned long long)a->api->max_reply);
    return true;
}

void completion_free_prompts(struct completion_prompt *prompts, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        free(prompts[i].ids);
    free(prompts);
}

/* ---- writing ---- */

static void send_piece(struct part *part, bool last)
{
    struct job *j = part->job;
    struct choice_piece piece;
    struct buf out = { 0 };

    choice_take(&part->choice, last, &piece);
    if (last || !part->begun || piece.text.n > 0 || piece.token_count > 0) {
        buf_adds(&out, "data: ");
        reply_begin(&out, &j->head);
        reply_choice(&out, &j->head,
                     &(struct reply_choice){ .index = part->index,
                                             .piece = &piece,
                                             .finish = last ? part->finish : NULL,
                                             .first = !part->begun });
        reply_end(&out, &j->head, NULL);
        buf_adds(&out, "\n\n");
        exchange_write(j->args.x, out.p, out.n);
        part->begun = true;
    }
    buf_release(&out);
    choice_piece_release(&piece);
}

static void measure(struct part *part)
{
    struct job *j = part->job;
    double now = bench_now();

    if (!j->first_token_seen)
        metric_observe(METRIC_time_to_first_token_seconds, now - j->start);
    j->first_token_seen = true;
    if (part->tokens++ > 0)
        metric_observe(METRIC_inter_token_seconds, now - part->last_token);
    part->last_token = now;
}

static const struct completion_prompt *prompt_of(const struct part *part)
{
    return &part->job->args.prompts[part->index / part->job->args.request->n];
}

static bool on_token(void *ctx, const struct engine_token *t)
{
    struct part *part = ctx;
    struct job *j = part->job;
    bool go_on = true;

    pthread_mutex_lock(&j->lock);
    if (t->of_prompt) {
        if (t->position >= prompt_of(part)->hidden)
            choice_add_prompt(&part->choice, t);
    } else {
        measure(part);
        go_on = choice_add(&part->choice, t);
        if (j->head.stream && !j->refused && go_on)
            send_piece(part, false);
    }
    pthread_mutex_unlock(&j->lock);
    return go_on;
}

static void job_release(struct job *j);

static void on_end(void *ctx, enum engine_end end)
{
    struct part *part = ctx;
    struct job *j = part->job;

    pthread_mutex_lock(&j->lock);
    part->finish = end == END_LENGTH ? "length" : "stop";
    if (end == END_FAILED && j->failure.st == ST_OK)
        failure_save(&j->failure, ST_FAILED);
    if (end == END_CANCELLED) /* the client has left, or the server stops: nobody reads */
        j->refused = true;
    if (j->head.stream && !j->refused && end != END_FAILED)
        send_piece(part, true);
    pthread_mutex_unlock(&j->lock);
    job_release(j);
}

/* ---- the end ---- */

static struct reply_usage usage_of(const struct job *j)
{
    struct reply_usage u = { 0 };

    for (int64_t i = 0; i < j->args.prompt_count; i++)
        u.prompt_tokens += j->args.prompts[i].count;
    for (int64_t i = 0; i < j->count; i++)
        u.completion_tokens += j->parts[i].tokens;
    return u;
}

static void reply_whole(struct job *j)
{
    struct reply_usage u = usage_of(j);
    struct buf out = { 0 };

    reply_begin(&out, &j->head);
    for (int64_t i = 0; i < j->count; i++) {
        struct part *part = &j->parts[i];
        const struct completion_prompt *p = prompt_of(part);
        struct choice_piece piece;

        choice_take(&part->choice, true, &piece);
        buf_adds(&out, i ? "," : "");
        reply_choice(&out, &j->head,
                     &(struct reply_choice){ .index = part->index,
                                             .piece = &piece,
                                             .finish = part->finish,
                                             .prompt = p->ids,
                                             .prompt_count = p->count });
        choice_piece_release(&piece);
    }
    reply_end(&out, &j->head, &u);
    api_reply_json(j->args.x, &out);
    buf_release(&out);
}

static void end_stream(struct job *j)
{
    struct reply_usage u = usage_of(j);
    struct buf out = { 0 };

    if (j->args.request->include_usage) {
        buf_adds(&out, "data: ");
        reply_begin(&out, &j->head);
        reply_end(&out, &j->head, &u);
        buf_adds(&out, "\n\n");
    }
    buf_adds(&out, "data: [DONE]\n\n");
    exchange_write(j->args.x, out.p, out.n);
    exchange_end_stream(j->args.x);
    buf_release(&out);
}

static void reply_failure(struct job *j)
{
    struct buf event = { 0 };

    if (!j->head.stream) {
        exchange_error(j->args.x, 500, "model_failed", NULL, "%s", j->failure.text);
        return;
    }
    buf_adds(&event, "data: {\"error\":{\"message\":");
    reply_quote(&event, j->failure.text);
    buf_adds(&event, ",\"type\":\"server_error\",\"param\":null,\"code\":\"model_failed\"}}\n\n");
    exchange_write(j->args.x, event.p, event.n);
    exchange_end_stream(j->args.x);
    buf_release(&event);
}

static void job_free(struct job *j)
{
    for (int64_t i = 0; i < j->count; i++)
        choice_release(&j->parts[i].choice);
    completion_free_prompts(j->args.prompts, j->args.prompt_count);
    request_release(j->args.request);
    free(j->args.request);
    exchange_release(j->args.x);
    pthread_mutex_destroy(&j->lock);
    free(j->parts);
    api_release(j->args.api);
    free(j);
}

/* The last one to let go ends the reply. Nobody else has the job then but exchange_on_gone's
 * callback, until it is forgotten. */
static void job_release(struct job *j)
{
    if (atomic_fetch_sub(&j->left, 1) != 1)
        return;
    exchange_forget(j->args.x);
    if (j->failure.st != ST_OK && !j->refused)
        reply_failure(j);
    else if (!j->refused && j->head.stream)
        end_stream(j);
    else if (!j->refused)
        reply_whole(j);
    else /* whoever cancelled it has answered; if nobody did, this is the answer */
        exchange_cut(j->args.x, 503, "stopped", "the server has stopped");
    if (!j->refused)
        metric_observe(METRIC_request_seconds, bench_now() - j->start);
    job_free(j);
}

static void cancel_all(void *ctx)
{
    struct job *j = ctx;

    for (int64_t i = 0; i < j->count; i++)
        if (j->parts[i].ticket != 0)
            engine_cancel(j->args.api->engine, j->parts[i].ticket);
}

/* ---- the beginning ---- */

static void make_id(struct job *j)
{
    uint64_t random[2] = { 0 };
    ssize_t n = getrandom(random, sizeof random, 0);
    int64_t seed = j->args.request->seed;

    BUG_IF(n != (ssize_t)sizeof random);
    snprintf(j->id, sizeof j->id, "%s-%016" PRIx64, j->args.chat ? "chatcmpl" : "cmpl", random[0]);
    j->head.seed = seed != SEED_NONE ? seed : (int64_t)(random[1] >> 11); /* what a double holds */
}

static void make_head(struct job *j)
{
    const struct request *r = j->args.request;

    j->head = (struct reply_head){ .chat = j->args.chat,
                                   .stream = r->stream,
                                   .id = j->id,
                                   .model = j->args.api->name,
                                   .fingerprint = j->args.api->fingerprint,
                                   .created = (int64_t)time(NULL),
                                   .logprobs = r->logprobs || r->logprobs_count >= 0,
                                   .token_ids = r->return_token_ids,
                                   .usage_null = r->include_usage,
                                   .tokenizer = j->args.api->tokenizer };
    make_id(j);
}

static void make_part(struct job *j, int64_t i)
{
    const struct request *r = j->args.request;
    struct part *part = &j->parts[i];
    const struct completion_prompt *p;

    *part = (struct part){ .job = j, .index = (int)i };
    p = prompt_of(part);
    choice_init(&part->choice,
                &(struct choice_args){ .tokenizer = j->args.api->tokenizer,
                                       .stops = r->stops,
                                       .stop_count = r->stop_count,
                                       .keep_tokens = j->head.logprobs || j->head.token_ids,
                                       .drop_space = j->args.chat });
    if (!r->echo || j->head.logprobs)
        return;
    for (int64_t k = p->hidden; k < p->count; k++)
        choice_add_echo(&part->choice,
                        tokenizer_bytes(j->args.api->tokenizer, (uint32_t)p->ids[k]));
}

static enum status submit(struct job *j, int64_t i)
{
    const struct request *r = j->args.request;
    struct part *part = &j->parts[i];
    const struct completion_prompt *p = prompt_of(part);
    int64_t top = r->logprobs ? r->top_logprobs : r->logprobs_count;

    atomic_fetch_add(&j->left, 1);
    return engine_submit(
        j->args.api->engine,
        &(struct sequence_args){ .prompt = p->ids,
                                 .prompt_count = p->count,
                                 .max_tokens = completion_max_tokens(&j->args, p->count),
                                 .sample = { .temperature = r->temperature,
                                             .top_k = r->top_k,
                                             .top_p = r->top_p,
                                             .min_p = r->min_p,
                                             .presence_penalty = r->presence_penalty,
                                             .frequency_penalty = r->frequency_penalty,
                                             .repetition_penalty = r->repetition_penalty,
                                             .bias = r->bias,
                                             .bias_count = r->bias_count },
                                 .seed = (uint64_t)j->head.seed,
                                 .stream = (uint64_t)i,
                                 .logprobs = j->head.logprobs ? top : -1,
                                 .prompt_logprobs = r->echo && j->head.logprobs,
                                 .past_end = r->ignore_eos,
                                 .on_token = on_token,
                                 .on_end = on_end,
                                 .ctx = part },
        &part->ticket);
}

/* Under the lock: the callbacks of what is submitted wait until the reply has begun. */
static bool submit_all(struct job *j)
{
    enum status st = ST_OK;

    for (int64_t i = 0; i < j->count && st == ST_OK; i++)
        st = submit(j, i);
    if (st == ST_OK) {
        if (j->head.stream)
            exchange_begin_stream(j->args.x);
        return true;
    }
    atomic_fetch_sub(&j->left, 1); /* of the one that was not taken */
    j->refused = true;
    if (st == ST_AGAIN)
        exchange_error(j->args.x, 429, "queue_full", NULL, "%s", fail_message());
    else
        exchange_error(j->args.x, 400, "context_length_exceeded", NULL, "%s", fail_message());
    return false;
}

void completion_start(const struct completion_args *args)
{
    struct job *j = mem_alloc(sizeof *j);
    bool all;

    j->args = *args;
    j->start = bench_now();
    pthread_mutex_init(&j->lock, NULL);
    exchange_hold(args->x);
    api_hold(args->api);
    atomic_init(&j->left, 1);
    make_head(j);
    j->count = args->prompt_count * args->request->n;
    j->parts = mem_array((size_t)j->count, sizeof *j->parts);
    for (int64_t i = 0; i < j->count; i++)
        make_part(j, i);
    pthread_mutex_lock(&j->lock);
    all = submit_all(j);
    pthread_mutex_unlock(&j->lock);
    if (all)
        exchange_on_gone(args->x, cancel_all, j);
    else
        cancel_all(j);
    job_release(j);
}
