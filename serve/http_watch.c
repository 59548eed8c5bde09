/*
 * Time, and clients that leave. The daemon does not look at the sockets of suspended connections,
 * and its own time-out is moved on by every byte: both are watched here.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/bench.h"
#include "serve/http_part.h"
#include "serve/metrics.h"

enum { PING_SECONDS = 15 };

struct found {
    struct exchange **v;
    size_t count, cap;
};

static void found_add(struct found *f, struct exchange *x)
{
    if (f->count == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 64;
        f->v = mem_grow(f->v, f->cap, sizeof *f->v);
    }
    exchange_hold(x);
    f->v[f->count++] = x;
}

/* The client has closed its side a while ago, and has nothing under way: the daemon may have missed
 * it. */
static bool has_left(const struct connection *c, double now)
{
    struct pollfd p = { .fd = c->socket, .events = POLLRDHUP };
    double since = c->exchange == NULL ? c->since : c->exchange->since;

    return now - since > 1 && poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* A request that does not arrive: too slow, or half of it and then silence. */
static bool arrives_too_slowly(const struct http *h, const struct connection *c, double now)
{
    if (c->exchange == NULL)
        return now - c->since > h->args.head_seconds + (c->used ? h->args.idle_seconds : 0);
    return !c->exchange->handled && now - c->exchange->since > h->args.head_seconds;
}

/* Nothing is being sent on it, so there is room for a word of why. */
static void end_slow(const struct http *h, const struct connection *c)
{
    static const char why[] =
        "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: application/json\r\n"
        "\r\n{\"error\":{\"message\":\"the request did not arrive in time\","
        "\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"request_timeout\"}}";

    if (h->args.tls_certificate == NULL)
        (void)!send(c->socket, why, sizeof why - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(c->socket, SHUT_RDWR);
}

/* Exchanges that are being answered. Sockets are open while the lock is held: the daemon takes a
 * connection out of the ring before it closes it. */
static void look(struct http *h, struct found *working)
{
    double now = bench_now();

    pthread_mutex_lock(&h->lock);
    for (struct connection *c = h->connections.next; c != &h->connections; c = c->next)
        if (arrives_too_slowly(h, c, now))
            end_slow(h, c);
        else if ((c->exchange == NULL || !c->exchange->handled) && has_left(c, now))
            shutdown(c->socket, SHUT_RDWR);
        else if (c->exchange != NULL && c->exchange->handled &&
                 now - c->exchange->since > 2 * h->args.reply_seconds)
            shutdown(c->socket, SHUT_RDWR); /* the reply is complete, and is not taken */
        else if (c->exchange != NULL && c->exchange->handled)
            found_add(working, c->exchange);
    pthread_mutex_unlock(&h->lock);
}

static bool is_suspended(struct exchange *x)
{
    bool suspended;

    pthread_mutex_lock(&x->lock);
    suspended = x->suspended;
    pthread_mutex_unlock(&x->lock);
    return suspended;
}

/* Of those found, the suspended ones whose client hung up. A suspended connection's socket stays
 * open: only the daemon closes it, and not before it was resumed. */
static void drop_hung_up(struct found *working)
{
    struct pollfd *fds = mem_array(working->count + 1, sizeof *fds);

    for (size_t i = 0; i < working->count; i++)
        fds[i] = (struct pollfd){
            .fd = is_suspended(working->v[i]) ? working->v[i]->socket : -1,
            .events = POLLRDHUP,
        };
    if (poll(fds, working->count, 0) > 0)
        for (size_t i = 0; i < working->count; i++)
            if (fds[i].revents & (POLLRDHUP | POLLHUP | POLLERR)) {
                exchange_cut(working->v[i], 408, "client_gone", "the client has hung up");
                exchange_fire_gone(working->v[i]);
            }
    free(fds);
}

static void keep_time(struct http *h, struct exchange *x, double now)
{
    bool quiet;

    pthread_mutex_lock(&x->lock);
    quiet = x->state == REPLY_STREAM && now - x->last_write > PING_SECONDS;
    pthread_mutex_unlock(&x->lock);
    if (now - x->since > h->args.reply_seconds) {
        exchange_cut(x, 504, "timeout", "the reply took longer than the server allows");
        exchange_fire_gone(x);
    } else if (quiet) {
        exchange_write(x, ": ping\n\n", 8);
    }
}

void http_watch(struct http *h)
{
    struct found working = { 0 };

    look(h, &working);
    drop_hung_up(&working);
    for (size_t i = 0; i < working.count; i++) {
        keep_time(h, working.v[i], bench_now());
        exchange_release(working.v[i]);
    }
    free(working.v);
}

void http_drain(struct http *h) { atomic_store(&h->draining, true); }

bool http_draining(const struct http *h) { return atomic_load(&h->draining); }

int64_t http_working(const struct http *h) { return atomic_load(&h->working); }
