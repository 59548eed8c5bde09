#include "serve/http.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bench.h"
#include "base/file.h"
#include "serve/http_part.h"
#include "serve/metrics.h"

enum {
    BACKLOG = 1024,
    CONNECTION_MEMORY = 24576, /* head of request and reply, and a piece of each body */
    HEAD_LIMIT = 8192,
    DISCARD = 65536, /* a refused request's body up to this is read, so that its reply is */
};

/* ---- may it come in ---- */

static const char *header(struct MHD_Connection *c, const char *name)
{
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static bool path_matches(const struct route *r, const char *path)
{
    size_t n = strlen(r->path);

    if (n > 1 && r->path[n - 1] == '/')
        return strncmp(path, r->path, n) == 0 && path[n] != 0;
    return strcmp(path, r->path) == 0;
}

static bool method_matches(const struct route *r, const char *method)
{
    return strcmp(r->method, method) == 0 ||
           (strcmp(r->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void refuse_method(struct exchange *x, const char *path, const char *method)
{
    const char *allow[] = { "Allow", NULL, NULL };
    struct buf body = { 0 };

    for (const struct route *r = x->http->args.routes; r->path != NULL; r++)
        if (path_matches(r, path))
            allow[1] = strcmp(r->method, "GET") == 0 ? "GET, HEAD" : r->method;
    buf_adds(&body, "{\"error\":{\"message\":\"this path takes another method, see the header "
                    "Allow\",\"type\":\"invalid_request_error\",\"param\":null,"
                    "\"code\":\"method_not_allowed\"}}");
    exchange_reply(x, &(struct reply){ .code = 405,
                                       .type = "application/json",
                                       .body = { body.p, body.n },
                                       .headers = allow });
    buf_release(&body);
}

/* Sets x->route, or refuses. */
static bool find_route(struct exchange *x, const char *path, const char *method)
{
    bool known = false;

    for (const struct route *r = x->http->args.routes; r->path != NULL; r++) {
        if (!path_matches(r, path) || strstr(path, "%00") != NULL) /* a NUL: unescape() */
            continue;
        known = true;
        if (method_matches(r, method)) {
            x->route = r;
            x->tail = mem_strdup(path + strlen(r->path));
            return true;
        }
    }
    if (known)
        refuse_method(x, path, method);
    else
        exchange_error(x, 404, "not_found", NULL, "there is nothing at '%.200s'", path);
    return false;
}

/* "localhost:8080" is localhost; "[::1]:8080" is [::1]. */
static bool host_is(const char *value, const char *host)
{
    size_t n = strlen(host);

    return strncasecmp(value, host, n) == 0 && (value[n] == 0 || value[n] == ':');
}

/* A page from elsewhere may let its own name point here; then Host says that name. */
static bool check_host(struct exchange *x)
{
    const char *value = header(x->connection, "Host");

    if (!x->http->local || value == NULL || host_is(value, "localhost") ||
        host_is(value, "127.0.0.1") || host_is(value, "[::1]") ||
        host_is(value, x->http->args.host))
        return true;
    exchange_error(x, 403, "foreign_host", NULL,
                   "this server answers to localhost, not to '%.100s': give it --api-keys to "
                   "serve under other names",
                   value);
    return false;
}

static bool check_key(struct exchange *x)
{
    static const char scheme[] = "Bearer ";
    const char *value = header(x->connection, "Authorization");

    if (x->http->args.keys == NULL || x->route->right == RIGHT_ANYONE)
        return true;
    if (value != NULL && strncasecmp(value, scheme, sizeof scheme - 1) == 0)
        x->key = keys_find(x->http->args.keys, span_of(value + sizeof scheme - 1));
    if (x->key >= 0)
        return true;
    exchange_error(x, 401, "invalid_api_key", NULL,
                   value == NULL ? "this needs a key: send the header 'Authorization: Bearer KEY'"
                                 : "no such key");
    return false;
}

/* The number, UINT64_MAX where it is none, 0 where there is no such header. */
static uint64_t content_length(struct MHD_Connection *c)
{
    const char *value = header(c, "Content-Length");
    char *end;
    unsigned long long n;

    if (value == NULL)
        return 0;
    errno = 0;
    n = strtoull(value, &end, 10);
    return errno != 0 || *end != 0 || *value == '-' ? UINT64_MAX : n;
}

static void refuse_size(struct exchange *x)
{
    exchange_error(x, 413, "body_too_large", NULL, "a body may have at most %llu bytes",
                   (unsigned long long)x->http->args.max_body);
}

static bool check_body(struct exchange *x)
{
    const char *type = header(x->connection, "Content-Type");
    static const char json[] = "application/json";

    if (strcmp(x->route->method, "POST") != 0)
        return true;
    if (content_length(x->connection) > x->http->args.max_body) {
        refuse_size(x);
        return false;
    }
    if (type != NULL && strncasecmp(type, json, sizeof json - 1) == 0 &&
        (type[sizeof json - 1] == 0 || strchr("; \t", type[sizeof json - 1]) != NULL))
        return true;
    exchange_error(
        x, 415, "not_json", NULL,
        "send the header 'Content-Type: application/json' with a JSON body, not '%.100s'",
        type == NULL ? "" : type);
    return false;
}

static bool check_drain(struct exchange *x)
{
    if (!x->route->works || !http_draining(x->http))
        return true;
    exchange_error(x, 503, "draining", NULL, "the server is about to stop: try another, or later");
    return false;
}

/* What of the head decides before anything else does. */
struct head {
    size_t bytes;
    int lengths, codings; /* headers that say where the body ends */
};

static enum MHD_Result add_to_head(void *ctx, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct head *head = ctx;

    head->bytes += strlen(name) + (value == NULL ? 0 : strlen(value)) + 4;
    head->lengths += strcasecmp(name, "Content-Length") == 0;
    head->codings += strcasecmp(name, "Transfer-Encoding") == 0;
    return MHD_YES;
}

/* A body whose end is told twice may end elsewhere for whoever stands in between (RFC 9112,
 * 6.3). */
static bool check_head(struct exchange *x, const char *path)
{
    struct head head = { .bytes = strlen(path) };

    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, add_to_head, &head);
    if (head.bytes > HEAD_LIMIT)
        exchange_error(x, 431, "head_too_large", NULL, "path and headers may have at most %d bytes",
                       HEAD_LIMIT);
    else if (head.lengths + head.codings > 1)
        exchange_error(x, 400, "ambiguous_length", NULL,
                       "the head says more than once how long the body is");
    else
        return true;
    x->closes = true;
    return false;
}

/* ---- requests ---- */

static bool take_body(struct exchange *x, const char *p, size_t n)
{
    const struct http_args *a = &x->http->args;
    size_t before = x->body.cap;
    uint64_t most = a->max_body > 16 << 20 ? 4 * a->max_body : 64 << 20;

    if (x->body.n + n > a->max_body) {
        refuse_size(x);
        return false;
    }
    if (atomic_load(&x->http->body_bytes) + n > most) {
        exchange_error(x, 503, "overloaded", NULL, "too many large requests at once: try later");
        return false;
    }
    buf_add(&x->body, p, n);
    atomic_fetch_add(&x->http->body_bytes, x->body.cap - before);
    return true;
}

static void call_handler(struct exchange *x)
{
    const struct http_args *a = &x->http->args;
    void *ctx = a->lend == NULL ? a->ctx : a->lend(a->ctx);

    x->route->handle(x, ctx);
    if (a->give_back != NULL)
        a->give_back(ctx);
}

static void handle(struct exchange *x)
{
    struct http *h = x->http;

    pthread_mutex_lock(&h->lock);
    x->handled = true;
    x->since = bench_now();
    x->works = x->route->works;
    pthread_mutex_unlock(&h->lock);
    if (x->works)
        atomic_fetch_add(&h->working, 1);
    if (check_drain(x)) /* once it is counted: whoever drains sees it, or it sees that */
        call_handler(x);
}

static bool is_refused(struct exchange *x)
{
    bool refused;

    pthread_mutex_lock(&x->lock);
    refused = x->state != REPLY_NONE;
    pthread_mutex_unlock(&x->lock);
    return refused;
}

static struct connection *connection_of(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info == NULL ? NULL : info->socket_context;
}

/* The head of a request has come. */
static enum MHD_Result begin(struct http *h, struct MHD_Connection *c, const char *path,
                             const char *method, void **state)
{
    struct exchange *x = exchange_new(h, c);
    struct connection *at = connection_of(c);

    *state = x;
    x->socket = at->socket;
    pthread_mutex_lock(&h->lock);
    at->exchange = x;
    pthread_mutex_unlock(&h->lock);
    if (check_head(x, path) && check_host(x) && find_route(x, path, method) && check_key(x) &&
        check_body(x))
        check_drain(x);
    if (is_refused(x) && (content_length(c) > DISCARD || header(c, "Expect") != NULL))
        x->closes = true;
    if (x->closes)
        return exchange_proceed(x); /* the connection is closed behind it */
    return MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    struct exchange *x = *state;

    if (x == NULL)
        return begin(ctx, c, path, method, state);
    if (*size > 0) {
        if (!is_refused(x))
            take_body(x, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (!x->handled && !is_refused(x))
        handle(x);
    return exchange_proceed(x);
}

static void count(const struct exchange *x, bool sent)
{
    metric_add(METRIC_requests_total, 1);
    if (!sent)
        metric_add(METRIC_requests_cancelled_total, 1);
    else if (x->code >= 500)
        metric_add(METRIC_requests_failed_total, 1);
    else if (x->code >= 400)
        metric_add(METRIC_requests_refused_total, 1);
}

/* The reply is sent, or never will be. */
static void on_completed(void *ctx, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode how)
{
    struct connection *at = connection_of(c);
    struct MHD_Response *unsent;
    struct exchange *x = *state;
    struct http *h = ctx;

    if (x == NULL)
        return;
    *state = NULL;
    pthread_mutex_lock(&h->lock);
    if (at != NULL) {
        at->exchange = NULL;
        at->since = bench_now();
        at->used = true;
    }
    pthread_mutex_unlock(&h->lock);
    pthread_mutex_lock(&x->lock);
    x->state = REPLY_OVER; /* what is written from here on goes nowhere */
    x->suspended = false;
    unsent = x->response; /* a stream's holds the exchange in turn */
    x->response = NULL;
    pthread_mutex_unlock(&x->lock);
    if (unsent != NULL)
        MHD_destroy_response(unsent);
    count(x, how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    exchange_fire_gone(x);
    if (x->works)
        atomic_fetch_sub(&h->working, 1);
    exchange_release(x);
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **state,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http *h = ctx;
    struct connection *at = *state;

    pthread_mutex_lock(&h->lock);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        at = mem_alloc(sizeof *at);
        at->socket = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        at->since = bench_now();
        at->next = &h->connections;
        at->prev = h->connections.prev;
        at->prev->next = at->next->prev = at;
        *state = at;
        metric_add(METRIC_connections, 1);
    } else {
        at->prev->next = at->next;
        at->next->prev = at->prev;
        *state = NULL;
        free(at);
        metric_add(METRIC_connections, -1);
    }
    pthread_mutex_unlock(&h->lock);
}

/* ---- the daemon ---- */

/* %00 stays as it is: behind a NUL a path would be another one than it looks. */
static size_t unescape(void *ctx, struct MHD_Connection *c, char *text)
{
    return strstr(text, "%00") != NULL ? strlen(text) : MHD_http_unescape(text);
}

static bool is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static enum status listen_at(struct http *h, const struct addrinfo *at, int *out)
{
    struct sockaddr_storage bound;
    socklen_t n = sizeof bound;
    const int yes = 1;

    *out = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*out < 0)
        return fail_errno(ST_IO, "a socket for '%s'", h->args.host);
    setsockopt(*out, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(*out, at->ai_addr, at->ai_addrlen) != 0 || listen(*out, BACKLOG) != 0 ||
        getsockname(*out, (struct sockaddr *)&bound, &n) != 0)
        return fail_errno(ST_IO, "listening on %s, port %lld", h->args.host,
                          (long long)h->args.port);
    h->port = ntohs(at->ai_family == AF_INET ? ((struct sockaddr_in *)&bound)->sin_port
                                             : ((struct sockaddr_in6 *)&bound)->sin6_port);
    h->local = h->args.keys == NULL && is_loopback(at->ai_addr);
    return ST_OK;
}

static enum status open_socket(struct http *h, int *out)
{
    const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                    .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    enum status st;
    char port[16];
    int error;

    snprintf(port, sizeof port, "%d", (int)h->args.port);
    error = getaddrinfo(h->args.host, port, &hints, &found);
    if (error != 0)
        return fail(ST_USAGE, "'%s' is no address of this machine: %s", h->args.host,
                    gai_strerror(error));
    st = listen_at(h, found, out);
    freeaddrinfo(found);
    return st;
}

static enum status read_tls(struct http *h)
{
    if (h->args.tls_certificate == NULL)
        return ST_OK;
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return fail(ST_UNSUPPORTED, "libmicrohttpd here has no TLS");
    TRY(file_read(h->args.tls_certificate, 1 << 20, &h->certificate));
    return file_read(h->args.tls_key, 1 << 20, &h->key);
}

static enum status start(struct http *h, int socket)
{
    const struct http_args *a = &h->args;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, h->certificate.p },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, h->key.p },
        { MHD_OPTION_END, 0, NULL },
    };
    struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };

    if (a->tls_certificate != NULL)
        flags |= MHD_USE_TLS;
    h->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, socket,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        h, MHD_OPTION_CONNECTION_LIMIT, (unsigned)a->connections, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(a->idle_seconds < 1 ? 1 : a->idle_seconds), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK,
        unescape, h, MHD_OPTION_ARRAY, a->tls_certificate != NULL ? tls : none, MHD_OPTION_END);
    if (h->daemon == NULL)
        return fail(ST_FAILED,
                    a->tls_certificate != NULL
                        ? "the HTTPS server does not start: are '%s' and '%s' a PEM "
                          "certificate and its key?"
                        : "the HTTP server does not start",
                    a->tls_certificate, a->tls_key);
    return ST_OK;
}

enum status http_new(const struct http_args *args, struct http **out)
{
    struct http *h = mem_alloc(sizeof *h);
    int socket = -1;
    enum status st;

    h->args = *args;
    h->connections.next = h->connections.prev = &h->connections;
    pthread_mutex_init(&h->lock, NULL);
    st = read_tls(h);
    if (st == ST_OK)
        st = open_socket(h, &socket);
    if (st == ST_OK)
        st = start(h, socket);
    if (st != ST_OK) {
        if (socket >= 0)
            close(socket);
        http_free(h);
        return st;
    }
    *out = h;
    return ST_OK;
}

int http_port(const struct http *h) { return h->port; }

/* The daemon may only be stopped when none of its connections is suspended. */
static void resume_all(struct http *h)
{
    pthread_mutex_lock(&h->lock);
    for (struct connection *c = h->connections.next; c != &h->connections; c = c->next)
        if (c->exchange != NULL)
            exchange_cut(c->exchange, 503, "stopped", "the server has stopped");
    pthread_mutex_unlock(&h->lock);
}

void http_free(struct http *h)
{
    if (h == NULL)
        return;
    atomic_store(&h->stopping, true);
    resume_all(h);
    if (h->daemon != NULL)
        MHD_stop_daemon(h->daemon);
    buf_release(&h->certificate);
    buf_release(&h->key);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
