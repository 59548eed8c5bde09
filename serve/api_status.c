/* What the server is and how it fares: models, model card, health, metrics. */
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "serve/api.h"
#include "serve/metrics.h"
#include "serve/reply.h"
#include "serve/swap.h"

enum { CARD_LIMIT = 1 << 20 };

static void add_model(struct buf *out, const struct api *a)
{
    const struct model *m = engine_model(a->engine);

    buf_adds(out, "{\"id\":");
    reply_quote(out, a->name);
    buf_printf(out,
               ",\"object\":\"model\",\"created\":%" PRId64
               ",\"owned_by\":\"tundish\",\"context\":%" PRId64 ",\"vocab\":%" PRId64
               ",\"parameters\":%" PRId64
               ",\"dtype\":\"%s\",\"system_fingerprint\":\"%s\",\"version\":",
               a->created, a->config->context, a->config->vocab, model_params(m)->weights,
               dtype_name(model_compute(m)), a->fingerprint);
    reply_quote(out, path_base(a->folder));
    buf_adds(out, ",\"digest\":");
    if (a->digest == NULL)
        buf_adds(out, "null");
    else
        reply_quote(out, a->digest);
    buf_adds(out, ",\"end_of_text\":");
    api_quote_end_of_text(out, a);
    buf_addc(out, '}');
}

void api_models(struct exchange *x, void *ctx)
{
    struct buf out = { 0 };

    buf_adds(&out, "{\"object\":\"list\",\"data\":[");
    add_model(&out, ctx);
    buf_adds(&out, "]}");
    api_reply_json(x, &out);
    buf_release(&out);
}

void api_model(struct exchange *x, void *ctx)
{
    const struct api *a = ctx;
    struct buf out = { 0 };

    if (strcmp(exchange_tail(x), a->name) != 0) {
        exchange_error(x, 404, "model_not_found", "model",
                       "there is no model '%.100s' here, only '%s'", exchange_tail(x), a->name);
        return;
    }
    add_model(&out, a);
    api_reply_json(x, &out);
    buf_release(&out);
}

void api_model_card(struct exchange *x, void *ctx)
{
    const struct api *a = ctx;
    struct arena arena = { 0 };
    struct buf text = { 0 };

    if (file_read(path_join(&arena, a->folder, "README.md"), CARD_LIMIT, &text) == ST_OK)
        exchange_reply(x, &(struct reply){ .code = 200,
                                           .type = "text/markdown; charset=utf-8",
                                           .body = { text.p, text.n } });
    else
        exchange_error(x, 404, "no_card", NULL, "this model has no card (README.md)");
    buf_release(&text);
    arena_release(&arena);
}

static void reply_text(struct exchange *x, int code, const char *type, const char *text)
{
    exchange_reply(x, &(struct reply){ .code = code, .type = type, .body = span_of(text) });
}

void api_health(struct exchange *x, void *ctx)
{
    reply_text(x, 200, "application/json", "{\"status\":\"ok\"}");
}

void api_ready(struct exchange *x, void *ctx)
{
    if (exchange_draining(x))
        exchange_error(x, 503, "draining", NULL, "the server is about to stop");
    else
        reply_text(x, 200, "application/json", "{\"status\":\"ready\"}");
}

/* A label's value: Prometheus wants '\\', '"' and line ends escaped. */
static void add_label(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%s=\"", name);
    for (; *value != 0; value++)
        if (*value == '\n')
            buf_adds(out, "\\n");
        else
            buf_printf(out, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
    buf_addc(out, '"');
}

/* Which model it is that answers: what can be said in words stands in labels. */
static void add_model_info(struct buf *out, const struct api *a)
{
    buf_adds(out, "# HELP tundish_model_info the model that new requests get\n"
                  "# TYPE tundish_model_info gauge\ntundish_model_info{");
    add_label(out, "name", a->name);
    add_label(out, ",version", path_base(a->folder));
    add_label(out, ",digest", a->digest == NULL ? "" : a->digest);
    add_label(out, ",fingerprint", a->fingerprint);
    buf_adds(out, "} 1\n");
}

void api_metrics(struct exchange *x, void *ctx)
{
    const struct api *a = ctx;
    struct engine_state s =
        a->served == NULL ? engine_state(a->engine) : swap_state(a->served->swap);
    struct buf out = { 0 };

    metric_set(METRIC_sequences_running, (double)s.running);
    metric_set(METRIC_sequences_waiting, (double)s.waiting);
    metric_set(METRIC_cache_pages, (double)s.pages);
    metric_set(METRIC_cache_pages_used, (double)s.pages_used);
    metric_set(METRIC_prompt_tokens_total, (double)s.prompt_tokens);
    metric_set(METRIC_generation_tokens_total, (double)s.written_tokens);
    metric_set(METRIC_engine_steps_total, (double)s.steps);
    metric_set(METRIC_engine_busy_seconds_total, s.busy_seconds);
    add_model_info(&out, a);
    metrics_write(&out);
    exchange_reply(x, &(struct reply){ .code = 200,
                                       .type = "text/plain; version=0.0.4; charset=utf-8",
                                       .body = { out.p, out.n } });
    buf_release(&out);
}
