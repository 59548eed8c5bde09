/*
 * Clients that load a server and check every answer.
 *
 *   tool_load PORT MODEL CLIENTS SECONDS [PORT...]
 *
 * First each kind of request is answered alone; then CLIENTS threads send them side by side for
 * SECONDS ("side by side" on stderr says when): some read slowly, some hang up in the middle. An
 * answer that came whole must be, letter by letter, the one given alone. Prints one JSON object; exit status 1 if anything was wrong, cut
 * or lost. A server that stops may refuse (503, or no connection); what it has begun it must
 * finish.
 *
 * Further ports are servers that are asked alone instead, one a model: a server that changes
 * between these models must give the answer of one of them. Each piece of a stream names its model
 * (system_fingerprint), so an answer that is half of one and half of another is wrong.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bench.h"
#include "base/json.h"
#include "base/rng.h"

enum { KINDS = 12, MODELS = 4 };
enum outcome { WHOLE, CUT, REFUSED, LEFT };

static struct {
    int port;
    const char *model;
    double end;
    char *alone[MODELS][KINDS];
    int models;
    atomic_llong of_model[MODELS]; /* whole answers that are this one's */
    atomic_llong whole, wrong, cut, refused, left, bytes;
} all;

static int dial(int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    const struct timeval patience = { .tv_sec = 60 };
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(s, (struct sockaddr *)&to, sizeof to) == 0)
        return s;
    close(s);
    return -1;
}

static bool is_stream(int kind) { return kind % 3 != 2; }

static void make_request(int kind, struct buf *out)
{
    struct buf body = { 0 };

    buf_printf(&body,
               "{\"model\":\"%s\",\"prompt\":\"word%d word%d\",\"max_tokens\":%d,\"seed\":%d,"
               "\"temperature\":%s,\"top_p\":0.9,\"ignore_eos\":%s%s%s}",
               all.model, kind, kind * 7 % 30, 20 + kind * 13 % 80, kind, kind % 4 ? "0.9" : "0",
               kind % 2 ? "true" : "false", is_stream(kind) ? ",\"stream\":true" : "",
               kind % 5 ? "" : ",\"logprobs\":3");
    buf_printf(out,
               "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
               "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
               body.n, body.p);
    buf_release(&body);
}

/* The body of an answer that came in chunks, in place. False: it is not complete. */
static bool unchunk(struct buf *b, size_t at)
{
    size_t to = at;

    for (;;) {
        char *end, *line = b->p + at;
        unsigned long n = strtoul(line, &end, 16);

        if (end == line || at + n + 4 > b->n || strncmp(end, "\r\n", 2) != 0)
            return false;
        at = (size_t)(end - b->p) + 2;
        if (n == 0)
            break;
        if (at + n + 2 > b->n)
            return false;
        memmove(b->p + to, b->p + at, n);
        to += n;
        at += n + 2;
    }
    b->n = to;
    b->p[to] = 0;
    return true;
}

/* Jansson takes no NUL in the name of a member, as it stands where a token is one: it becomes
 * U+E000. */
static void replace_nul(char *json, size_t n)
{
    for (size_t i = 0; i + 6 <= n; i++)
        if (memcmp(json + i, "\\u0000", 6) == 0)
            json[i + 2] = 'E';
}

static void add_text(struct buf *out, char *json, size_t n)
{
    json_t *j;
    const json_t *choice;
    const char *text, *finish, *model;
    char *logprobs;

    replace_nul(json, n);
    j = json_loadb(json, n, 0, NULL);
    choice = json_array_get(json_object_get(j, "choices"), 0);
    text = json_string_value(json_object_get(choice, "text"));
    finish = json_string_value(json_object_get(choice, "finish_reason"));
    model = json_string_value(json_object_get(j, "system_fingerprint"));
    logprobs = json_dumps(
        json_object_get(json_object_get(choice, "logprobs"), "token_logprobs"), JSON_COMPACT);
    buf_adds(out, text == NULL ? "(no text)" : text);
    buf_printf(out, "<%s>", model == NULL ? "" : model);
    if (logprobs != NULL)
        buf_adds(out, logprobs);
    if (finish != NULL)
        buf_printf(out, "(%s)", finish);
    free(logprobs);
    json_decref(j);
}

/* Texts, models, logprobs and finish reason of an answer, one behind the other. False: it is not
 * whole. */
static bool content_of(struct buf *answer, bool stream, struct buf *out)
{
    char *body = answer->n == 0 ? NULL : strstr(answer->p, "\r\n\r\n");
    size_t at = body == NULL ? 0 : (size_t)(body + 4 - answer->p);
    char *event;

    if (body == NULL)
        return false;
    if (!stream) {
        add_text(out, answer->p + at, answer->n - at);
        return strstr(out->p, "(no text)") == NULL;
    }
    if (!unchunk(answer, at))
        return false;
    for (event = answer->p + at; (event = strstr(event, "data: ")) != NULL; event += 6) {
        char *end = strstr(event, "\n\n");

        if (end == NULL)
            return false;
        if (strncmp(event + 6, "[DONE]", 6) == 0)
            return end[2] == 0;
        add_text(out, event + 6, (size_t)(end - event - 6));
    }
    return false;
}

struct manner {
    size_t piece;  /* bytes read at a time */
    int nap_ms;    /* between them */
    long leave_at; /* hang up after so many bytes; -1: never */
};

static enum outcome ask(int port, int kind, const struct manner *m, struct buf *content)
{
    struct buf request = { 0 }, answer = { 0 };
    enum outcome o = REFUSED;
    int s = dial(port);
    char piece[4096];
    ssize_t n = 0;

    if (s < 0)
        return REFUSED;
    make_request(kind, &request);
    if (send(s, request.p, request.n, MSG_NOSIGNAL) == (ssize_t)request.n) {
        while ((n = recv(s, piece, m->piece, 0)) > 0) {
            buf_add(&answer, piece, (size_t)n);
            if (m->leave_at >= 0 && (long)answer.n >= m->leave_at)
                break;
            if (m->nap_ms > 0)
                nanosleep(&(struct timespec){ 0, m->nap_ms * 1000000L }, NULL);
        }
        if (m->leave_at >= 0 && n > 0)
            o = LEFT;
        else if (answer.n > 12 && strncmp(answer.p + 9, "503", 3) == 0)
            o = REFUSED;
        else if (answer.n > 0)
            o = content_of(&answer, is_stream(kind), content) ? WHOLE : CUT;
        else
            o = n < 0 && errno == EAGAIN ? CUT : REFUSED;
        if (o == CUT)
            fprintf(stderr, "cut after %zu bytes: %.200s\n", answer.n, answer.n ? answer.p : "");
    }
    all.bytes += (long long)answer.n;
    close(s);
    buf_release(&request);
    buf_release(&answer);
    return o;
}

static void compare(int kind, const char *content)
{
    for (int m = 0; m < all.models; m++)
        if (strcmp(content, all.alone[m][kind]) == 0) {
            all.of_model[m]++;
            return;
        }
    fprintf(stderr, "kind %d, got:\n%s\n", kind, content);
    for (int m = 0; m < all.models; m++)
        fprintf(stderr, "wanted:\n%s\n", all.alone[m][kind]);
    all.wrong++;
}

static void *client(void *arg)
{
    struct rng r = { .seed = 1, .stream = (uint64_t)(uintptr_t)arg };

    while (bench_now() < all.end) {
        int kind = (int)rng_below(&r, KINDS);
        uint64_t dice = rng_below(&r, 10);
        struct manner m = { 4096, 0, -1 };
        struct buf content = { 0 };
        enum outcome o;

        if (dice < 3)
            m = (struct manner){ 200, 3, -1 };
        else if (dice < 5)
            m = (struct manner){ 512, 0, (long)rng_below(&r, 6000) };
        o = ask(all.port, kind, &m, &content);
        if (o == WHOLE)
            compare(kind, content.p);
        *(o == WHOLE  ? &all.whole
          : o == CUT  ? &all.cut
          : o == LEFT ? &all.left
                      : &all.refused) += 1;
        buf_release(&content);
        if (o == REFUSED)
            nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
    }
    return NULL;
}

static bool ask_alone(int port)
{
    for (int k = 0; k < KINDS; k++) {
        struct buf content = { 0 };

        if (ask(port, k, &(struct manner){ 4096, 0, -1 }, &content) != WHOLE) {
            fprintf(stderr, "kind %d is not answered\n", k);
            return false;
        }
        all.alone[all.models][k] = content.p;
    }
    all.models++;
    return true;
}

static void print_result(void)
{
    printf("{\"whole\": %lld, \"of each model\": [", (long long)all.whole);
    for (int m = 0; m < all.models; m++)
        printf("%s%lld", m ? ", " : "", (long long)all.of_model[m]);
    printf("], \"wrong\": %lld, \"cut\": %lld, \"hung up\": %lld, \"refused\": %lld, "
           "\"bytes\": %lld}\n",
           (long long)all.wrong, (long long)all.cut, (long long)all.left, (long long)all.refused,
           (long long)all.bytes);
}

int main(int argc, char **argv)
{
    pthread_t threads[1000];
    int clients = argc >= 5 && argc <= 5 + MODELS ? atoi(argv[3]) : 0;

    if (clients < 1 || clients > 1000) {
        fprintf(stderr, "usage: tool_load PORT MODEL CLIENTS SECONDS [PORT...]\n");
        return 2;
    }
    all.port = atoi(argv[1]);
    all.model = argv[2];
    for (int i = argc == 5 ? 1 : 5; i < (argc == 5 ? 2 : argc); i++)
        if (!ask_alone(atoi(argv[i])))
            return 1;
    fprintf(stderr, "side by side\n");
    all.end = bench_now() + atof(argv[4]);
    for (int i = 0; i < clients; i++)
        pthread_create(&threads[i], NULL, client, (void *)(uintptr_t)(i + 1));
    for (int i = 0; i < clients; i++)
        pthread_join(threads[i], NULL);
    print_result();
    for (int m = 0; m < all.models; m++)
        for (int k = 0; k < KINDS; k++)
            free(all.alone[m][k]);
    return all.wrong + all.cut > 0 || all.whole == 0;
}
