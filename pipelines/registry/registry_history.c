#include "pipelines/registry/registry_history.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "store/artifact/manifest.h"

#define HISTORY_LIMIT (256ull << 20)
#define ALIAS_LONGEST 64
#define TIME_LIMIT 1e11                  /* the year 5138; localtime() can tell it */

const char *const registry_event_words[] = {
#define X(name, word) word,
    REGISTRY_EVENTS(X)
#undef X
    NULL
};

/* ---- names ---- */

bool registry_is_alias(const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t n = strlen(name);

    return n > 0 && n <= ALIAS_LONGEST && strspn(name, letters) == n && name[0] != '-' &&
           name[0] != '_' && strcmp(name, "versions") != 0 && strcmp(name, "reports") != 0 &&
           strcmp(name, "lock") != 0;
}

bool registry_is_version(const char *name)
{
    return strlen(name) == VERSION_DIGITS && strspn(name, "0123456789abcdef") == VERSION_DIGITS;
}

/* ---- one event ---- */

/* NULL stays NULL; a member of another type is refused. */
static enum status get_optional(const json_t *event, const char *key, const char *what,
                                const char **out)
{
    const json_t *value = json_object_get(event, key);

    *out = NULL;
    return value == NULL || json_is_null(value) ? ST_OK : json_get_str(event, key, what, out);
}

static enum status check_event(const char *what, const struct registry_event *e)
{
    if (!(e->t >= 0 && e->t <= TIME_LIMIT))
        return fail(ST_FORMAT, "%s: 't' is %g, want seconds since 1970", what, e->t);
    if (!registry_is_alias(e->alias))
        return fail(ST_FORMAT, "%s: 'alias' is '%.80s', which is no alias's name", what, e->alias);
    if (!registry_is_version(e->version))
        return fail(ST_FORMAT, "%s: 'version' is '%.80s', want %d lower-case hex digits", what,
                    e->version, VERSION_DIGITS);
    if (!manifest_is_digest(e->digest) || strncmp(e->digest, e->version, VERSION_DIGITS) != 0)
        return fail(ST_FORMAT, "%s: 'digest' is '%.80s', want 64 hex digits that begin with %s",
                    what, e->digest, e->version);
    if (e->before != NULL && !registry_is_version(e->before))
        return fail(ST_FORMAT, "%s: 'before' is '%.80s', want %d lower-case hex digits or null",
                    what, e->before, VERSION_DIGITS);
    if (e->report != NULL && !manifest_is_digest(e->report))
        return fail(ST_FORMAT, "%s: 'report' is '%.80s', want 64 lower-case hex digits or null",
                    what, e->report);
    return ST_OK;
}

static enum status find_kind(const char *what, const char *word, enum registry_event_kind *out)
{
    for (int k = 0; k < EVENT_COUNT; k++)
        if (strcmp(registry_event_words[k], word) == 0) {
            *out = (enum registry_event_kind)k;
            return ST_OK;
        }
    return fail(ST_FORMAT, "%s: 'event' is '%.80s', want promote or rollback", what, word);
}

/* Fills e with texts that belong to the JSON. */
static enum status take_event(const char *what, const json_t *event, struct registry_event *e)
{
    const char *word;

    TRY(json_get_real(event, "t", what, &e->t));
    TRY(json_get_str(event, "event", what, &word));
    TRY(find_kind(what, word, &e->kind));
    TRY(json_get_str(event, "alias", what, &e->alias));
    TRY(json_get_str(event, "version", what, &e->version));
    TRY(json_get_str(event, "digest", what, &e->digest));
    TRY(get_optional(event, "before", what, &e->before));
    TRY(get_optional(event, "report", what, &e->report));
    TRY(get_optional(event, "by", what, &e->by));
    TRY(get_optional(event, "note", what, &e->note));
    return check_event(what, e);
}

static void copy_texts(struct arena *a, struct registry_event *e)
{
    e->alias = arena_strdup(a, e->alias);
    e->version = arena_strdup(a, e->version);
    e->digest = arena_strdup(a, e->digest);
    e->before = e->before != NULL ? arena_strdup(a, e->before) : NULL;
    e->report = e->report != NULL ? arena_strdup(a, e->report) : NULL;
    e->by = arena_strdup(a, e->by != NULL ? e->by : "");
    e->note = arena_strdup(a, e->note != NULL ? e->note : "");
}

json_t *registry_event_json(const struct registry_event *e)
{
    json_t *value = json_pack("{s:f, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s, s:s}", "t", e->t, "event",
                              registry_event_words[e->kind], "alias", e->alias, "version",
                              e->version, "digest", e->digest, "before", e->before, "report",
                              e->report, "by", e->by, "note", e->note);

    BUG_IF(value == NULL);       /* registry.c lets only UTF-8 in */
    return value;
}

/* ---- reading ---- */

static void add_event(struct arena *a, struct registry_history *h, const struct registry_event *e)
{
    if ((h->count & (h->count - 1)) == 0) {      /* full: 0, 1, 2, 4, 8 ... */
        struct registry_event *more = arena_array(a, h->count ? h->count * 2 : 1, sizeof *more);

        if (h->count > 0)
            memcpy(more, h->v, h->count * sizeof *more);
        h->v = more;
    }
    h->v[h->count] = *e;
    copy_texts(a, &h->v[h->count++]);
}

/* A last line that is no JSON is torn: power that failed while it was written. */
static enum status take_line(struct arena *a, struct registry_history *h, const char *what,
                             struct span line, bool last)
{
    json_t *event = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
    struct registry_event e = { 0 };
    enum status st;

    if (event == NULL && last) {
        h->torn = true;
        return ST_OK;
    }
    if (!json_is_object(event))
        st = fail(ST_FORMAT, "%s: not a JSON object; put the line right or take it out", what);
    else
        st = take_event(what, event, &e);
    if (st == ST_OK)
        add_event(a, h, &e);
    json_decref(event);
    return st;
}

enum status registry_history_parse(struct arena *a, const char *what, const char *text, size_t n,
                                   struct registry_history *out)
{
    const char *end = text + n;
    struct buf place = { 0 };
    enum status st = ST_OK;
    size_t number = 1;

    *out = (struct registry_history){ 0 };
    for (const char *p = text; st == ST_OK && p < end; number++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));

        if (stop == NULL) {
            out->torn = true;
            break;
        }
        buf_clear(&place);
        buf_printf(&place, "'%s', line %zu", what, number);
        st = take_line(a, out, place.p, (struct span){ p, (size_t)(stop - p) }, stop + 1 == end);
        if (out->torn)
            break;
        p = stop + 1;
        out->good = (size_t)(p - text);
    }
    buf_release(&place);
    return st;
}

enum status registry_history_read(struct arena *a, const char *path, struct registry_history *out)
{
    struct buf text = { 0 };
    enum status st;

    *out = (struct registry_history){ 0 };
    if (!file_exists(path))
        return ST_OK;
    st = file_read(path, HISTORY_LIMIT, &text);
    if (st == ST_OK)
        st = registry_history_parse(a, path, text.p, text.n, out);
    buf_release(&text);
    return st;
}

/* ---- writing ---- */

static enum status write_line(int fd, const char *path, const char *p, size_t n)
{
    TRY(file_put(fd, path, p, n));
    return fdatasync(fd) == 0 ? ST_OK : fail_errno(ST_IO, "cannot sync '%s'", path);
}

static enum status append_line(const char *path, const struct registry_history *h,
                               const struct buf *line)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    enum status st = ST_OK;

    if (fd < 0)
        return fail_errno(ST_IO, "cannot open '%s'", path);
    if (h->torn && ftruncate(fd, (off_t)h->good) != 0)
        st = fail_errno(ST_IO, "cannot cut the torn end of '%s'", path);
    if (st == ST_OK)
        st = write_line(fd, path, line->p, line->n);
    close(fd);
    return st;
}

enum status registry_history_append(struct arena *a, const char *path, struct registry_history *h,
                                    const struct registry_event *e)
{
    bool is_new = !file_exists(path);
    struct buf line = { 0 };
    json_t *value = registry_event_json(e);
    enum status st;

    json_canonical(&line, value);
    json_decref(value);
    buf_addc(&line, '\n');
    st = append_line(path, h, &line);
    if (st == ST_OK && is_new)
        st = file_sync_folder(
            arena_printf(a, "%.*s.", (int)(path_base(path) - path), path));
    if (st == ST_OK) {
        h->torn = false;
        h->good += line.n;
        add_event(a, h, e);
    }
    buf_release(&line);
    return st;
}

/* ---- questions ---- */

const struct registry_event *registry_history_last(const struct registry_history *h,
                                                   const char *alias)
{
    for (size_t i = h->count; i-- > 0;)
        if (strcmp(h->v[i].alias, alias) == 0)
            return &h->v[i];
    return NULL;
}

const char *registry_history_report(const struct registry_history *h, const char *alias,
                                    const char *version)
{
    for (size_t i = h->count; i-- > 0;)
        if (strcmp(h->v[i].alias, alias) == 0 && strcmp(h->v[i].version, version) == 0)
            return h->v[i].report;
    return NULL;
}

static void push(struct version_stack *s, const char *version)
{
    if (s->count == 0 || strcmp(s->v[s->count - 1], version) != 0)
        s->v[s->count++] = version;
}

/* How many stay when all above the topmost `version` goes; 0: it is not in it. */
static size_t height_of(const struct version_stack *s, const char *version)
{
    size_t n = s->count;

    while (n > 0 && strcmp(s->v[n - 1], version) != 0)
        n--;
    return n;
}

struct version_stack registry_history_stack(struct arena *a, const struct registry_history *h,
                                            const char *alias)
{
    struct version_stack s = { arena_array(a, 2 * h->count + 1, sizeof *s.v), 0 };

    for (size_t i = 0; i < h->count; i++) {
        const struct registry_event *e = &h->v[i];
        size_t height;

        if (strcmp(e->alias, alias) != 0)
            continue;
        if (e->before != NULL)       /* it is on top already, but for a history that lost lines */
            push(&s, e->before);
        height = e->kind == EVENT_ROLLBACK ? height_of(&s, e->version) : 0;
        if (height > 0)
            s.count = height;
        push(&s, e->version);
    }
    return s;
}

const char **registry_history_aliases(struct arena *a, const struct registry_history *h)
{
    const char **names = arena_array(a, h->count + 1, sizeof *names);
    size_t count = 0;

    for (size_t i = 0; i < h->count; i++) {
        size_t k = 0;

        while (k < count && strcmp(names[k], h->v[i].alias) != 0)
            k++;
        if (k == count)
            names[count++] = h->v[i].alias;
    }
    return names;
}
