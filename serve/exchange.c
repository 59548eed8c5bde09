#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/bench.h"
#include "base/json.h"
#include "serve/http_part.h"
#include "serve/metrics.h"

/* ---- life ---- */

struct exchange *exchange_new(struct http *h, struct MHD_Connection *c)
{
    struct exchange *x = mem_alloc(sizeof *x);
    pthread_mutexattr_t recursive;

    x->http = h;
    x->connection = c;
    x->key = -1;
    x->since = bench_now();
    atomic_init(&x->holders, 1);
    pthread_mutex_init(&x->lock, NULL);
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&x->calling, &recursive);
    pthread_mutexattr_destroy(&recursive);
    return x;
}

void exchange_hold(struct exchange *x) { atomic_fetch_add(&x->holders, 1); }

void exchange_release(struct exchange *x)
{
    if (atomic_fetch_sub(&x->holders, 1) != 1)
        return;
    exchange_drop_body(x);
    if (x->response != NULL)
        MHD_destroy_response(x->response);
    buf_release(&x->out);
    free(x->tail);
    pthread_mutex_destroy(&x->lock);
    pthread_mutex_destroy(&x->calling);
    free(x);
}

/* ---- the request ---- */

struct span exchange_body(const struct exchange *x)
{
    return (struct span){ x->body.p == NULL ? "" : x->body.p, x->body.n };
}

void exchange_drop_body(struct exchange *x)
{
    atomic_fetch_sub(&x->http->body_bytes, x->body.cap);
    buf_release(&x->body);
    x->body = (struct buf){ 0 };
}

const char *exchange_tail(const struct exchange *x) { return x->tail == NULL ? "" : x->tail; }

int exchange_key(const struct exchange *x) { return x->key; }

bool exchange_draining(const struct exchange *x) { return http_draining(x->http); }

/* ---- who works on it ---- */

void exchange_fire_gone(struct exchange *x)
{
    pthread_mutex_lock(&x->calling);
    if (!x->is_gone) {
        x->is_gone = true;
        if (x->gone != NULL)
            x->gone(x->gone_ctx);
    }
    pthread_mutex_unlock(&x->calling);
}

void exchange_on_gone(struct exchange *x, void (*gone)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&x->calling);
    x->gone = gone;
    x->gone_ctx = ctx;
    if (x->is_gone)
        gone(ctx);
    pthread_mutex_unlock(&x->calling);
}

void exchange_forget(struct exchange *x)
{
    pthread_mutex_lock(&x->calling);
    x->gone = NULL;
    pthread_mutex_unlock(&x->calling);
}

/* ---- replies ---- */

void exchange_wake(struct exchange *x)
{
    if (!x->suspended)
        return;
    x->suspended = false;
    MHD_resume_connection(x->connection);
}

static void add_header(struct MHD_Response *r, const char *name, const char *value)
{
    BUG_IF(MHD_add_response_header(r, name, value) != MHD_YES);
}

static void add_common_headers(const struct exchange *x, struct MHD_Response *r)
{
    add_header(r, "X-Content-Type-Options", "nosniff");
    if (http_draining(x->http))
        add_header(r, "Connection", "close");
}

/* The lock is held. */
static void set_response(struct exchange *x, int code, struct MHD_Response *response)
{
    x->code = code;
    x->response = response;
    add_common_headers(x, response);
}

void exchange_reply(struct exchange *x, const struct reply *r)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(r->body.n, (void *)r->body.p, MHD_RESPMEM_MUST_COPY);

    BUG_IF(response == NULL);
    add_header(response, "Content-Type", r->type);
    for (const char *const *h = r->headers; h != NULL && h[0] != NULL; h += 2)
        add_header(response, h[0], h[1]);
    pthread_mutex_lock(&x->lock);
    if (x->state == REPLY_NONE) {
        set_response(x, r->code, response);
        x->state = REPLY_WHOLE;
        exchange_wake(x);
        response = NULL;
    }
    pthread_mutex_unlock(&x->lock);
    if (response != NULL) /* it was cut off before */
        MHD_destroy_response(response);
}

static const char *error_type(int http_code)
{
    switch (http_code) {
    case 401:
        return "authentication_error";
    case 403:
        return "permission_error";
    case 404:
        return "not_found_error";
    case 429:
        return "rate_limit_error";
    case 503:
        return "overloaded_error";
    default:
        return http_code < 500 ? "invalid_request_error" : "server_error";
    }
}

static void add_member(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "\"%s\":", name);
    if (value == NULL)
        buf_adds(out, "null");
    else
        json_quote(out, value, strlen(value));
}

static void error_json(struct buf *out, int http_code, const char *code, const char *param,
                       const char *message)
{
    buf_adds(out, "{\"error\":{");
    add_member(out, "message", message);
    buf_addc(out, ',');
    add_member(out, "type", error_type(http_code));
    buf_addc(out, ',');
    add_member(out, "param", param);
    buf_addc(out, ',');
    add_member(out, "code", code);
    buf_adds(out, "}}");
}

void exchange_error(struct exchange *x, int http_code, const char *code, const char *param,
                    const char *fmt, ...)
{
    static const char *const later[] = { "Retry-After", "1", NULL };
    static const char *const who[] = { "WWW-Authenticate", "Bearer", NULL };
    struct buf body = { 0 };
    char message[2048];
    va_list args;

    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    error_json(&body, http_code, code, param, message);
    exchange_reply(x, &(struct reply){ .code = http_code,
                                       .type = "application/json",
                                       .body = { body.p, body.n },
                                       .headers = http_code == 429 || http_code == 503 ? later
                                                  : http_code == 401                   ? who
                                                                                       : NULL });
    buf_release(&body);
}

/* ---- streams ---- */

enum { BLOCK = 16384, COMPACT = 65536 };

/* The daemon asks for the next bytes. */
static ssize_t next_bytes(void *ctx, uint64_t at, char *to, size_t room)
{
    struct exchange *x = ctx;
    bool over, stopped = false;
    size_t n;

    pthread_mutex_lock(&x->lock);
    n = x->out.n - x->sent;
    over = n == 0 && x->state == REPLY_OVER;
    n = n < room ? n : room;
    if (n > 0) {
        memcpy(to, x->out.p + x->sent, n);
        x->sent += n;
    } else if (x->state == REPLY_STREAM && !(stopped = atomic_load(&x->http->stopping))) {
        x->suspended = true;
        MHD_suspend_connection(x->connection);
    }
    if (x->sent == x->out.n) {
        buf_clear(&x->out);
        x->sent = 0;
    }
    pthread_mutex_unlock(&x->lock);
    if (stopped)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    return over ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

static void release_stream(void *ctx) { exchange_release(ctx); }

void exchange_begin_stream(struct exchange *x)
{
    struct MHD_Response *r;

    exchange_hold(x); /* the response's */
    r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, next_bytes, x, release_stream);
    BUG_IF(r == NULL);
    add_header(r, "Content-Type", "text/event-stream");
    add_header(r, "Cache-Control", "no-cache");
    add_header(r, "X-Accel-Buffering", "no");
    pthread_mutex_lock(&x->lock);
    if (x->state == REPLY_NONE) {
        set_response(x, 200, r);
        x->state = REPLY_STREAM;
        x->last_write = bench_now();
        exchange_wake(x);
        r = NULL;
    }
    pthread_mutex_unlock(&x->lock);
    if (r != NULL)
        MHD_destroy_response(r);
}

/* Drops what the client has, once it is much. The lock is held. */
static void append(struct exchange *x, const char *p, size_t n)
{
    if (x->sent > COMPACT && x->sent > x->out.n / 2) {
        memmove(x->out.p, x->out.p + x->sent, x->out.n - x->sent);
        x->out.n -= x->sent;
        x->sent = 0;
    }
    buf_add(&x->out, p, n);
    x->last_write = bench_now();
    exchange_wake(x);
}

void exchange_write(struct exchange *x, const char *p, size_t n)
{
    pthread_mutex_lock(&x->lock);
    if (x->state == REPLY_STREAM)
        append(x, p, n);
    pthread_mutex_unlock(&x->lock);
}

void exchange_end_stream(struct exchange *x)
{
    pthread_mutex_lock(&x->lock);
    if (x->state == REPLY_STREAM) {
        x->state = REPLY_OVER;
        exchange_wake(x);
    }
    pthread_mutex_unlock(&x->lock);
}

void exchange_cut(struct exchange *x, int http_code, const char *code, const char *why)
{
    struct buf event = { 0 };

    exchange_error(x, http_code, code, NULL, "%s", why); /* where nothing was sent yet */
    buf_adds(&event, "data: ");
    error_json(&event, http_code, code, NULL, why);
    buf_adds(&event, "\n\n");
    pthread_mutex_lock(&x->lock);
    if (x->state == REPLY_STREAM) {
        append(x, event.p, event.n);
        x->state = REPLY_OVER;
        exchange_wake(x);
    }
    pthread_mutex_unlock(&x->lock);
    buf_release(&event);
}

/* ---- to the daemon ---- */

enum MHD_Result exchange_proceed(struct exchange *x)
{
    struct MHD_Response *ready = NULL;
    enum MHD_Result result = MHD_YES;
    int code = 0;

    pthread_mutex_lock(&x->lock);
    if (x->state == REPLY_NONE && atomic_load(&x->http->stopping)) {
        result = MHD_NO;
    } else if (x->state == REPLY_NONE) {
        x->suspended = true;
        MHD_suspend_connection(x->connection);
    } else if (!x->queued) {
        ready = x->response;
        code = x->code;
        x->response = NULL;
        x->queued = true;
    }
    pthread_mutex_unlock(&x->lock);
    if (ready == NULL)
        return result;
    result = MHD_queue_response(x->connection, (unsigned)code, ready);
    MHD_destroy_response(ready);
    return result;
}
