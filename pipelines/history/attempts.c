#include "pipelines/history/attempts.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

#define CHUNK 65536
#define LINE_LIMIT (16u << 20)      /* of the journal; its lines are short */
#define LOG_ENDING ".log"

/* ---- what is known ---- */

static void know_stage(struct attempts *t, const char *name)
{
    for (size_t i = 0; i < t->stages.count; i++)
        if (strcmp(t->stages.v[i], name) == 0)
            return;
    words_add(&t->stages, arena_strdup(t->arena, name));
}

static struct logged_attempt *add_attempt(struct attempts *t)
{
    if (t->count == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 16;
        struct logged_attempt *wider = arena_array(t->arena, cap, sizeof *wider);
        if (t->count > 0)
            memcpy(wider, t->v, t->count * sizeof *wider);
        t->v = wider;
        t->cap = cap;
    }
    t->v[t->count] = (struct logged_attempt){ .seconds = -1 };
    return &t->v[t->count++];
}

/* ---- the journal ---- */

/* The attempt of that log, if it is known: from a journal that was since written anew, or because
 * the runner makes the log, then writes the event. */
static struct logged_attempt *known(struct attempts *t, const char *log, double begun)
{
    for (size_t i = 0; i < t->count; i++)
        if ((t->v[i].begun == 0 || t->v[i].begun == begun) && strcmp(t->v[i].log, log) == 0)
            return &t->v[i];
    return NULL;
}

static void take_start(struct attempts *t, const json_t *event)
{
    const char *log = json_string_value(json_object_get(event, "log"));
    double begun = json_number_value(json_object_get(event, "t"));
    struct logged_attempt *one;

    if (log == NULL || path_base(log) != log)
        return;
    one = known(t, log, begun);
    if (one == NULL)
        one = add_attempt(t);
    t->newest = (size_t)(one - t->v) + 1;
    one->number = json_integer_value(json_object_get(event, "attempt"));
    one->log = arena_strdup(t->arena, log);
    one->begun = begun;
}

static void take_end(struct attempts *t, const json_t *event, const char *what)
{
    const json_t *seconds = json_object_get(event, "seconds");
    struct logged_attempt *one = t->newest > 0 ? &t->v[t->newest - 1] : NULL;

    if (one == NULL || one->end != NULL)      /* an artifact that was found finished */
        return;
    one->end = what;
    one->seconds = json_is_number(seconds) ? json_number_value(seconds) : -1;
    one->code = (int)json_integer_value(json_object_get(event, "code"));
    one->signal = (int)json_integer_value(json_object_get(event, "signal"));
}

static void take_event(struct attempts *t, const json_t *event)
{
    static const char *const ends[] = { "done", "failed", "interrupted", NULL };
    const char *what = json_string_value(json_object_get(event, "event"));
    const char *stage = json_string_value(json_object_get(event, "stage"));

    if (what == NULL || stage == NULL)
        return;
    know_stage(t, stage);
    if (strcmp(stage, t->stage) != 0)
        return;
    if (strcmp(what, "start") == 0)
        take_start(t, event);
    for (int i = 0; ends[i] != NULL; i++)
        if (strcmp(what, ends[i]) == 0)
            take_end(t, event, ends[i]);
}

/* A line that is no event is passed over: `run` tells of it, and here the others still help. */
static void take_line(struct attempts *t, const char *line, size_t n)
{
    json_t *event = json_loadb(line, n, 0, NULL);

    take_event(t, event);
    json_decref(event);
}

/* Takes the whole lines at the buffer's front; the rest stays. */
static void take_lines(struct attempts *t, struct buf *text)
{
    size_t from = 0;

    for (;;) {
        const char *end = text->n > from ? memchr(text->p + from, '\n', text->n - from) : NULL;
        if (end == NULL)
            break;
        take_line(t, text->p + from, (size_t)(end - text->p) - from);
        t->read += (off_t)(end + 1 - text->p - (ptrdiff_t)from);
        from = (size_t)(end + 1 - text->p);
    }
    if (from > 0)
        memmove(text->p, text->p + from, text->n - from);
    text->n -= from;
}

static enum status read_journal(struct attempts *t, int fd)
{
    struct buf text = { 0 };
    enum status st = ST_OK;
    off_t at = t->read;

    for (;;) {
        ssize_t n;
        buf_reserve(&text, CHUNK);
        n = pread(fd, text.p + text.n, CHUNK, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            st = fail_errno(ST_IO, "cannot read '%s'", t->work->journal);
        if (n <= 0)
            break;
        at += n;
        text.n += (size_t)n;
        take_lines(t, &text);
        if (text.n > LINE_LIMIT) {
            st = fail(ST_FORMAT, "'%s' has a line longer than %u bytes", t->work->journal,
                      LINE_LIMIT);
            break;
        }
    }
    buf_release(&text);
    return st;
}

enum status attempts_update(struct attempts *t)
{
    int fd = open(t->work->journal, O_RDONLY | O_CLOEXEC);
    enum status st;
    struct stat s;

    if (fd < 0)
        return errno == ENOENT ? ST_OK
                               : fail_errno(ST_IO, "cannot open '%s'", t->work->journal);
    if (fstat(fd, &s) == 0 && s.st_ino != t->inode) {
        t->inode = s.st_ino;
        t->read = 0;
        t->newest = 0;
    }
    st = read_journal(t, fd);
    close(fd);
    return st;
}

/* ---- names in logs/ ---- */

/* The number of "<stage>-<n>.log", 0 if it is no such name; *length: of the stage. */
static long long number_in(const char *name, size_t *length)
{
    size_t n = strlen(name), digits;

    if (!str_ends_with(name, LOG_ENDING))
        return 0;
    n -= strlen(LOG_ENDING);
    digits = n;
    while (digits > 0 && isdigit((unsigned char)name[digits - 1]))
        digits--;
    if (digits == n || n - digits > 15 || digits < 2 || name[digits - 1] != '-')
        return 0;
    *length = digits - 1;
    return strtoll(name + digits, NULL, 10);
}

static int by_number(const void *x, const void *y)
{
    const struct logged_attempt *a = x, *b = y;

    return a->number < b->number ? -1 : a->number > b->number;
}

static void take_name(struct attempts *t, const char *name, bool want_attempts)
{
    size_t length;
    long long number = number_in(name, &length);
    struct logged_attempt *one;

    if (number == 0)
        return;
    if (want_attempts && strlen(t->stage) == length && memcmp(t->stage, name, length) == 0) {
        one = add_attempt(t);
        one->number = number;
        one->log = arena_strdup(t->arena, name);
    }
    know_stage(t, arena_strndup(t->arena, name, length));
}

static enum status read_names(struct attempts *t)
{
    bool want_attempts = t->count == 0;
    DIR *d = opendir(t->work->logs);
    struct dirent *e;

    if (d == NULL)
        return errno == ENOENT ? ST_OK : fail_errno(ST_IO, "cannot open '%s'", t->work->logs);
    while ((e = readdir(d)) != NULL)
        take_name(t, e->d_name, want_attempts);
    closedir(d);
    if (want_attempts && t->count > 0)
        qsort(t->v, t->count, sizeof *t->v, by_number);
    return ST_OK;
}

enum status attempts_read(struct attempts *t)
{
    t->stages = (struct words){ .arena = t->arena, .v = arena_array(t->arena, 1, sizeof(char *)) };
    TRY(attempts_update(t));
    return read_names(t);
}

char *attempts_log(const struct attempts *t, const struct logged_attempt *one)
{
    return path_join(t->arena, t->work->logs, one->log);
}
