#include "base/status.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>


#define MESSAGE_MAX 4000   /* bytes of a message; the rest is cut */

static const struct {
    const char *name;   /* as in the list, in capitals */
    int exit_code;
} statuses[ST_COUNT] = {
#define X(name, code, text) { #name, code },
    STATUS_LIST(X)
#undef X
};

static _Thread_local char message[MESSAGE_MAX + 1];

static char names[ST_COUNT][16];   /* in lower case */
static pthread_once_t names_once = PTHREAD_ONCE_INIT;

static void make_names(void)
{
    for (size_t st = 0; st < ST_COUNT; st++)
        for (size_t i = 0; i + 1 < sizeof names[0] && statuses[st].name[i]; i++)
            names[st][i] = (char)(statuses[st].name[i] | 0x20);
}

const char *status_name(enum status st)
{
    BUG_IF((unsigned)st >= ST_COUNT);
    pthread_once(&names_once, make_names);
    return names[st];
}

int status_exit_code(enum status st)
{
    BUG_IF((unsigned)st >= ST_COUNT);
    return statuses[st].exit_code;
}

/* Keeps the first MESSAGE_MAX bytes of text, and no broken character at the cut. */
static void keep(const char *text, size_t n)
{
    if (n > MESSAGE_MAX) {
        n = MESSAGE_MAX;
        while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
            n--;
    }
    memcpy(message, text, n);
    message[n] = 0;
}

/* The words may quote fail_message(), so they are put together apart from it:
 * words + tail, in a buffer that holds one byte more than is kept, to see the cut. */
static void compose(const char *fmt, va_list args, const char *sep, const char *tail)
{
    char text[2 * MESSAGE_MAX + 64];
    int n = vsnprintf(text, MESSAGE_MAX + 2, fmt, args);
    size_t used = n < 0 ? 0 : (size_t)n;

    if (used > MESSAGE_MAX + 1)
        used = MESSAGE_MAX + 1;
    n = snprintf(text + used, sizeof text - used, "%s%s", sep, tail);
    used += n < 0 ? 0 : (size_t)n;
    keep(text, used < sizeof text ? used : sizeof text - 1);
}

enum status fail(enum status st, const char *fmt, ...)
{
    va_list args;

    BUG_IF(st == ST_OK);
    va_start(args, fmt);
    compose(fmt, args, "", "");
    va_end(args);
    return st;
}

enum status fail_errno(enum status st, const char *fmt, ...)
{
    char text[256];
    const char *why = strerror_r(errno, text, sizeof text);
    va_list args;

    BUG_IF(st == ST_OK);
    va_start(args, fmt);
    compose(fmt, args, ": ", why);
    va_end(args);
    return st;
}

enum status fail_within(enum status st, const char *fmt, ...)
{
    va_list args;

    BUG_IF(st == ST_OK);
    va_start(args, fmt);
    compose(fmt, args, "", message);
    va_end(args);
    return st;
}

const char *fail_message(void)
{
    return message;
}

void failure_save(struct failure *f, enum status st)
{
    f->st = st;
    memcpy(f->text, message, strlen(message) + 1);
}

enum status failure_restore(const struct failure *f)
{
    keep(f->text, strnlen(f->text, sizeof f->text - 1));
    return f->st;
}

_Noreturn void bug_here(const char *file, int line, const char *what)
{
    fprintf(stderr, "tundish: fault in the program at %s:%d: %s\n", file, line, what);
    fflush(stderr);
    abort();
}
