#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

static atomic_bool quiet;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;   /* stderr and what follows */
static struct buf status_line;   /* on the terminal's last lines; may be empty */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool terminal, colours;

static void look(void)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    colours = terminal && !(no_color && *no_color);
}

bool log_is_terminal(void)
{
    pthread_once(&once, look);
    return terminal;
}

bool log_has_colours(void)
{
    pthread_once(&once, look);
    return colours;
}

void log_set_quiet(bool on)
{
    atomic_store(&quiet, on);
}

bool log_is_quiet(void)
{
    return atomic_load(&quiet);
}

/* One write() a message, so that lines of several processes do not mix. A stderr that cannot be
 * written has nowhere to be reported. */
static void put(const struct buf *b)
{
    for (size_t done = 0; done < b->n;) {
        ssize_t n = write(STDERR_FILENO, b->p + done, b->n - done);

        if (n <= 0)
            return;
        done += (size_t)n;
    }
}

/* Text from outside must not steer the terminal: control characters (C0, DEL, C1) are shown as
 * \n or \xNN, bytes that are not UTF-8 as U+FFFD. */
void log_add_plain(struct buf *out, const char *text)
{
    struct buf good = { 0 };
    const char *p, *end;

    utf8_repair(&good, text, strlen(text));
    for (p = good.p, end = p + good.n; p < end;) {
        uint32_t cp;
        size_t n = utf8_decode(p, end, &cp);

        if (cp == '\n')
            buf_adds(out, "\\n");
        else if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0))
            buf_printf(out, "\\x%02x", (unsigned)cp);
        else
            buf_add(out, p, n);
        p += n;
    }
    buf_release(&good);
}

/* Appends what takes the status lines away: the cursor stands behind the last of them. */
static void add_erasure(struct buf *out)
{
    size_t lines = 0;

    for (const char *p = status_line.p; status_line.n > 0 && (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    if (lines > 0)
        buf_printf(out, "\033[%zuA", lines);
    buf_adds(out, lines > 0 ? "\r\033[J" : "\r\033[K");
}

static void say(const char *colour, const char *label, const char *fmt, va_list args)
{
    const char *before = log_has_colours() ? colour : "", *after = *before ? "\033[0m" : "";
    struct buf line = { 0 };
    char *text = NULL;

    if (vasprintf(&text, fmt, args) < 0)
        return;
    pthread_mutex_lock(&lock);
    if (status_line.n)
        add_erasure(&line);
    buf_printf(&line, "%s%s%s", before, label, after);
    log_add_plain(&line, text);
    buf_addc(&line, '\n');
    buf_add(&line, status_line.p, status_line.n);
    put(&line);
    pthread_mutex_unlock(&lock);
    buf_release(&line);
    free(text);
}

void log_info(const char *fmt, ...)
{
    va_list args;

    if (log_is_quiet())
        return;
    va_start(args, fmt);
    say("", "", fmt, args);
    va_end(args);
}

void log_warn(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say("\033[33m", "warning: ", fmt, args);
    va_end(args);
}

void log_error(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say("\033[31m", "error: ", fmt, args);
    va_end(args);
}

static void clear_at_exit(void)
{
    log_status_line("");
}

/* Puts the new lines in place of the old ones. */
static void show_status(const struct buf *text)
{
    static bool armed;
    struct buf out = { 0 };

    pthread_mutex_lock(&lock);
    if (!armed)
        atexit(clear_at_exit);
    armed = true;
    if (status_line.n || text->n) {
        add_erasure(&out);
        buf_clear(&status_line);
        buf_add(&status_line, text->p, text->n);
        buf_add(&out, text->p, text->n);
        put(&out);
    }
    pthread_mutex_unlock(&lock);
    buf_release(&out);
}

void log_status_line(const char *text)
{
    struct buf plain = { 0 };

    if (!log_is_terminal())
        return;
    buf_adds(&plain, "");
    log_add_plain(&plain, text);
    show_status(&plain);
    buf_release(&plain);
}

void log_status_block(const char *text)
{
    struct buf block = { 0 };

    if (!log_is_terminal())
        return;
    buf_adds(&block, text);
    show_status(&block);
    buf_release(&block);
}
