#include "pipelines/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

#define JOURNAL_LIMIT (1ull << 30)

struct journal {
    const char *path;
    json_t *stages;          /* stage -> {"start", "end", "done", "attempts", "keys": {key -> done},
                                "verdicts": {digest and gate -> gate}} */
    size_t good;             /* bytes up to the end of the last whole line */
    bool torn;               /* there are more */
    int fd;                  /* -1 until something is appended */
};

/* ---- events ---- */

/* stage[member][key] = event */
static void keep(json_t *stage, const char *member, const char *key, json_t *event)
{
    json_t *map = json_object_get(stage, member);

    if (map == NULL) {
        map = json_object();
        json_object_set_new(stage, member, map);
    }
    json_object_set(map, key, event);
}

static const char *text_of(const json_t *event, const char *member)
{
    const char *text = json_string_value(json_object_get(event, member));

    return text != NULL ? text : "";
}

static const char *verdict_key(struct buf *text, const char *digest, const char *gate)
{
    buf_printf(text, "%s %s", digest, gate);
    return text->p;
}

static void take_verdict(json_t *stage, json_t *event)
{
    struct buf key = { 0 };

    keep(stage, "verdicts", verdict_key(&key, text_of(event, "digest"), text_of(event, "gate")),
         event);
    buf_release(&key);
}

/* Keeps what journal_of() and the others tell. An event that has no stage (of a later version) is passed over. */
static void journal_take(struct journal *j, json_t *event)
{
    const char *what = json_string_value(json_object_get(event, "event"));
    const char *name = json_string_value(json_object_get(event, "stage"));
    json_t *stage;

    if (what == NULL || name == NULL)
        return;
    stage = json_object_get(j->stages, name);
    if (stage == NULL) {
        stage = json_object();
        json_object_set_new(j->stages, name, stage);
    }
    if (strcmp(what, "start") == 0) {
        json_int_t n = json_integer_value(json_object_get(stage, "attempts")) + 1;
        json_int_t said = json_integer_value(json_object_get(event, "attempt"));
        json_object_set(stage, "start", event);
        json_object_del(stage, "end");
        json_object_set_new(stage, "attempts", json_integer(said > n ? said : n));
    } else if (strcmp(what, "done") == 0 || strcmp(what, "failed") == 0
               || strcmp(what, "interrupted") == 0) {
        json_object_set(stage, "end", event);
        if (*what == 'd') {
            json_object_set(stage, "done", event);
            keep(stage, "keys", text_of(event, "key"), event);
        }
    } else if (strcmp(what, "process") == 0) {
        json_t *start = json_object_get(stage, "start");
        json_object_set(start, "pid", json_object_get(event, "pid"));
        json_object_set(start, "ticks", json_object_get(event, "ticks"));
    } else if (strcmp(what, "gate") == 0) {
        take_verdict(stage, event);
    }
}

const json_t *journal_done(const struct journal *j, const char *stage, const char *key)
{
    return json_object_get(json_object_get(json_object_get(j->stages, stage), "keys"), key);
}

const json_t *journal_verdict(const struct journal *j, const char *stage, const char *digest,
                              const char *gate)
{
    struct buf key = { 0 };
    const json_t *verdict =
        json_object_get(json_object_get(json_object_get(j->stages, stage), "verdicts"),
                        verdict_key(&key, digest, gate));

    buf_release(&key);
    return verdict;
}

struct journal_view journal_of(const struct journal *j, const char *stage)
{
    const json_t *s = json_object_get(j->stages, stage);

    return (struct journal_view){ .start = json_object_get(s, "start"),
                                  .end = json_object_get(s, "end"),
                                  .done = json_object_get(s, "done"),
                                  .attempts = json_integer_value(json_object_get(s, "attempts")) };
}

struct process_id journal_process(const json_t *start)
{
    const char *boot = json_string_value(json_object_get(start, "boot"));
    struct process_id id = { 0 };

    if (boot == NULL || json_object_get(start, "pid") == NULL)
        return id;
    id.pid = (pid_t)json_integer_value(json_object_get(start, "pid"));
    id.ticks = (unsigned long long)json_integer_value(json_object_get(start, "ticks"));
    snprintf(id.boot, sizeof id.boot, "%s", boot);
    return id;
}

/* ---- reading ---- */

static enum status take_line(struct journal *j, const char *line, size_t n, size_t number,
                             bool last)
{
    json_t *event = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);

    if (json_is_object(event)) {
        journal_take(j, event);
        json_decref(event);
        return ST_OK;
    }
    json_decref(event);
    j->torn = last;
    if (last)
        return ST_OK;
    return fail(ST_INTEGRITY,
                "'%s', line %zu is not an event; move the file away to go on without history "
                "(finished artifacts are kept)",
                j->path, number);
}

static enum status take_text(struct journal *j, const char *text, size_t n)
{
    const char *end = text + n;
    size_t number = 1;

    for (const char *p = text; p < end; number++) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));
        if (line_end == NULL) {
            j->torn = true;
            break;
        }
        TRY(take_line(j, p, (size_t)(line_end - p), number, line_end + 1 == end));
        if (j->torn)
            break;
        p = line_end + 1;
        j->good = (size_t)(p - text);
    }
    return ST_OK;
}

enum status journal_open(const char *path, struct journal **out)
{
    struct journal *j = mem_alloc(sizeof *j);
    struct buf text = { 0 };
    enum status st = ST_OK;

    j->path = mem_strdup(path);
    j->stages = json_object();
    j->fd = -1;
    if (file_exists(path))
        st = file_read(path, JOURNAL_LIMIT, &text);
    if (st == ST_OK && text.n > 0)
        st = take_text(j, text.p, text.n);
    buf_release(&text);
    if (st == ST_OK)
        *out = j;
    else
        journal_close(j);
    return st;
}

void journal_close(struct journal *j)
{
    if (j == NULL)
        return;
    if (j->fd >= 0)
        close(j->fd);
    json_decref(j->stages);
    free((void *)(uintptr_t)j->path);
    free(j);
}

/* ---- writing ---- */

static enum status open_to_append(struct journal *j)
{
    bool is_new = !file_exists(j->path);

    j->fd = open(j->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (j->fd < 0)
        return fail_errno(ST_IO, "cannot open '%s'", j->path);
    if (is_new) {
        struct arena a;
        enum status st;
        arena_init(&a);
        st = file_sync_folder(
            arena_printf(&a, "%.*s.", (int)(path_base(j->path) - j->path), j->path));
        arena_release(&a);
        TRY(st);
    }
    if (j->torn && ftruncate(j->fd, (off_t)j->good) != 0)
        return fail_errno(ST_IO, "cannot cut the torn end of '%s'", j->path);
    j->torn = false;
    return ST_OK;
}

static enum status write_line(struct journal *j, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(j->fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail_errno(ST_IO, "cannot write '%s'", j->path);
        p += done;
        n -= (size_t)done;
    }
    return ST_OK;
}

enum status journal_sync(struct journal *j)
{
    if (j->fd >= 0 && fdatasync(j->fd) != 0)
        return fail_errno(ST_IO, "cannot sync '%s'", j->path);
    return ST_OK;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)(t.tv_nsec / 1000000) / 1000;
}

enum status journal_append(struct journal *j, json_t *event)
{
    struct buf line = { 0 };
    enum status st = ST_OK;

    json_object_set_new(event, "t", json_real(now()));
    journal_take(j, event);
    json_canonical(&line, event);
    json_decref(event);
    buf_addc(&line, '\n');
    if (j->fd < 0)
        st = open_to_append(j);
    if (st == ST_OK)
        st = write_line(j, line.p, line.n);
    buf_release(&line);
    return st;
}

/* ---- compaction ---- */

static void add_event(struct buf *out, const json_t *event)
{
    if (event == NULL)
        return;
    json_canonical(out, event);
    buf_addc(out, '\n');
}

static double time_of(const json_t *event) { return json_number_value(json_object_get(event, "t")); }

static void add_events(struct buf *out, const json_t *map)
{
    const char *key;
    json_t *event;

    json_object_foreach((json_t *)(uintptr_t)map, key, event)
        add_event(out, event);
}

/* A stage's events, so that reading them gives the same answers: its attempts are counted by
 * starts, or told by the last one's number. */
static void add_stage(struct buf *out, const json_t *stage)
{
    const json_t *start = json_object_get(stage, "start"), *end = json_object_get(stage, "end");
    const json_t *done = json_object_get(stage, "done");

    add_events(out, json_object_get(stage, "keys"));
    add_events(out, json_object_get(stage, "verdicts"));
    if (done != NULL && (start == NULL || time_of(done) <= time_of(start)))
        add_event(out, done);
    add_event(out, start);
    add_event(out, end);
    if (done != NULL && start != NULL && time_of(done) > time_of(start) && done != end)
        add_event(out, done);
}

enum status journal_compact(struct journal *j)
{
    struct buf text = { 0 };
    enum status st = ST_OK;
    const char *name;
    json_t *stage;

    if (j->good < JOURNAL_COMPACT_BYTES)
        return ST_OK;
    json_object_foreach(j->stages, name, stage)
        add_stage(&text, stage);
    if (text.n < j->good / 2) {
        st = file_write_atomic(j->path, text.p, text.n);
        if (j->fd >= 0)
            close(j->fd);
        j->fd = -1;
        j->good = text.n;
        j->torn = false;
    }
    buf_release(&text);
    return st;
}
