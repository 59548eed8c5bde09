#include "base/progress.h"

#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"

#define SECOND INT64_C(1000000000)
#define BAR_EVERY (SECOND / 5)
#define LINE_EVERY (10 * SECOND)
#define RATE_SECONDS 10.0    /* the rate shown is that of about so many last seconds */
#define BAR_CELLS 20

static _Atomic uint64_t done;
static _Atomic int64_t next_look = INT64_MAX;   /* nanoseconds; never, when nothing is going on */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;   /* guards what follows */
static struct {
    char what[64], unit[16], note[160];
    uint64_t total;
    int64_t start, last;      /* last: the moment of last_done */
    uint64_t last_done;
    double rate;              /* units a second, smoothed */
    bool shown;               /* a bar or a line was */
} work;

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

/* An exponential mean over time. Until it has seen RATE_SECONDS it is the plain mean. */
static void update_rate(int64_t at)
{
    double passed = (double)(at - work.last) / SECOND, age = (double)(at - work.start) / SECOND;
    uint64_t count = atomic_load(&done);
    double weight;

    if (passed <= 0)
        return;
    weight = 1 - exp(-passed / RATE_SECONDS);
    if (weight < passed / age)
        weight = passed / age;
    work.rate += weight * ((double)(count - work.last_done) / passed - work.rate);
    work.last = at;
    work.last_done = count;
}

static void add_amount(struct buf *b, uint64_t n, bool with_unit)
{
    char text[32];

    if (strcmp(work.unit, "bytes") == 0)
        buf_adds(b, str_bytes(n, text));
    else
        buf_printf(b, "%s%s%s", str_count(n, text), with_unit ? " " : "",
                   with_unit ? work.unit : "");
}

static void add_rate(struct buf *b, double rate)
{
    if (rate < 10 && strcmp(work.unit, "bytes") != 0)
        buf_printf(b, "%.2f %s", rate, work.unit);
    else
        add_amount(b, rate < 1e18 ? (uint64_t)(rate + 0.5) : UINT64_MAX, true);
    buf_adds(b, "/s");
}

static void add_time(struct buf *b, double seconds)
{
    long s = seconds < 1e9 ? (long)(seconds + 0.5) : 1000000000;

    if (s < 60)
        buf_printf(b, "%lds", s);
    else if (s < 3600)
        buf_printf(b, "%ldm%02lds", s / 60, s % 60);
    else if (s < 86400)
        buf_printf(b, "%ldh%02ldm", s / 3600, s / 60 % 60);
    else
        buf_printf(b, "%ldd%02ldh", s / 86400, s / 3600 % 24);
}

static void add_bar(struct buf *b, double part)
{
    int full = (int)(part * BAR_CELLS);

    buf_adds(b, "[");
    for (int i = 0; i < BAR_CELLS; i++)
        buf_addc(b, i < full ? '=' : i == full ? '>' : ' ');
    buf_adds(b, "] ");
}

/* "tokenize: 45 %, 12,345 of 27,000 docs, 1,234 docs/s, 12s left, loss 3.21" */
static void add_text(struct buf *b, bool bar)
{
    uint64_t count = atomic_load(&done);
    bool known = work.total > 0 && count <= work.total;   /* a total that was wrong is forgotten */

    buf_printf(b, "%s: ", work.what);
    if (known) {
        double part = (double)count / (double)work.total;

        if (bar)
            add_bar(b, part);
        buf_printf(b, "%d %%, ", (int)(100 * part));
    }
    add_amount(b, count, !known);
    if (known) {
        buf_adds(b, " of ");
        add_amount(b, work.total, true);
    }
    buf_adds(b, ", ");
    add_rate(b, work.rate);
    if (known && work.rate > 0) {
        buf_adds(b, ", ");
        add_time(b, (double)(work.total - count) / work.rate);
        buf_adds(b, " left");
    }
    if (work.note[0])
        buf_printf(b, ", %s", work.note);
}

/* Cuts the text to the width of the terminal, less one column: a full line would wrap. */
static void cut_to_terminal(struct buf *b)
{
    struct winsize size;
    size_t columns = 80, i = 0;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        columns = size.ws_col;
    for (size_t seen = 0; i < b->n; i++)
        if (((unsigned char)b->p[i] & 0xC0) != 0x80 && ++seen == columns)
            break;
    b->n = i;
    b->p[i] = 0;
}

static void show(void)
{
    struct buf text = { 0 };

    add_text(&text, log_is_terminal());
    if (log_is_terminal()) {
        cut_to_terminal(&text);
        log_status_line(text.p);
    } else {
        log_info("%s", text.p);
    }
    work.shown = true;
    buf_release(&text);
}

/* One thread looks; the others go on with their work. */
static void look(int64_t at)
{
    if (pthread_mutex_trylock(&lock) != 0)
        return;
    if (at >= atomic_load(&next_look)) {
        atomic_store(&next_look, at + (log_is_terminal() ? BAR_EVERY : LINE_EVERY));
        update_rate(at);
        show();
    }
    pthread_mutex_unlock(&lock);
}

void progress_start(const char *what, const char *unit, uint64_t total)
{
    int64_t at = now();

    pthread_mutex_lock(&lock);
    memset(&work, 0, sizeof work);
    snprintf(work.what, sizeof work.what, "%s", what);
    snprintf(work.unit, sizeof work.unit, "%s", unit);
    work.total = total;
    work.start = work.last = at;
    atomic_store(&done, 0);
    if (!log_is_quiet())
        atomic_store(&next_look, at + (log_is_terminal() ? BAR_EVERY : LINE_EVERY));
    pthread_mutex_unlock(&lock);
}

void progress_add(uint64_t n)
{
    int64_t next, at;

    atomic_fetch_add(&done, n);
    next = atomic_load_explicit(&next_look, memory_order_relaxed);
    if (next == INT64_MAX)
        return;
    at = now();
    if (at >= next)
        look(at);
}

void progress_note(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    pthread_mutex_lock(&lock);
    vsnprintf(work.note, sizeof work.note, fmt, args);
    pthread_mutex_unlock(&lock);
    va_end(args);
}

/* What was shown on the way ends in one line that stays: the whole amount, time and mean rate. */
void progress_end(void)
{
    struct buf text = { 0 };
    double seconds;

    pthread_mutex_lock(&lock);
    atomic_store(&next_look, INT64_MAX);
    if (work.shown) {
        log_status_line("");
        seconds = (double)(now() - work.start) / SECOND;
        buf_printf(&text, "%s: ", work.what);
        add_amount(&text, atomic_load(&done), true);
        buf_adds(&text, " in ");
        add_time(&text, seconds);
        buf_adds(&text, ", ");
        add_rate(&text, (double)atomic_load(&done) / seconds);
        if (work.note[0])
            buf_printf(&text, ", %s", work.note);
        log_info("%s", text.p);
        buf_release(&text);
    }
    memset(&work, 0, sizeof work);
    pthread_mutex_unlock(&lock);
}

bool progress_running(void)
{
    bool running;

    pthread_mutex_lock(&lock);
    running = work.start != 0;
    pthread_mutex_unlock(&lock);
    return running;
}
