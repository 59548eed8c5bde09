/*
 * What the HTTP side is made of. Private to http.c (the daemon, requests coming in), http_watch.c
 * (time, and clients that leave) and exchange.c (replies going out).
 *
 * Locks, outermost first: http.lock, exchange.calling, exchange.lock. No handler runs under any of
 * them; a `gone` callback runs under exchange.calling alone, which is how exchange_forget() can
 * wait for it.
 */
#ifndef TUNDISH_SERVE_HTTP_PART_H
#define TUNDISH_SERVE_HTTP_PART_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "serve/http.h"

/* A connection, for as long as its socket is open. */
struct connection {
    struct connection *prev, *next;
    int socket;
    double since;              /* opened, or last reply sent */
    bool used;                 /* a request was answered */
    struct exchange *exchange; /* the request under way, NULL: none whose head has come */
};

struct http {
    struct http_args args;
    struct MHD_Daemon *daemon;
    int port;
    bool local; /* no keys, and only this machine can reach it: Host is checked */
    atomic_bool draining, stopping; /* stopping: no connection is suspended any more */
    _Atomic int64_t working;
    _Atomic uint64_t body_bytes; /* of all requests in memory */
    struct buf certificate, key;

    pthread_mutex_t lock;
    struct connection connections; /* head of a ring */
};

enum reply_state {
    REPLY_NONE,   /* nothing yet */
    REPLY_WHOLE,  /* response is ready for the daemon */
    REPLY_STREAM, /* pieces come */
    REPLY_OVER,   /* no more will come: a stream's end, or it was cut off */
};

struct exchange {
    struct http *http;
    const struct route *route; /* NULL: it will be refused */
    struct MHD_Connection *connection;
    atomic_int holders;
    struct buf body;
    char *tail;
    int key;
    bool closes;  /* its body is not read: the connection ends behind the reply */
    bool works;   /* counted in http.working */
    bool handled; /* its handler was called */
    double since; /* head came; when handled: since then */
    int socket;

    pthread_mutex_t lock; /* guards what follows */
    enum reply_state state;
    bool queued; /* the daemon has the response */
    bool suspended;
    int code;
    struct MHD_Response *response; /* until queued */
    struct buf out;                /* of a stream; what is before `sent` is gone */
    size_t sent;
    double last_write;

    pthread_mutex_t calling; /* recursive; guards what follows */
    bool is_gone;
    void (*gone)(void *ctx);
    void *gone_ctx;
};

/* exchange.c */
struct exchange *exchange_new(struct http *h, struct MHD_Connection *c);
/* The reply is cut off or will never come: tells whoever works on it. */
void exchange_fire_gone(struct exchange *x);
/* Hands what is ready to the daemon, or suspends the connection until something is. */
enum MHD_Result exchange_proceed(struct exchange *x);
/* Lets the daemon go on with a suspended connection. The lock is held. */
void exchange_wake(struct exchange *x);

#endif
