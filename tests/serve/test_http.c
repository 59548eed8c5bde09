/* A real server on loopback, raw sockets against it: refusals, streams, hang-ups, deadlines. */
#include "test.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "serve/http.h"

enum { STREAMS = 100, PIECES = 200 };
static atomic_int gone_calls;
static atomic_int writers;

static void on_gone(void *ctx) { atomic_fetch_add(&gone_calls, 1); }
static void hello(struct exchange *x, void *ctx)
{
    exchange_reply(x, &(struct reply){ .code = 200, .type = "text/plain", .body = { "hello", 5 } });
}
static void echo(struct exchange *x, void *ctx)
{
    exchange_reply(x, &(struct reply){
                          .code = 200, .type = "application/json", .body = exchange_body(x) });
}
static void tail(struct exchange *x, void *ctx)
{
    exchange_reply(x, &(struct reply){ .code = 200,
                                       .type = "text/plain",
                                       .body = span_of(exchange_tail(x)) });
}
/* Never answers: the client must leave, or time be over. */
static void never(struct exchange *x, void *ctx) { exchange_on_gone(x, on_gone, NULL); }

static void *write_stream(void *ctx)
{
    struct exchange *x = ctx;
    char piece[64];

    exchange_begin_stream(x);
    for (int i = 0; i < PIECES; i++) {
        int n = snprintf(piece, sizeof piece, "data: %d\n\n", i);

        exchange_write(x, piece, (size_t)n);
        if (i % 16 == 0)
            usleep(1000);
    }
    exchange_end_stream(x);
    exchange_forget(x);
    exchange_release(x);
    atomic_fetch_sub(&writers, 1);
    return NULL;
}
static void stream(struct exchange *x, void *ctx)
{
    pthread_t t;

    exchange_hold(x);
    exchange_on_gone(x, on_gone, NULL);
    atomic_fetch_add(&writers, 1);
    assert_int_equal(pthread_create(&t, NULL, write_stream, x), 0);
    pthread_detach(t);
}

static const struct route routes[] = {
    { "GET", "/hello", RIGHT_ANYONE, false, hello, "" },
    { "GET", "/tail/", RIGHT_KEY, false, tail, "" },
    { "POST", "/echo", RIGHT_KEY, true, echo, "" },
    { "POST", "/never", RIGHT_KEY, true, never, "" },
    { "GET", "/stream", RIGHT_KEY, true, stream, "" },
    { NULL, NULL, RIGHT_ANYONE, false, NULL, NULL },
};

static struct http *start(struct http_args a)
{
    struct http *h;

    a.host = "127.0.0.1";
    a.routes = routes;
    a.connections = 300;
    a.max_body = 1000;
    a.idle_seconds = 10;
    a.head_seconds = a.head_seconds > 0 ? a.head_seconds : 5;
    a.reply_seconds = a.reply_seconds > 0 ? a.reply_seconds : 30;
    assert_ok(http_new(&a, &h));
    return h;
}

static int dial(struct http *h)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)http_port(h)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}
static void say(int fd, const char *s)
{
    assert_int_equal(send(fd, s, strlen(s), MSG_NOSIGNAL), strlen(s));
}
/* All until the server closes, or until a reply holds `until`; watches meanwhile, 20 s at most. */
static void hear(struct http *h, int fd, const char *until, struct buf *out)
{
    for (int i = 0; i < 2000; i++) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        char b[4096];
        ssize_t n;

        http_watch(h);
        if (poll(&p, 1, 10) == 0)
            continue;
        n = recv(fd, b, sizeof b, 0);
        if (n <= 0)
            return;
        buf_add(out, b, (size_t)n);
        if (until != NULL && strstr(out->p, until) != NULL)
            return;
    }
    fail_msg("no end within 20 s: %s", out->p == NULL ? "" : out->p);
}
/* One request on a connection of its own. */
static void ask(struct http *h, const char *request, const char *want_line, const char *want)
{
    struct buf b = { 0 };
    int fd = dial(h);

    say(fd, request);
    hear(h, fd, want, &b);
    if (b.p == NULL || strncmp(b.p, want_line, strlen(want_line)) != 0 ||
        strstr(b.p, want) == NULL)
        fail_msg("asked %s\nwant %s with %s\ngot %s", request, want_line, want,
                 b.p == NULL ? "nothing" : b.p);
    close(fd);
    buf_release(&b);
}
#define L "Host: localhost\r\n"
#define J L "Content-Type: application/json\r\n"

static void requests_are_answered_or_refused(void **state)
{
    struct http *h = start((struct http_args){ 0 });

    ask(h, "GET /hello HTTP/1.1\r\n" L "\r\n", "HTTP/1.1 200", "\r\n\r\nhello");
    ask(h, "GET /hello?a=b HTTP/1.1\r\n" L "\r\n", "HTTP/1.1 200", "nosniff");
    ask(h, "HEAD /hello HTTP/1.1\r\n" L "\r\n", "HTTP/1.1 200", "Content-Length: 5");
    ask(h, "GET /tail/a%20b%2Fc HTTP/1.1\r\n" L "\r\n", "HTTP/1.1 200", "a b/c");
    ask(h, "GET /tail/a%00b HTTP/1.1\r\n" L "\r\n", "HTTP/1.1 404", "not_found");
    ask(h, "GET /%68ello HTTP/1.1\r\n" L "\r\n", "HTTP/1.1 200", "hello");
    ask(h, "GET /nope HTTP/1.1\r\n" L "\r\n", "HTTP/1.1 404", "\"param\":null");
    ask(h, "OPTIONS /hello HTTP/1.1\r\n" L "\r\n", "HTTP/1.1 405", "Allow: GET, HEAD");
    ask(h, "GET /echo HTTP/1.1\r\n" L "\r\n", "HTTP/1.1 405", "Allow: POST");
    ask(h, "GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n", "HTTP/1.1 403", "foreign_host");
    ask(h, "GET /hello HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "HTTP/1.1 200", "hello");
    ask(h, "POST /echo HTTP/1.1\r\n" J "Content-Length: 2\r\n\r\n{}", "HTTP/1.1 200", "{}");
    ask(h, "POST /echo HTTP/1.1\r\n" L "Content-Length: 2\r\n\r\n{}", "HTTP/1.1 415",
        "application/json");
    ask(h, "POST /echo HTTP/1.1\r\n" J "Content-Length: 2000\r\nExpect: 100-continue\r\n\r\n",
        "HTTP/1.1 413", "body_too_large");
    ask(h, "POST /echo HTTP/1.1\r\n" J "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n",
        "HTTP/1.1 100", "Continue");
    ask(h, "POST /echo HTTP/1.1\r\n" J "Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
        "HTTP/1.1 200", "[]");
    ask(h, "POST /echo HTTP/1.1\r\n" J "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 400", "");
    ask(h, "POST /echo HTTP/1.1\r\n" J "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "HTTP/1.1 400", "");
    /* two at once, on one connection */
    ask(h, "GET /hello HTTP/1.1\r\n" L "\r\nGET /tail/second HTTP/1.1\r\n" L "\r\n",
        "HTTP/1.1 200", "second");
    /* a refusal does not break the connection */
    ask(h, "POST /nope HTTP/1.1\r\n" J "Content-Length: 2\r\n\r\n{}GET /hello HTTP/1.1\r\n" L "\r\n",
        "HTTP/1.1 404", "hello");
    http_drain(h);
    ask(h, "POST /echo HTTP/1.1\r\n" J "Content-Length: 2\r\n\r\n{}", "HTTP/1.1 503",
        "Retry-After: ");
    http_free(h);
}

static void slow_and_lost_clients_are_ended(void **state)
{
    struct http *h = start((struct http_args){ .head_seconds = 0.3, .reply_seconds = 0.5 });
    int fd;

    ask(h, "GET /hello HT", "HTTP/1.1 408", "request_timeout");
    ask(h, "POST /echo HTTP/1.1\r\n" J "Content-Length: 9\r\n\r\n{", "HTTP/1.1 408", "request_t");
    atomic_store(&gone_calls, 0);
    ask(h, "POST /never HTTP/1.1\r\n" J "Content-Length: 2\r\n\r\n{}", "HTTP/1.1 504", "timeout");
    assert_int_equal(atomic_load(&gone_calls), 1);
    fd = dial(h);
    say(fd, "POST /never HTTP/1.1\r\n" J "Content-Length: 2\r\n\r\n{}");
    for (int i = 0; i < 200 && http_working(h) == 0; i++)
        usleep(1000);
    assert_int_equal(http_working(h), 1);
    close(fd);
    for (int i = 0; i < 400 && http_working(h) > 0; i++) {
        http_watch(h);
        usleep(1000);
    }
    assert_int_equal(http_working(h), 0);
    assert_int_equal(atomic_load(&gone_calls), 2);
    fd = dial(h); /* one that is still under way at the end */
    say(fd, "POST /never HTTP/1.1\r\n" J "Content-Length: 2\r\n\r\n{}");
    for (int i = 0; i < 200 && http_working(h) == 0; i++)
        usleep(1000);
    http_free(h);
    assert_int_equal(atomic_load(&gone_calls), 3);
    close(fd);
}

static int open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static void many_slow_streams_are_whole(void **state)
{
    int before = open_files(), fd[STREAMS];
    struct http *h = start((struct http_args){ 0 });

    for (int i = 0; i < STREAMS; i++) {
        fd[i] = dial(h);
        say(fd[i], "GET /stream HTTP/1.1\r\n" L "Connection: close\r\n\r\n");
    }
    for (int i = 0; i < STREAMS; i++) {
        struct buf b = { 0 };
        const char *at;

        if (i % 3 != 0) { /* the others hang up unread */
            hear(h, fd[i], NULL, &b);
            assert_non_null(strstr(b.p, "text/event-stream"));
            at = b.p;
            for (int k = 0; k < PIECES; k++) {
                char want[32];

                snprintf(want, sizeof want, ": %d\n\n", k);
                at = strstr(at, want);
                assert_non_null(at);
            }
        }
        close(fd[i]);
        buf_release(&b);
    }
    for (int i = 0; i < 5000 && (http_working(h) > 0 || atomic_load(&writers) > 0); i++) {
        http_watch(h);
        usleep(1000);
    }
    assert_int_equal(http_working(h), 0);
    http_free(h);
    assert_int_equal(open_files(), before);
}

static void a_port_in_use_is_named(void **state)
{
    struct http *h = start((struct http_args){ 0 }), *second;
    struct http_args a = { .host = "127.0.0.1", .port = http_port(h), .routes = routes };

    assert_int_equal(http_new(&a, &second), ST_IO);
    assert_non_null(strstr(fail_message(), "in use"));
    a.host = "not an address";
    assert_int_equal(http_new(&a, &second), ST_USAGE);
    http_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(requests_are_answered_or_refused),
                                        cmocka_unit_test(slow_and_lost_clients_are_ended),
                                        cmocka_unit_test(many_slow_streams_are_whole),
                                        cmocka_unit_test(a_port_in_use_is_named) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
