/*
 * What the server counts, in Prometheus' text format (GET /metrics). To add one: a row here, and a
 * call where it happens.
 */
#ifndef TUNDISH_SERVE_METRICS_H
#define TUNDISH_SERVE_METRICS_H

#include "base/str.h"

/*    name, type (counter, gauge or histogram), help */
#define METRICS(X)                                                                                 \
    X(requests_total, counter, "requests answered")                                                \
    X(requests_refused_total, counter, "requests answered with 4xx")                               \
    X(requests_failed_total, counter, "requests answered with 5xx")                                \
    X(requests_cancelled_total, counter, "requests whose client left, or whose time was over")     \
    X(connections, gauge, "connections that are open")                                             \
    X(prompt_tokens_total, counter, "tokens of prompts that went through the model")               \
    X(generation_tokens_total, counter, "tokens written")                                          \
    X(sequences_running, gauge, "sequences that are being written")                                \
    X(sequences_waiting, gauge, "sequences that wait for a slot or for pages")                     \
    X(cache_pages, gauge, "pages of the key-value cache")                                          \
    X(cache_pages_used, gauge, "pages of the key-value cache in use")                              \
    X(engine_steps_total, counter, "steps of the engine")                                          \
    X(engine_busy_seconds_total, counter, "time spent in steps")                                   \
    X(model_swaps_total, counter, "models that took another's place")                              \
    X(model_swap_failures_total, counter, "models that could not take another's place")            \
    X(model_swap_seconds, gauge, "time that the last swap took to open its model")                 \
    X(time_to_first_token_seconds, histogram, "from the request's last byte to its first token")   \
    X(inter_token_seconds, histogram, "between one token of a sequence and the next")              \
    X(request_seconds, histogram, "from the request's last byte to the reply's last token")

enum metric {
#define X(name, type, help) METRIC_##name,
    METRICS(X)
#undef X
        METRIC_COUNT
};
/* All are safe from any thread. The numbers belong to the process. */
void metric_add(enum metric m, double x);     /* counters and gauges */
void metric_set(enum metric m, double x);     /* gauges, and counters kept elsewhere */
void metric_observe(enum metric m, double x); /* histograms: seconds */
/* Appends all of them, each name with "tundish_" in front. */
void metrics_write(struct buf *out);

#endif
