#include "serve/metrics.h"

#include <pthread.h>

enum { BOUNDS = 15 };
static const double bounds[BOUNDS] = { .001, .0025, .005, .01, .025, .05, .1, .25,
                                       .5,   1,     2.5,  5,   10,   30,  60 };

enum type { counter, gauge, histogram };
static const char *const type_names[] = { "counter", "gauge", "histogram" };
static const struct row {
    const char *name;
    enum type type;
    const char *help;
} rows[] = {
#define X(name, type, help) { #name, type, help },
    METRICS(X)
#undef X
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    double value; /* a histogram's sum */
    uint64_t counts[BOUNDS + 1];
} values[METRIC_COUNT];

void metric_add(enum metric m, double x)
{
    pthread_mutex_lock(&lock);
    values[m].value += x;
    pthread_mutex_unlock(&lock);
}

void metric_set(enum metric m, double x)
{
    pthread_mutex_lock(&lock);
    values[m].value = x;
    pthread_mutex_unlock(&lock);
}

void metric_observe(enum metric m, double x)
{
    int at = 0;

    while (at < BOUNDS && x > bounds[at])
        at++;
    pthread_mutex_lock(&lock);
    values[m].value += x;
    values[m].counts[at]++;
    pthread_mutex_unlock(&lock);
}

static void write_histogram(struct buf *out, enum metric m)
{
    uint64_t sum = 0;

    for (int i = 0; i < BOUNDS; i++) {
        sum += values[m].counts[i];
        buf_printf(out, "tundish_%s_bucket{le=\"%g\"} %llu\n", rows[m].name, bounds[i],
                   (unsigned long long)sum);
    }
    sum += values[m].counts[BOUNDS];
    buf_printf(out, "tundish_%s_bucket{le=\"+Inf\"} %llu\n", rows[m].name, (unsigned long long)sum);
    buf_printf(out, "tundish_%s_sum %.9g\n", rows[m].name, values[m].value);
    buf_printf(out, "tundish_%s_count %llu\n", rows[m].name, (unsigned long long)sum);
}

void metrics_write(struct buf *out)
{
    pthread_mutex_lock(&lock);
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        buf_printf(out, "# HELP tundish_%s %s\n# TYPE tundish_%s %s\n", rows[m].name, rows[m].help,
                   rows[m].name, type_names[rows[m].type]);
        if (rows[m].type == histogram)
            write_histogram(out, m);
        else
            buf_printf(out, "tundish_%s %.15g\n", rows[m].name, values[m].value);
    }
    pthread_mutex_unlock(&lock);
}
