/*
 * The server measured from outside: clients on loopback, each with a prompt of its own, streams
 * read as they come. The yardstick is what memory allows: writing a token for each client reads all
 * weights once, so the limit is clients * (memory scan of all threads) / (bytes of weights). Keys,
 * values and prompts are not counted, nor are the clients, who run on the same processors.
 */
#include "serve/serve_bench.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bench.h"
#include "serve/api.h"
#include "serve/loaded.h"
#include "store/formats/byte_level.h"

enum { CLIENTS = 8, PROMPT = 64, SCAN_BYTES = 256 << 20 };

struct rig {
    struct loaded loaded;
    struct stream *stream;
    struct api api;
    struct http *http;
    int64_t tokens; /* that each client asks for */
    double scan;    /* bytes a second, all threads */
};

/* ---- a model without training, and a tokenizer of 256 bytes ---- */

static enum status make_tokenizer(struct tokenizer **out)
{
    struct buf json = { 0 };
    enum status st;

    buf_adds(&json,
             "{\"version\":\"1.0\",\"added_tokens\":[],\"normalizer\":null,\"pre_tokenizer\":"
             "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,"
             "\"use_regex\":true},\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":"
             "\"BPE\",\"merges\":[],\"vocab\":{");
    for (int i = 0; i < 256; i++) {
        char text[4];
        size_t n = utf8_encode(byte_level_char((uint8_t)i), text);

        buf_addc(&json, i ? ',' : ' ');
        json_quote(&json, text, n);
        buf_printf(&json, ":%d", i);
    }
    buf_adds(&json, "}}}");
    st = tokenizer_parse("the bench's own tokenizer", json.p, json.n, out);
    buf_release(&json);
    return st;
}

static enum status make_model(struct rig *r, const struct model_config *shape, enum dtype type)
{
    TRY(device_open("cpu", &r->loaded.device));
    TRY(stream_open(r->loaded.device, &r->stream));
    TRY(make_tokenizer(&r->loaded.tokenizer));
    TRY(model_new(shape, r->loaded.device, type, &r->loaded.model));
    return model_init(r->loaded.model, r->stream, 1);
}

static enum status rig_open(struct rig *r, const struct model_config *shape, enum dtype type,
                            int threads)
{
    TRY(make_model(r, shape, type));
    TRY(loaded_start(&r->loaded, &(struct engine_args){ .threads = threads,
                                                        .sequences = CLIENTS,
                                                        .cache_bytes = 1 << 30,
                                                        .step_rows = 256,
                                                        .waiting = CLIENTS }));
    r->api = (struct api){ .engine = r->loaded.engine,
                           .tokenizer = r->loaded.tokenizer,
                           .config = model_config_of(r->loaded.model),
                           .name = "bench",
                           .folder = "",
                           .fingerprint = "fp_bench",
                           .longest_token = 1,
                           .queue = CLIENTS,
                           .max_reply = 64 << 20 };
    TRY(http_new(&(struct http_args){ .host = "127.0.0.1",
                                      .routes = api_routes,
                                      .ctx = &r->api,
                                      .connections = 64,
                                      .max_body = 1 << 20,
                                      .idle_seconds = 60,
                                      .head_seconds = 60,
                                      .reply_seconds = 600 },
                 &r->http));
    return ST_OK;
}

static void rig_close(struct rig *r)
{
    if (r->loaded.engine != NULL)
        engine_stop(r->loaded.engine);
    http_free(r->http);
    if (r->stream != NULL)
        stream_close(r->stream);
    loaded_close(&r->loaded);
}

/* ---- clients ---- */

struct client {
    const struct rig *rig;
    int number;
    double begin, first, end; /* of the clock; first: of the first token */
    bool whole;
};

static void make_request(const struct client *c, struct buf *out)
{
    struct buf body = { 0 };

    buf_adds(&body, "{\"model\":\"bench\",\"prompt\":[");
    for (int i = 0; i < PROMPT; i++)
        buf_printf(&body, "%s%d", i ? "," : "", (c->number * 31 + i * 7) % 256);
    buf_printf(&body,
               "],\"max_tokens\":%lld,\"temperature\":0.8,\"top_p\":0.95,\"seed\":%d,"
               "\"ignore_eos\":true,\"stream\":true}",
               (long long)c->rig->tokens, c->number);
    buf_printf(out,
               "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
               "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
               body.n, body.p);
    buf_release(&body);
}

static void read_stream(struct client *c, int s)
{
    struct buf answer = { 0 };
    char piece[8192];
    ssize_t n;

    while ((n = recv(s, piece, sizeof piece, 0)) > 0) {
        buf_add(&answer, piece, (size_t)n);
        if (c->first == 0 && strstr(answer.p, "data: ") != NULL)
            c->first = bench_now();
    }
    c->end = bench_now();
    c->whole = answer.n > 0 && strstr(answer.p, "\"finish_reason\":\"length\"") != NULL &&
               strstr(answer.p, "data: [DONE]") != NULL;
    buf_release(&answer);
}

static void *client_main(void *arg)
{
    struct client *c = arg;
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)http_port(c->rig->http)),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct buf request = { 0 };

    make_request(c, &request);
    c->begin = bench_now();
    if (connect(s, (struct sockaddr *)&to, sizeof to) == 0 &&
        send(s, request.p, request.n, MSG_NOSIGNAL) == (ssize_t)request.n)
        read_stream(c, s);
    close(s);
    buf_release(&request);
    return NULL;
}

struct measured {
    double tokens_per_second, first_ms; /* first: the median over the clients */
};

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static enum status measure(const struct rig *r, int clients, struct measured *out)
{
    struct client c[CLIENTS];
    pthread_t threads[CLIENTS];
    double firsts[CLIENTS], begin = 0, end = 0;

    for (int i = 0; i < clients; i++) {
        c[i] = (struct client){ .rig = r, .number = i };
        if (pthread_create(&threads[i], NULL, client_main, &c[i]) != 0)
            return fail(ST_FAILED, "cannot start a thread for a client");
    }
    for (int i = 0; i < clients; i++) {
        pthread_join(threads[i], NULL);
        firsts[i] = 1e3 * (c[i].first - c[i].begin);
        begin = i == 0 || c[i].begin < begin ? c[i].begin : begin;
        end = c[i].end > end ? c[i].end : end;
    }
    for (int i = 0; i < clients; i++)
        if (!c[i].whole)
            return fail(ST_FAILED, "client %d did not get its whole answer", i);
    qsort(firsts, (size_t)clients, sizeof *firsts, by_size);
    out->tokens_per_second = (double)(clients * r->tokens) / (end - begin);
    out->first_ms = firsts[clients / 2];
    return ST_OK;
}

/* ---- the yardstick ---- */

static void *scan_main(void *arg)
{
    *(double *)arg = bench_memory_scan(SCAN_BYTES) * 1e9;
    return NULL;
}

static double scan_all(int threads)
{
    double *rates = mem_array((size_t)threads, sizeof *rates), sum = 0;
    pthread_t *ids = mem_array((size_t)threads, sizeof *ids);

    for (int i = 0; i < threads; i++)
        BUG_IF(pthread_create(&ids[i], NULL, scan_main, &rates[i]) != 0);
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        sum += rates[i];
    }
    free(rates);
    free(ids);
    return sum;
}

/* ---- cases ---- */

static enum status measure_and_report(struct bench *b, const struct rig *r, int clients)
{
    double *rates = mem_array((size_t)b->repeat, sizeof *rates);
    double *firsts = mem_array((size_t)b->repeat, sizeof *firsts);
    const struct model *m = r->loaded.model;
    double weights = (double)model_params(m)->weights * (double)dtype_size(model_compute(m));
    struct measured one;
    char name[64];
    enum status st = measure(r, clients, &one); /* warms up */

    for (int i = 0; i < b->repeat && st == ST_OK; i++) {
        st = measure(r, clients, &one);
        rates[i] = one.tokens_per_second;
        firsts[i] = one.first_ms;
    }
    snprintf(name, sizeof name, "%d client%s", clients, clients == 1 ? "" : "s");
    if (st == ST_OK)
        bench_report(b, &(struct bench_result){ .variant = name,
                                                .unit = "tokens/s",
                                                .values = rates,
                                                .count = b->repeat,
                                                .yardstick = "memory scan / weights * clients",
                                                .yardstick_value = r->scan / weights * clients });
    snprintf(name, sizeof name, "%d client%s first token", clients, clients == 1 ? "" : "s");
    if (st == ST_OK)
        bench_report(b, &(struct bench_result){
                            .variant = name, .unit = "ms", .values = firsts, .count = b->repeat });
    free(rates);
    free(firsts);
    return st;
}

static enum status run_shape(struct bench *b, const struct model_config *shape, int64_t tokens)
{
    struct rig r = { .tokens = tokens, .scan = scan_all(b->threads) };
    enum status st = rig_open(&r, shape, DT_BF16, b->threads);

    for (int clients = 1; clients <= CLIENTS && st == ST_OK;
         clients = clients == 1 ? 4 : 2 * clients)
        st = measure_and_report(b, &r, clients);
    rig_close(&r);
    return st;
}

/* The shape of pipelines/quickstart.yaml. */
static enum status bench_small(struct bench *b)
{
    static const struct model_config shape = { .vocab = 4096,
                                               .width = 256,
                                               .layers = 4,
                                               .heads = 4,
                                               .kv_heads = 2,
                                               .head_width = 64,
                                               .ff = 704,
                                               .context = 1024,
                                               .rope_theta = 10000,
                                               .norm_eps = 1e-5,
                                               .tied = true,
                                               .end_of_text = -1 };

    return run_shape(b, &shape, 256);
}

static enum status bench_110m(struct bench *b)
{
    static const struct model_config shape = { .vocab = 32000,
                                               .width = 768,
                                               .layers = 12,
                                               .heads = 12,
                                               .kv_heads = 12,
                                               .head_width = 64,
                                               .ff = 2048,
                                               .context = 1024,
                                               .rope_theta = 10000,
                                               .norm_eps = 1e-5,
                                               .tied = true,
                                               .end_of_text = -1 };

    return run_shape(b, &shape, 64);
}

const struct bench_case serve_benches[] = {
    { "4M bf16", bench_small },
    { "110M bf16", bench_110m },
    { NULL, NULL },
};
