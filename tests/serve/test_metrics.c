/* Prometheus' text: each metric once, buckets that add up, sums from many threads exact. */
#include "test.h"

#include <pthread.h>

#include "serve/metrics.h"

static void *count(void *ctx)
{
    for (int i = 0; i < 10000; i++) {
        metric_add(METRIC_requests_total, 1);
        metric_observe(METRIC_request_seconds, 0.25);
    }
    return NULL;
}

static void text_is_exact(void **state)
{
    static const char *const wanted[] = {
        "# HELP tundish_requests_total requests answered\n# TYPE tundish_requests_total counter\n"
        "tundish_requests_total 40000\n",
        "# TYPE tundish_connections gauge\ntundish_connections 0.1\n",
        "tundish_request_seconds_bucket{le=\"0.1\"} 0\n"
        "tundish_request_seconds_bucket{le=\"0.25\"} 40000\n",
        "tundish_request_seconds_bucket{le=\"60\"} 40000\n"
        "tundish_request_seconds_bucket{le=\"+Inf\"} 40001\n"
        "tundish_request_seconds_sum 10100\ntundish_request_seconds_count 40001\n",
    };
    struct buf out = { 0 };
    pthread_t t[4];

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, count, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    metric_observe(METRIC_request_seconds, 100);
    metric_set(METRIC_connections, 0.1);
    metrics_write(&out);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strstr(out.p, wanted[i]) == NULL)
            fail_msg("want %s in %s", wanted[i], out.p);
    assert_int_equal(out.p[out.n - 1], '\n');
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(text_is_exact) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
