/* Raw bytes into the real server over loopback; its handlers read bodies as the API does. It must
 * never answer with a 500, and go on answering others. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/http.h"
#include "serve/request.h"

static void answer(struct exchange *x, void *ctx)
{
    struct problem p = { 0 };
    struct request r;
    bool good = request_parse(&r, AT_COMPLETIONS, exchange_body(x), 300, &p);

    if (good)
        exchange_reply(x, &(struct reply){ .code = 200,
                                           .type = "application/json",
                                           .body = span_of(exchange_tail(x)) });
    else
        exchange_error(x, p.http, p.code, p.param, "%s", p.text);
    request_release(&r);
}

static void stream(struct exchange *x, void *ctx)
{
    exchange_begin_stream(x);
    exchange_write(x, "data: 1\n\n", 9);
    exchange_end_stream(x);
}

static const struct route routes[] = {
    { "POST", "/v1/completions", RIGHT_KEY, true, answer, "" },
    { "POST", "/v1/models/", RIGHT_KEY, true, answer, "" },
    { "GET", "/health", RIGHT_ANYONE, false, stream, "" },
    { 0 },
};

static struct http *server(void)
{
    static struct http *h;

    if (h == NULL && http_new(&(struct http_args){ .host = "127.0.0.1",
                                                   .routes = routes,
                                                   .connections = 64,
                                                   .max_body = 4096,
                                                   .idle_seconds = 5,
                                                   .head_seconds = 5,
                                                   .reply_seconds = 5 },
                              &h) != ST_OK) {
        fprintf(stderr, "%s\n", fail_message());
        abort();
    }
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static int dial(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)http_port(server())),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    const struct linger at_once = { 1, 0 }; /* no sockets in TIME_WAIT */
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (s < 0 || connect(s, (struct sockaddr *)&to, sizeof to) != 0)
        abort();
    return s;
}

/* What is answered to these bytes, as far as it comes within `patience` ms. */
static void ask(const void *bytes, size_t size, int patience, char *out, size_t room)
{
    int s = dial();
    struct pollfd p = { .fd = s, .events = POLLIN };
    ssize_t n = 0;

    (void)!send(s, bytes, size, MSG_NOSIGNAL);
    if (poll(&p, 1, patience) > 0)
        n = recv(s, out, room - 1, 0);
    out[n > 0 ? n : 0] = 0;
    close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char health[] = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static unsigned count;
    char out[256];

    ask(data, size, 5, out, sizeof out);
    if (strncmp(out, "HTTP/1.1 500", 12) == 0) {
        fprintf(stderr, "%s\n", out);
        abort();
    }
    if (++count % 64 != 0)
        return 0;
    http_watch(server());
    ask(health, sizeof health - 1, 10000, out, sizeof out);
    if (strncmp(out, "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "the server lives no more: %s\n", out);
        abort();
    }
    return 0;
}
