#include "pipelines/run/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "pipelines/plan/name_index.h"

#define JOURNAL_LIMIT (1ull << 30)

#define NAME_ROOM 1024           /* of a stage: plan.h's limits allow 914 bytes */

/* An event: its line, and its value once somebody has asked for it. Most are never asked for, and
 * parsing is nearly all that reading a journal costs. */
struct line {
    const char *text;        /* NULL: there is none */
    size_t n;
    json_t *value;
};

/* What is kept of a stage: places in `lines`, 0 for none. */
struct stage_events {
    size_t start, process, end, done;
    size_t revoked;          /* the start that made the key of `done` anew */
    long long attempts;
};

struct journal {
    struct arena arena;
    const char *path;
    struct buf text;         /* the file as it was read: lines point into it */
    struct line *lines;      /* [0] is none */
    size_t count, cap;
    struct name_index names; /* of stages */
    struct stage_events *stages;
    size_t stage_cap;
    struct name_index facts; /* "stage key" of done events, "stage digest gate" of verdicts */
    size_t *fact_lines;
    size_t fact_cap;
    size_t good;             /* bytes up to the end of the last whole line */
    bool torn;               /* there are more */
    int fd;                  /* -1 until something is appended */
};

/* ---- lines ---- */

static json_t *value_of(const struct journal *j, size_t at)
{
    struct line *l = &j->lines[at];

    if (at == 0)
        return NULL;
    if (l->value == NULL) {
        l->value = json_loadb(l->text, l->n, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(l->value)) {
            log_warn("an event in '%s' is damaged and passed over: %.60s", j->path, l->text);
            json_decref(l->value);
            l->value = json_object();
        }
    }
    return l->value;
}

static size_t add_line(struct journal *j, const char *text, size_t n)
{
    if (j->count == j->cap) {
        j->cap = 2 * j->cap;
        j->lines = mem_grow(j->lines, j->cap, sizeof *j->lines);
    }
    j->lines[j->count] = (struct line){ text, n, NULL };
    return j->count++;
}

/* The text of a member in a line as we write them: no blanks, and quotes inside texts escaped, so
 * that `"stage":"` can stand nowhere but in front of that member's text. NULL if it is not there or
 * has an escape. */
static const char *member_of(const char *line, size_t n, const char *name,
                             size_t *length)
{
    char want[32];
    int m = snprintf(want, sizeof want, "\"%s\":\"", name);
    const char *at = memmem(line, n, want, (size_t)m), *end;

    if (at == NULL)
        return NULL;
    at += m;
    end = memchr(at, '"', n - (size_t)(at - line));
    if (end == NULL || memchr(at, '\\', (size_t)(end - at)) != NULL)
        return NULL;
    *length = (size_t)(end - at);
    return at;
}

static long long attempt_of(const char *line, size_t n)
{
    static const char want[] = "\"attempt\":";
    const char *at = memmem(line, n, want, sizeof want - 1);

    return at != NULL ? strtoll(at + sizeof want - 1, NULL, 10) : 0;
}

/* ---- events ---- */

static struct stage_events *stage_of(struct journal *j, const char *name, size_t n)
{
    char room[NAME_ROOM];
    size_t i;

    if (n >= sizeof room)
        return NULL;             /* no name of ours is so long */
    memcpy(room, name, n);
    room[n] = 0;
    i = name_index_find(&j->names, room);
    if (i == NAME_NONE) {
        i = name_index_add(&j->names, arena_strndup(&j->arena, name, n));
        if (i == j->stage_cap) {
            j->stage_cap = j->stage_cap ? 2 * j->stage_cap : 16;
            j->stages = mem_grow(j->stages, j->stage_cap, sizeof *j->stages);
        }
        j->stages[i] = (struct stage_events){ 0 };
    }
    return &j->stages[i];
}

static size_t *fact_of(struct journal *j, const char *name)
{
    size_t i = name_index_find(&j->facts, name);

    if (i == NAME_NONE) {
        i = name_index_add(&j->facts, arena_strdup(&j->arena, name));
        if (i == j->fact_cap) {
            j->fact_cap = j->fact_cap ? 2 * j->fact_cap : 16;
            j->fact_lines = mem_grow(j->fact_lines, j->fact_cap, sizeof *j->fact_lines);
        }
        j->fact_lines[i] = 0;
    }
    return &j->fact_lines[i];
}

static void keep_fact(struct journal *j, size_t at, const char *stage, const char *one,
                      const char *two)
{
    struct buf name = { 0 };

    buf_printf(&name, "%s %s %s", stage, one, two);
    *fact_of(j, name.p) = at;
    buf_release(&name);
}

static size_t find_fact(const struct journal *j, const char *stage, const char *one, const char *two)
{
    struct buf name = { 0 };
    size_t i;

    buf_printf(&name, "%s %s %s", stage, one, two);
    i = name_index_find(&j->facts, name.p);
    buf_release(&name);
    return i == NAME_NONE ? 0 : j->fact_lines[i];
}

/* The done event of the key in this line's own event, from now on; 0: there is none any more. What
 * it was. */
static size_t set_done(struct journal *j, size_t line, size_t at, const char *stage, size_t stage_n)
{
    struct line *l = &j->lines[line];
    size_t n = 0;
    const char *key = member_of(l->text, l->n, "key", &n);
    char name[NAME_ROOM], digits[80];
    size_t before;

    if (key == NULL || n >= sizeof digits || stage_n >= sizeof name)
        return 0;
    memcpy(digits, key, n);
    digits[n] = 0;
    memcpy(name, stage, stage_n);
    name[stage_n] = 0;
    before = find_fact(j, name, digits, "");
    if (at != before)
        keep_fact(j, at, name, digits, "");
    return before;
}

static bool is(const char *word, size_t n, const char *want)
{
    return strlen(want) == n && memcmp(word, want, n) == 0;
}

/* Keeps what journal_of() and the others tell. False: it is no event as we write them. */
static bool take(struct journal *j, const char *text, size_t n)
{
    size_t what_n = 0, stage_n = 0, at, last;
    const char *what = member_of(text, n, "event", &what_n);
    const char *name = member_of(text, n, "stage", &stage_n);
    struct stage_events *s;

    if (n < 2 || text[0] != '{' || text[n - 1] != '}' || what == NULL || name == NULL
        || member_of(what, n - (size_t)(what - text), "event", &last) != NULL)      /* two lines */
        return false;
    s = stage_of(j, name, stage_n);
    if (s == NULL)
        return false;
    at = add_line(j, text, n);
    if (is(what, what_n, "start")) {
        long long said = attempt_of(text, n);
        s->start = at;
        s->process = s->end = 0;
        last = set_done(j, at, 0, name, stage_n);      /* it is made again: the old one is gone */
        s->revoked = last != 0 && last == s->done ? at : s->revoked;
        s->attempts = said > s->attempts + 1 ? said : s->attempts + 1;
    } else if (is(what, what_n, "process")) {
        s->process = at;
    } else if (is(what, what_n, "done")) {
        s->done = s->end = at;
        s->revoked = 0;
        (void)set_done(j, at, at, name, stage_n);
    } else if (is(what, what_n, "failed") || is(what, what_n, "interrupted")) {
        s->end = at;
    } else if (is(what, what_n, "gate")) {
        const json_t *event = value_of(j, at);
        keep_fact(j, at, json_text(event, "stage"), json_text(event, "digest"), json_text(event, "gate"));
    }
    return true;
}

/* ---- questions ---- */

/* The start's value, with the process that was told behind it. */
static json_t *start_of(const struct journal *j, const struct stage_events *s)
{
    json_t *start = value_of(j, s->start);

    if (start != NULL && s->process != 0 && json_object_get(start, "pid") == NULL) {
        const json_t *process = value_of(j, s->process);
        json_object_set(start, "pid", json_object_get(process, "pid"));
        json_object_set(start, "ticks", json_object_get(process, "ticks"));
    }
    return start;
}

static const struct stage_events *find_stage(const struct journal *j, const char *name)
{
    size_t i = name_index_find(&j->names, name);

    return i == NAME_NONE ? NULL : &j->stages[i];
}

struct journal_view journal_of(const struct journal *j, const char *stage)
{
    const struct stage_events *s = find_stage(j, stage);

    if (s == NULL)
        return (struct journal_view){ 0 };
    return (struct journal_view){ .start = start_of(j, s), .end = value_of(j, s->end),
                                  .done = value_of(j, s->done), .attempts = s->attempts };
}

const char *const *journal_stages(const struct journal *j)
{
    static const char *const none[] = { NULL };

    return j->names.count > 0 ? j->names.names : none;
}

long long journal_attempts(const struct journal *j, const char *stage)
{
    const struct stage_events *s = find_stage(j, stage);

    return s != NULL ? s->attempts : 0;
}

bool journal_is_open(const struct journal *j, const char *stage)
{
    const struct stage_events *s = find_stage(j, stage);

    return s != NULL && s->start != 0 && s->end == 0;
}

bool journal_ends_with(const struct journal *j, const char *stage, const char *key)
{
    const struct stage_events *s = find_stage(j, stage);

    return s != NULL && s->done != 0 && s->end == s->done
           && find_fact(j, stage, key, "") == s->done;
}

bool journal_has_done(const struct journal *j, const char *stage, const char *key)
{
    return find_fact(j, stage, key, "") != 0;
}

const json_t *journal_done(const struct journal *j, const char *stage, const char *key)
{
    return value_of(j, find_fact(j, stage, key, ""));
}

const json_t *journal_verdict(const struct journal *j, const char *stage, const char *digest,
                              const char *gate)
{
    return value_of(j, find_fact(j, stage, digest, gate));
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

/* The last line is looked at closely: it may be torn. */
static enum status take_line(struct journal *j, const char *line, size_t n, size_t number,
                             bool last)
{
    json_t *event;
    bool good;

    if (!last && take(j, line, n))
        return ST_OK;
    event = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
    good = json_is_object(event);
    json_decref(event);
    if (good && last)
        (void)take(j, line, n);      /* else of a later version: passed over */
    if (good)
        return ST_OK;
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
    enum status st = ST_OK;

    arena_init(&j->arena);
    j->path = arena_strdup(&j->arena, path);
    j->names.arena = j->facts.arena = &j->arena;
    j->count = 1;
    j->cap = 64;
    j->lines = mem_array(j->cap, sizeof *j->lines);
    j->fd = -1;
    if (file_exists(path))
        st = file_read(path, JOURNAL_LIMIT, &j->text);
    if (st == ST_OK && j->text.n > 0)
        st = take_text(j, j->text.p, j->text.n);
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
    for (size_t i = 0; i < j->count; i++)
        json_decref(j->lines[i].value);
    free(j->lines);
    free(j->stages);
    free(j->fact_lines);
    buf_release(&j->text);
    arena_release(&j->arena);
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

/* Whole or not at all: what comes next must not stand behind half a line. */
static enum status put_line(struct journal *j, const struct buf *line)
{
    off_t before = lseek(j->fd, 0, SEEK_END);
    struct failure failure;
    enum status st = file_put(j->fd, j->path, line->p, line->n);

    if (st == ST_OK)
        return ST_OK;
    failure_save(&failure, st);
    if (before < 0 || ftruncate(j->fd, before) != 0) {
        close(j->fd);            /* a later append finds the torn end, and cuts it off */
        j->fd = -1;
        j->torn = true;
        j->good = before < 0 ? j->good : (size_t)before;
    }
    return failure_restore(&failure);
}

enum status journal_append(struct journal *j, json_t *event)
{
    struct buf line = { 0 };
    enum status st = ST_OK;

    json_object_set_new(event, "t", json_real(now()));
    json_canonical(&line, event);
    json_decref(event);
    BUG_IF(!take(j, arena_strndup(&j->arena, line.p, line.n), line.n));
    buf_addc(&line, '\n');
    if (j->fd < 0)
        st = open_to_append(j);
    if (st == ST_OK)
        st = put_line(j, &line);
    buf_release(&line);
    return st;
}

/* ---- compaction ---- */

static int by_number(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;

    return (x > y) - (x < y);
}

/* All lines that a question above could ask for, in their order. An attempt's number stands in its
 * start, so attempts are still counted right. */
static void add_needed(const struct journal *j, struct buf *out)
{
    size_t *needed = mem_array(5 * j->names.count + j->facts.count + 1, sizeof *needed), n = 0;

    for (size_t i = 0; i < j->names.count; i++) {
        const struct stage_events *s = &j->stages[i];
        needed[n++] = s->start;
        needed[n++] = s->process;
        needed[n++] = s->end;
        needed[n++] = s->done;
        needed[n++] = s->revoked;
    }
    for (size_t i = 0; i < j->facts.count; i++)
        needed[n++] = j->fact_lines[i];
    qsort(needed, n, sizeof *needed, by_number);
    for (size_t i = 0; i < n; i++) {
        if (needed[i] == 0 || (i > 0 && needed[i] == needed[i - 1]))
            continue;
        buf_add(out, j->lines[needed[i]].text, j->lines[needed[i]].n);
        buf_addc(out, '\n');
    }
    free(needed);
}

enum status journal_compact(struct journal *j)
{
    struct buf text = { 0 };
    enum status st = ST_OK;

    if (j->good < JOURNAL_COMPACT_BYTES)
        return ST_OK;
    add_needed(j, &text);
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
