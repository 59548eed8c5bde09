#include "serve/serve_cmd.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/bench.h"
#include "base/file.h"
#include "base/log.h"
#include "base/stop.h"
#include "model/compute.h"
#include "serve/api.h"
#include "serve/request.h"
#include "serve/serve_bench.h"
#include "serve/swap.h"

struct serve_options {
    const char *model, *name, *device;
    int dtype;
    const char *host, *api_keys, *tls_certificate, *tls_key;
    bool open_to_all, follow;
    int64_t port, threads, sequences, step_tokens, queue, connections;
    uint64_t cache_memory, max_body, max_reply;
    double idle_time, request_time, reply_time, drain_time;
};

static const struct opt options[] = {
#define S struct serve_options
    OPT_INPUT(S, model, "model", "checkpoint or model folder", .flags = OPT_REQUIRED),
    OPT_STR(S, name, "name", NULL,
            "what clients call the model; else the name of its card or folder"),
    OPT_BOOL(S, follow, "follow", "true",
             "where the model's path is a link: serve what it leads to later, too"),
    OPT_STR(S, host, "host", "127.0.0.1", "address to listen on: 0.0.0.0 or :: for all"),
    OPT_INT(S, port, "port", "8080", 0, 65535, "port to listen on; 0: any free one"),
    OPT_STR(S, api_keys, "api-keys", NULL, "file of keys, one a line, that clients must have"),
    OPT_BOOL(S, open_to_all, "open-to-all", "false",
             "listen beyond this machine without keys: anyone may use the model"),
    OPT_STR(S, tls_certificate, "tls-certificate", NULL, "PEM file: serve HTTPS; with --tls-key"),
    OPT_STR(S, tls_key, "tls-key", NULL, "PEM file with the certificate's private key"),
    OPT_CHOICE(S, dtype, "dtype", "auto", compute_names,
               "type of matrix products; auto: bf16 where the hardware has it"),
    OPT_STR(S, device, "device", "auto", "auto, cpu or cuda"),
    OPT_INT(S, threads, "threads", "0", 0, 4096,
            "threads that run the model; 0: all; fewer where other programs are at work"),
    OPT_INT(S, sequences, "sequences", "32", 1, 4096, "texts that are written at once"),
    OPT_SIZE(S, cache_memory, "cache-memory", "1G", 0, 1e15,
             "memory for keys and values; one whole context at least"),
    OPT_INT(S, step_tokens, "step-tokens", "256", 1, 65536,
            "tokens that go through the model at a time, at most: more reads prompts faster, less "
            "keeps writing even"),
    OPT_INT(S, queue, "queue", "1024", 1, 1e6, "texts that may wait; beyond that clients get 429"),
    OPT_INT(S, connections, "connections", "1024", 1, 1e6, "connections at once"),
    OPT_SIZE(S, max_body, "max-body", "8M", 1024, 1e9, "bytes of a request's body"),
    OPT_SIZE(S, max_reply, "max-reply", "64M", 1024, 1e10, "bytes that one reply may need"),
    OPT_REAL(S, idle_time, "idle-time", "60", 1, 1e6,
             "seconds until a silent connection is closed"),
    OPT_REAL(S, request_time, "request-time", "30", 1, 1e6,
             "seconds for a whole request to arrive"),
    OPT_REAL(S, reply_time, "reply-time", "600", 1, 1e6, "seconds for a whole reply"),
    OPT_REAL(S, drain_time, "drain-time", "30", 0, 1e6,
             "seconds that requests under way get to finish when the server is told to stop"),
#undef S
    OPT_END
};

struct server {
    const struct serve_options *o;
    struct swap *swap;
    bool follows; /* a link */
    struct keys *keys;
    struct http *http;
};

/* ---- who may come in ---- */

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static enum status check_options(const struct serve_options *o)
{
    if (o->api_keys == NULL && !o->open_to_all && !is_loopback(o->host))
        return fail(ST_USAGE,
                    "--host %s lets other machines in, and there is no --api-keys file: give one, "
                    "or say --open-to-all",
                    o->host);
    if ((o->tls_certificate == NULL) != (o->tls_key == NULL))
        return fail(ST_USAGE, "--tls-certificate and --tls-key go together: %s is missing",
                    o->tls_key == NULL ? "--tls-key" : "--tls-certificate");
    return ST_OK;
}

/* ---- what is served ---- */

/* "registry/champion/" is the link, too. */
static const char *without_slashes(struct arena *a, const char *path)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    return arena_printf(a, "%.*s", (int)n, path);
}

static bool is_link(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* An exported model's own name, else its folder's, or that of the link which is followed: it stays
 * when the folder does not. */
static enum status model_name(struct arena *a, const char *folder, bool follows, const char **out)
{
    char *real = realpath(folder, NULL);
    const char *path = path_join(a, folder, "manifest.json"), *name = NULL;
    json_t *manifest = NULL;

    if (real == NULL)
        return fail_errno(ST_MISSING, "there is no model folder '%s'", folder);
    if (file_exists(path) && json_read_file(path, &manifest) == ST_OK)
        name = json_string_value(json_object_get(
            json_object_get(json_object_get(manifest, "made_by"), "options"), "name"));
    *out = arena_strdup(a, name != NULL && *name != 0 ? name : path_base(follows ? folder : real));
    json_decref(manifest);
    free(real);
    return ST_OK;
}

static struct served_args served_args_of(const struct serve_options *o, const char *name)
{
    return (struct served_args){ .name = name,
                                 .device = o->device,
                                 .dtype = o->dtype,
                                 .engine = { .threads = (int)o->threads,
                                             .sequences = o->sequences,
                                             .cache_bytes = o->cache_memory,
                                             .step_rows = o->step_tokens,
                                             .waiting = o->queue },
                                 .max_reply = o->max_reply };
}

static enum status open_model(struct server *s, struct arena *a)
{
    const struct serve_options *o = s->o;
    const char *path = without_slashes(a, o->model), *name = o->name;

    if (name == NULL)
        TRY(model_name(a, path, s->follows, &name));
    return swap_open(
        &(struct swap_args){
            .path = path, .follow = s->follows, .period = 1, .served = served_args_of(o, name) },
        &s->swap);
}

static enum status open_http(struct server *s)
{
    const struct serve_options *o = s->o;

    if (o->api_keys != NULL)
        TRY(keys_open(o->api_keys, &s->keys));
    TRY(http_new(&(struct http_args){ .host = o->host,
                                      .port = o->port,
                                      .routes = api_routes,
                                      .ctx = s->swap,
                                      .lend = swap_lend,
                                      .give_back = swap_give_back,
                                      .keys = s->keys,
                                      .connections = o->connections,
                                      .max_body = o->max_body,
                                      .idle_seconds = o->idle_time,
                                      .head_seconds = o->request_time,
                                      .reply_seconds = o->reply_time,
                                      .tls_certificate = o->tls_certificate,
                                      .tls_key = o->tls_key },
                 &s->http));
    return ST_OK;
}

static void announce_model(const struct serve_options *o, const struct api *a)
{
    const struct model *m = engine_model(a->engine);
    char memory[24], weights[28];

    log_info("model '%s': %s parameters, %s, context of %lld tokens", a->name,
             str_count((uint64_t)model_params(m)->weights, weights), dtype_name(model_compute(m)),
             (long long)a->config->context);
    log_info("up to %lld texts at once, %s of keys and values", (long long)o->sequences,
             str_bytes((uint64_t)engine_state(a->engine).pages * kv_page_bytes(m), memory));
}

static void announce(const struct server *s)
{
    const struct serve_options *o = s->o;
    bool v6 = strchr(o->host, ':') != NULL;
    struct api *a = swap_lend(s->swap);

    announce_model(o, a);
    if (s->follows)
        log_info("'%s' is a link to '%s', and followed", o->model, a->folder);
    swap_give_back(a);
    log_info("listening on %s://%s%s%s:%d", o->tls_key == NULL ? "http" : "https", v6 ? "[" : "",
             o->host, v6 ? "]" : "", http_port(s->http));
}

/* ---- until it is told to stop ---- */

static atomic_int hangup;

static void on_hangup(int number) { atomic_store(&hangup, number); }

static void catch_hangup(void)
{
    struct sigaction action = { .sa_handler = on_hangup, .sa_flags = SA_RESTART };

    sigemptyset(&action.sa_mask);
    BUG_IF(sigaction(SIGHUP, &action, NULL) != 0);
}

static void nap(long milliseconds)
{
    nanosleep(&(struct timespec){ milliseconds / 1000, milliseconds % 1000 * 1000000 }, NULL);
}

/* What is under way is finished; nothing new is taken on. */
static enum status drain(struct server *s)
{
    double end = bench_now() + s->o->drain_time;
    int64_t left;

    http_drain(s->http);
    log_info("finishing %lld requests", (long long)http_working(s->http));
    while ((left = http_working(s->http)) > 0 && bench_now() < end) {
        http_watch(s->http);
        nap(20);
    }
    if (left > 0)
        return fail(ST_TIMEOUT, "%lld requests were cut off: they took longer than %g s to finish",
                    (long long)left, s->o->drain_time);
    return ST_OK;
}

static enum status serve(struct server *s, struct arena *a)
{
    TRY(check_options(s->o));
    s->follows = s->o->follow && is_link(without_slashes(a, s->o->model));
    if (s->follows)
        catch_hangup(); /* before it loads: whoever moves the link may call at any time */
    TRY(open_model(s, a));
    TRY(open_http(s));
    announce(s);
    while (!stop_requested()) {
        if (atomic_exchange(&hangup, 0))
            swap_look(s->swap);
        http_watch(s->http);
        nap(50);
    }
    return drain(s);
}

/* The engines' threads first: whom it still wrote for is told; their replies get a moment to be
 * sent. Its memory last: the HTTP thread may ask for it until it has ended. */
static void close_server(struct server *s)
{
    swap_stop(s->swap);
    for (int i = 0; i < 50 && s->http != NULL && http_working(s->http) > 0; i++) {
        http_watch(s->http);
        nap(20);
    }
    http_free(s->http);
    keys_close(s->keys);
    swap_free(s->swap);
}

static enum status run(struct arena *a, void *cfg)
{
    struct server s = { .o = cfg };
    struct failure failure;
    enum status st = serve(&s, a);

    failure_save(&failure, st);
    close_server(&s);
    return st == ST_OK ? ST_OK : failure_restore(&failure);
}

static void print_routes(FILE *out)
{
    fprintf(out, "\nRoutes (those with * need a key where there is an --api-keys file):\n");
    for (const struct route *r = api_routes; r->path != NULL; r++)
        fprintf(out, "  %c %-4s %-22s %s\n", r->right == RIGHT_KEY ? '*' : ' ', r->method, r->path,
                r->help);
    request_print_fields(out);
}

const struct command cmd_serve = {
    .name = "serve",
    .summary = "serve a model over HTTP, as OpenAI's API, with a playground",
    .details =
        "Requests are written side by side; each gets the tokens that it would get alone. "
        "Ctrl-C or SIGTERM\n"
        "finishes what is under way and takes nothing new (/ready answers 503); a second one "
        "stops at once.\n"
        "\n"
        "Where --model is a link, the server looks once a second (at once on SIGHUP) where it "
        "leads, and\n"
        "changes to the model there without failing a request: both are in memory, each with its "
        "own\n"
        "--cache-memory, until the old one has finished its requests. What cannot be opened is "
        "logged and\n"
        "counted (/metrics), and tried again when the link changes or on SIGHUP.\n"
        "\n"
        "  tundish serve --model work/quickstart/current/model\n"
        "  curl http://127.0.0.1:8080/v1/completions -H 'Content-Type: application/json' \\\n"
        "      -d '{\"model\": \"quickstart\", \"prompt\": \"This command\", \"max_tokens\": 50}'\n"
        "\n"
        "and http://127.0.0.1:8080/ in a browser. Exit code 0: stopped in order; 124: requests "
        "were "
        "cut off\nat the end of --drain-time.",
    .print_details = print_routes,
    .opts = options,
    .cfg_size = sizeof(struct serve_options),
    .run = run,
    .benches = serve_benches,
};
