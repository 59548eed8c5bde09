#include "base/progress.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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
#define RECORD_BYTES 512

static _Atomic uint64_t done;
static _Atomic int64_t next_look = INT64_MAX;   /* nanoseconds; never, when nothing is going on */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;   /* guards what follows */
static struct {
    struct progress_now now;  /* done is written when it is told; rate is smoothed */
    int64_t start, last;      /* last: the moment of last_done */
    int64_t next_shown;
    uint64_t last_done;
    bool shown;               /* a bar or a line was */
} work;
static int file = -1;         /* of PROGRESS_FILE; -1: none */

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
    work.now.rate += weight * ((double)(count - work.last_done) / passed - work.now.rate);
    work.last = at;
    work.last_done = count;
}

static void add_amount(struct buf *b, const struct progress_now *p, uint64_t n, bool with_unit)
{
    char text[32];

    if (strcmp(p->unit, "bytes") == 0)
        buf_adds(b, str_bytes(n, text));
    else
        buf_printf(b, "%s%s%s", str_count(n, text), with_unit ? " " : "",
                   with_unit ? p->unit : "");
}

static void add_rate(struct buf *b, const struct progress_now *p, double rate)
{
    if (rate < 10 && strcmp(p->unit, "bytes") != 0)
        buf_printf(b, "%.2f %s", rate, p->unit);
    else
        add_amount(b, p, rate < 1e18 ? (uint64_t)(rate + 0.5) : UINT64_MAX, true);
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

void progress_text(struct buf *b, const struct progress_now *p, bool bar)
{
    bool known = p->total > 0 && p->done <= p->total;   /* a total that was wrong is forgotten */

    buf_printf(b, "%s: ", p->what);
    if (known) {
        double part = (double)p->done / (double)p->total;

        if (bar)
            add_bar(b, part);
        buf_printf(b, "%d %%, ", (int)(100 * part));
    }
    add_amount(b, p, p->done, !known);
    if (known) {
        buf_adds(b, " of ");
        add_amount(b, p, p->total, true);
    }
    buf_adds(b, ", ");
    add_rate(b, p, p->rate);
    if (known && p->rate > 0) {
        buf_adds(b, ", ");
        add_time(b, (double)(p->total - p->done) / p->rate);
        buf_adds(b, " left");
    }
    if (p->note[0])
        buf_printf(b, ", %s", p->note);
}

void progress_brief(struct buf *b, const struct progress_now *p)
{
    if (p->total > 0 && p->done <= p->total) {
        double part = (double)p->done / (double)p->total;

        add_bar(b, part);
        buf_printf(b, "%d %%, ", (int)(100 * part));
        if (p->rate > 0) {
            add_time(b, (double)(p->total - p->done) / p->rate);
            buf_adds(b, " left, ");
        }
    } else {
        add_amount(b, p, p->done, true);
        buf_adds(b, ", ");
    }
    add_rate(b, p, p->rate);
    if (p->note[0])
        buf_printf(b, ", %s", p->note);
}

/* Cuts the text to the width of the terminal, less one column: a full line would wrap. */
static void cut_to_terminal(struct buf *b)
{
    struct winsize size;
    size_t columns = 80, i = 0;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        columns = size.ws_col;
    for (size_t used = 0, n; i < b->n; i += n) {
        uint32_t cp;
        n = utf8_decode(b->p + i, b->p + b->n, &cp);
        used += n > 0 ? (size_t)utf8_columns(cp) : 1;
        n = n > 0 ? n : 1;
        if (used >= columns)
            break;
    }
    b->n = i;
    b->p[i] = 0;
}

static void show(void)
{
    struct buf text = { 0 };

    progress_text(&text, &work.now, log_is_terminal());
    if (log_is_terminal()) {
        cut_to_terminal(&text);
        log_status_line(text.p);
    } else {
        log_info("%s", text.p);
    }
    work.shown = true;
    buf_release(&text);
}

/* ---- the file ---- */

static void tell(void)
{
    char record[RECORD_BYTES];
    int n = snprintf(record, sizeof record, "%s\t%s\t%llu\t%llu\t%.17g\t%s", work.now.what,
                     work.now.unit, (unsigned long long)work.now.done,
                     (unsigned long long)work.now.total, work.now.rate, work.now.note);

    if (n <= 0 || (size_t)n + 1 >= sizeof record)
        return;
    memset(record + n, ' ', sizeof record - (size_t)n);
    record[n] = record[sizeof record - 1] = '\n';
    if (pwrite(file, record, sizeof record, 0) < 0) {
        close(file);             /* nobody can be told; the work goes on */
        file = -1;
    }
}

static void open_file(void)
{
    static bool tried;
    const char *path = getenv(PROGRESS_FILE);

    if (!tried && path != NULL && *path != 0)
        file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    tried = true;
}

/* One tab-separated field of at most room - 1 bytes; *p lies behind it. */
static bool take_field(const char **p, char *out, size_t room)
{
    size_t n = strcspn(*p, "\t\n");

    if (n >= room || ((*p)[n] != '\t' && (*p)[n] != '\n'))
        return false;
    memcpy(out, *p, n);
    out[n] = 0;
    *p += n + 1;
    return true;
}

bool progress_read(const char *path, struct progress_now *out)
{
    char record[RECORD_BYTES + 1], done_text[32], total_text[32], rate_text[40];
    const char *p = record;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, record, RECORD_BYTES);

    if (fd >= 0)
        close(fd);
    if (n != RECORD_BYTES || record[RECORD_BYTES - 1] != '\n')
        return false;
    record[n] = 0;
    if (!take_field(&p, out->what, sizeof out->what)
        || !take_field(&p, out->unit, sizeof out->unit)
        || !take_field(&p, done_text, sizeof done_text)
        || !take_field(&p, total_text, sizeof total_text)
        || !take_field(&p, rate_text, sizeof rate_text)
        || !take_field(&p, out->note, sizeof out->note))
        return false;
    out->done = strtoull(done_text, NULL, 10);
    out->total = strtoull(total_text, NULL, 10);
    out->rate = strtod(rate_text, NULL);
    return true;
}

/* ---- the work ---- */

static int64_t show_every(void) { return log_is_terminal() ? BAR_EVERY : LINE_EVERY; }

static int64_t look_every(void) { return file >= 0 ? BAR_EVERY : show_every(); }

/* One thread looks; the others go on with their work. */
static void look(int64_t at)
{
    if (pthread_mutex_trylock(&lock) != 0)
        return;
    if (at >= atomic_load(&next_look)) {
        atomic_store(&next_look, at + look_every());
        update_rate(at);
        work.now.done = atomic_load(&done);
        if (file >= 0)
            tell();
        if (at >= work.next_shown) {
            work.next_shown = at + show_every();
            show();
        }
    }
    pthread_mutex_unlock(&lock);
}

void progress_start(const char *what, const char *unit, uint64_t total)
{
    int64_t at = now();

    pthread_mutex_lock(&lock);
    open_file();
    memset(&work, 0, sizeof work);
    snprintf(work.now.what, sizeof work.now.what, "%s", what);
    snprintf(work.now.unit, sizeof work.now.unit, "%s", unit);
    work.now.total = total;
    work.start = work.last = at;
    work.next_shown = at + show_every();
    atomic_store(&done, 0);
    if (!log_is_quiet()) {
        atomic_store(&next_look, at + look_every());
        if (file >= 0)
            tell();
    }
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
    vsnprintf(work.now.note, sizeof work.now.note, fmt, args);
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
    work.now.done = atomic_load(&done);
    if (work.shown) {
        log_status_line("");
        seconds = (double)(now() - work.start) / SECOND;
        buf_printf(&text, "%s: ", work.now.what);
        add_amount(&text, &work.now, work.now.done, true);
        buf_adds(&text, " in ");
        add_time(&text, seconds);
        buf_adds(&text, ", ");
        add_rate(&text, &work.now, (double)work.now.done / seconds);
        if (work.now.note[0])
            buf_printf(&text, ", %s", work.now.note);
        log_info("%s", text.p);
        buf_release(&text);
    }
    memset(&work, 0, sizeof work);
    if (file >= 0 && !log_is_quiet())
        tell();                  /* nothing is going on */
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
