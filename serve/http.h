/*
 * HTTP: connections, limits, keys and the table of routes; libmicrohttpd carries the protocol.
 *
 * One thread runs every connection and calls the handlers. A handler answers at once
 * (exchange_reply) or later from any thread: until then the connection is suspended, so a thousand
 * waiting clients cost no thread. A stream is begun once and written piece by piece; what the
 * client has not read yet is kept in the exchange.
 *
 * An exchange is one request and its reply. It is counted: the server holds it until its last byte
 * is sent or its client is gone, and whoever answers later holds it (exchange_hold) until then.
 * Writing to an exchange whose client is gone is fine and does nothing.
 *
 * Everything is refused before a handler sees it: unknown path (404) or method (405), missing or
 * wrong key (401), body too large (413), not JSON by its content type (415), work while draining
 * (503), a foreign Host on a server without keys (403: DNS rebinding). Errors have OpenAI's form.
 *
 * To add a route: a row in routes.c.
 */
#ifndef TUNDISH_SERVE_HTTP_H
#define TUNDISH_SERVE_HTTP_H

#include <stdbool.h>

#include "base/status.h"
#include "base/str.h"
#include "serve/keys.h"

struct exchange;
enum route_right {
    RIGHT_ANYONE, /* what a health check and a browser need before they have a key */
    RIGHT_KEY,    /* a key of --api-keys, where there is such a file */
};
struct route {
    const char *method; /* "GET" (HEAD, too) or "POST" (with a JSON body) */
    const char *path;   /* "/v1/models/" with a slash at its end: whatever follows it, too */
    enum route_right right;
    bool works; /* makes the model work: refused while draining */
    void (*handle)(struct exchange *x, void *ctx);
    const char *help; /* one line, for --help */
};

struct http_args {
    const char *host;           /* address to listen on */
    int64_t port;               /* 0: any free one (http_port) */
    const struct route *routes; /* ends with a NULL path */
    void *ctx;                  /* handed to handlers */
    /* Where what handlers get may change: lend(ctx) is called before each handler, which gets what
     * it returns, and give_back() behind it. NULL: all get ctx itself. */
    void *(*lend)(void *ctx);
    void (*give_back)(void *lent);
    const struct keys *keys;    /* NULL: no keys are asked for */
    int64_t connections;        /* at once, at most; more wait in the kernel's queue */
    uint64_t max_body;          /* bytes */
    double idle_seconds;        /* a connection that neither sends nor takes a byte */
    double head_seconds;        /* for a whole request to arrive, however slowly it drips */
    double reply_seconds;       /* for a whole reply; then its work is cancelled */
    const char *tls_certificate, *tls_key; /* PEM files; NULL: plain HTTP */
};
struct http;
MUST_USE enum status http_new(const struct http_args *args, struct http **out);
/* Cuts what is left. */
void http_free(struct http *h);
int http_port(const struct http *h);
/* To be called a few times a second by the thread that waits for the end: finds clients that hung
 * up while their connection was suspended, and deadlines that are over. */
void http_watch(struct http *h);
/* From now on routes that work answer 503; http_working() tells what is still under way. */
void http_drain(struct http *h);
bool http_draining(const struct http *h);
int64_t http_working(const struct http *h); /* exchanges of routes that work, not yet sent whole */

/* ---- the request ---- */
struct span exchange_body(const struct exchange *x);
/* The handler has read it: its memory, which counts against that of all requests, is given back. */
void exchange_drop_body(struct exchange *x);
const char *
exchange_tail(const struct exchange *x); /* what follows a path that ends in '/', decoded */
/* The number of the key that was given, -1: none was asked for. */
int exchange_key(const struct exchange *x);
bool exchange_draining(const struct exchange *x); /* http_draining() of its server */

/* ---- the reply: once, whole or as a stream ---- */
struct reply {
    int code;                   /* 200, 404 ... */
    const char *type;           /* "application/json" */
    struct span body;           /* copied */
    const char *const *headers; /* name, value, name, value ... NULL; NULL: none */
};
void exchange_reply(struct exchange *x, const struct reply *r);
/* {"error": {"message", "type", "param", "code"}}: type follows from the code; param and code may
 * be NULL. 429 and 503 get a Retry-After. */
void exchange_error(struct exchange *x, int http_code, const char *code, const char *param,
                    const char *fmt, ...) PRINTF_LIKE(5, 6);
/* A 200 with `text/event-stream`. Pieces are sent as they come; ": ping" comments keep a quiet one
 * alive. */
void exchange_begin_stream(struct exchange *x);
void exchange_write(struct exchange *x, const char *p, size_t n);
void exchange_end_stream(struct exchange *x);
/* No more will come: the client hears why, as an error or as a stream's last event. Nothing happens
 * if the reply is complete, or was cut off before. */
void exchange_cut(struct exchange *x, int http_code, const char *code, const char *why);

void exchange_hold(struct exchange *x);
void exchange_release(struct exchange *x);
/* Called once, on any thread, when the client is gone or the reply's time is over before it was
 * complete (at once if that has happened): the work can stop. Never after exchange_forget(). */
void exchange_on_gone(struct exchange *x, void (*gone)(void *ctx), void *ctx);
/* From the return on, gone is neither running nor called. */
void exchange_forget(struct exchange *x);

#endif
