#include "curate/run/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"

#define WRITE_BYTES ((size_t)1 << 20)
#define FIELDS 5

/* A record: this, then the five fields with a NUL each (absent ones have n = NO_FIELD),
 * then the text with a NUL. */
struct record {
    uint64_t number, text_bytes;
    uint32_t kind;
    uint32_t n[FIELDS];
};
#define NO_FIELD UINT32_MAX

struct spool {
    int fd;
    struct buf pending;           /* not yet written */
    uint64_t written;
    uint64_t *at, *bytes;         /* of each document: its record, the size of its text */
    bool *alive;
    size_t count, cap, alive_count;
    uint64_t alive_bytes;
    const char *map;
};

enum status spool_new(const char *folder, struct spool **out)
{
    char path[4096];
    int fd;

    if ((size_t)snprintf(path, sizeof path, "%s/spool.XXXXXX", folder) >= sizeof path)
        return fail(ST_LIMIT, "the path '%s' is too long", folder);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return fail_errno(ST_IO, "cannot create '%s'", path);
    if (unlink(path) != 0) {
        close(fd);
        return fail_errno(ST_IO, "cannot unlink '%s'", path);
    }
    *out = mem_alloc(sizeof **out);
    (*out)->fd = fd;
    return ST_OK;
}

void spool_free(struct spool *s)
{
    if (s == NULL)
        return;
    if (s->map)
        munmap((void *)s->map, s->written);
    close(s->fd);
    buf_release(&s->pending);
    free(s->at);
    free(s->bytes);
    free(s->alive);
    free(s);
}

static enum status flush(struct spool *s)
{
    for (size_t done = 0; done < s->pending.n;) {
        ssize_t n = write(s->fd, s->pending.p + done, s->pending.n - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(ST_IO,
                              "cannot write the temporary file of documents beside the corpus");
        done += (size_t)n;
    }
    s->written += s->pending.n;
    buf_clear(&s->pending);
    return ST_OK;
}

static void grow(struct spool *s)
{
    s->cap = s->cap ? s->cap * 2 : 1024;
    s->at = mem_grow(s->at, s->cap, sizeof *s->at);
    s->bytes = mem_grow(s->bytes, s->cap, sizeof *s->bytes);
    s->alive = mem_grow(s->alive, s->cap, sizeof *s->alive);
}

enum status spool_add(struct spool *s, const struct doc *d)
{
    const char *const fields[FIELDS] = { d->id, d->source, d->created, d->metadata, d->title };
    struct record r = { d->number, d->text.n, d->kind, { 0 } };

    if (s->count == UINT32_MAX - 1)
        return fail(ST_LIMIT, "more than %u documents in one run", UINT32_MAX - 1);
    if (s->count == s->cap)
        grow(s);
    s->at[s->count] = s->written + s->pending.n;
    s->bytes[s->count] = d->text.n;
    s->alive[s->count++] = true;
    s->alive_count++;
    s->alive_bytes += d->text.n;
    for (int i = 0; i < FIELDS; i++) {
        size_t n = fields[i] ? strlen(fields[i]) : 0;

        if (n >= NO_FIELD)
            return fail(ST_LIMIT,
                        "a document has an id or metadata of %zu bytes, want less than 4 GiB", n);
        r.n[i] = fields[i] ? (uint32_t)n : NO_FIELD;
    }
    buf_add(&s->pending, &r, sizeof r);
    for (int i = 0; i < FIELDS; i++)
        if (fields[i])
            buf_add(&s->pending, fields[i], (size_t)r.n[i] + 1);
    buf_add(&s->pending, d->text.p, d->text.n);
    buf_addc(&s->pending, 0);
    return s->pending.n >= WRITE_BYTES ? flush(s) : ST_OK;
}

enum status spool_seal(struct spool *s)
{
    void *map;

    TRY(flush(s));
    buf_release(&s->pending);
    if (s->written == 0)
        return ST_OK;
    map = mmap(NULL, s->written, PROT_READ, MAP_SHARED, s->fd, 0);
    if (map == MAP_FAILED)
        return fail_errno(ST_IO, "cannot map the temporary file of documents");
    s->map = map;
    return ST_OK;
}

size_t spool_count(const struct spool *s) { return s->count; }
bool spool_alive(const struct spool *s, size_t i) { return s->alive[i]; }
size_t spool_alive_count(const struct spool *s) { return s->alive_count; }
uint64_t spool_alive_bytes(const struct spool *s) { return s->alive_bytes; }
uint64_t spool_memory(const struct spool *s) { return s->cap * SPOOL_INDEX_BYTES; }

void spool_kill(struct spool *s, size_t i)
{
    BUG_IF(!s->alive[i]);
    s->alive[i] = false;
    s->alive_count--;
    s->alive_bytes -= s->bytes[i];
}

static struct record record_at(const struct spool *s, size_t i, const char **fields)
{
    struct record r;

    memcpy(&r, s->map + s->at[i], sizeof r);
    *fields = s->map + s->at[i] + sizeof r;
    return r;
}

/* The field at *p, or NULL; *p moves behind it. */
static const char *next_field(const struct record *r, int i, const char **p)
{
    const char *field = *p;

    if (r->n[i] == NO_FIELD)
        return NULL;
    *p += (size_t)r->n[i] + 1;
    return field;
}

const char *spool_id(const struct spool *s, size_t i)
{
    const char *p;
    struct record r = record_at(s, i, &p);

    return next_field(&r, 0, &p);
}

struct span spool_text(const struct spool *s, size_t i)
{
    const char *p;
    struct record r = record_at(s, i, &p);

    for (int f = 0; f < FIELDS; f++)
        next_field(&r, f, &p);
    return (struct span){ p, r.text_bytes };
}

static char *copy_or_null(const char *s) { return s ? mem_strdup(s) : NULL; }

struct doc *spool_doc(const struct spool *s, size_t i)
{
    const char *p;
    struct record r = record_at(s, i, &p);
    struct doc *d = mem_alloc(sizeof *d);

    d->number = r.number;
    d->kind = (enum raw_kind)r.kind;
    d->id = copy_or_null(next_field(&r, 0, &p));
    d->source = copy_or_null(next_field(&r, 1, &p));
    d->created = copy_or_null(next_field(&r, 2, &p));
    d->metadata = copy_or_null(next_field(&r, 3, &p));
    d->title = copy_or_null(next_field(&r, 4, &p));
    buf_add(&d->text, p, r.text_bytes);
    return d;
}
