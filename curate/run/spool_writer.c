/* The writing half of curate/run/spool.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "curate/run/chain_phases.h"
#include "curate/run/spool.h"
#include "curate/run/spool_format.h"

#define WRITE_BYTES ((size_t)1 << 20)

struct spool_writer {
    char *path;
    const struct phases *phases;
    bool by_key;
    int fd;
    struct buf pending;              /* not yet written */
    uint64_t written, text_bytes;
    struct spool_entry *entries;
    size_t count, cap;
};

enum status spool_writer_open(const struct spool_writer_args *args, struct spool_writer **out)
{
    int fd = open(args->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    struct spool_writer *w;

    if (fd < 0)
        return fail_errno(ST_IO, "cannot create '%s'", args->path);
    *out = w = mem_alloc(sizeof *w);
    w->path = mem_strdup(args->path);
    w->phases = args->phases;
    w->by_key = args->by_key;
    w->fd = fd;
    return ST_OK;
}

void spool_writer_abort(struct spool_writer *w)
{
    if (w == NULL)
        return;
    close(w->fd);
    buf_release(&w->pending);
    free(w->entries);
    free(w->path);
    free(w);
}

static enum status flush(struct spool_writer *w)
{
    if (w->pending.n > 0)
        TRY(file_put(w->fd, w->path, w->pending.p, w->pending.n));
    w->written += w->pending.n;
    buf_clear(&w->pending);
    return ST_OK;
}

static struct spool_entry *add_entry(struct spool_writer *w)
{
    if (w->count == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 1024;
        w->entries = mem_grow(w->entries, w->cap, sizeof *w->entries);
    }
    return &w->entries[w->count++];
}

static struct spool_record record_of(const struct spool_writer *w, const struct doc *d)
{
    struct spool_record r = {
        .number = d->number, .text_bytes = d->text.n, .language_score = d->language_score,
        .value = d->value, .threshold = d->threshold, .kind = d->kind, .edits = d->edits,
        .ill_formed = d->ill_formed,
    };

    if (d->part)
        r.part = 1 + (uint32_t)phases_part(w->phases, d->part);
    if (d->dropped) {
        r.dropped_by = (uint32_t)d->dropped_by;
        r.dropped = 1 + (uint32_t)phases_reason(w->phases, d->dropped_by, d->dropped);
    }
    return r;
}

enum status spool_writer_add(struct spool_writer *w, const struct doc *d, uint64_t key)
{
    const char *const fields[SPOOL_FIELDS] = {
        [SPOOL_ID] = d->id, [SPOOL_SOURCE] = d->source, [SPOOL_CREATED] = d->created,
        [SPOOL_METADATA] = d->metadata, [SPOOL_TITLE] = d->title, [SPOOL_LANGUAGE] = d->language,
        [SPOOL_SCORES] = d->scores.n ? d->scores.p : NULL,
    };
    struct spool_record r = record_of(w, d);

    for (int i = 0; i < SPOOL_FIELDS; i++) {
        size_t n = fields[i] ? strlen(fields[i]) : 0;

        if (n >= SPOOL_ABSENT)
            return fail(ST_LIMIT, "a document has an id or metadata of %zu bytes, want less than 4 GiB", n);
        r.n[i] = fields[i] ? (uint32_t)n : SPOOL_ABSENT;
    }
    *add_entry(w) = (struct spool_entry){ key, w->written + w->pending.n, d->text.n, d->dropped != NULL };
    w->text_bytes += d->text.n;
    buf_add(&w->pending, &r, sizeof r);
    for (int i = 0; i < SPOOL_FIELDS; i++)
        if (fields[i])
            buf_add(&w->pending, fields[i], (size_t)r.n[i] + 1);
    buf_add(&w->pending, d->text.p, d->text.n);
    buf_addc(&w->pending, 0);
    return w->pending.n >= WRITE_BYTES ? flush(w) : ST_OK;
}

/* ---- order ---- */

static int by_key(const void *va, const void *vb)
{
    const struct spool_entry *a = va, *b = vb;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

/* Puts the sizes of all records beside their places. */
static void tell_sizes(struct spool_writer *w)
{
    for (size_t i = 0; i < w->count; i++) {
        uint64_t end = i + 1 < w->count ? w->entries[i + 1].at : w->written;

        w->entries[i].dropped |= (end - w->entries[i].at) << 1;
    }
}

/* To w->fd, from where nothing stands yet. */
static enum status copy_ordered(struct spool_writer *w, const char *map)
{
    tell_sizes(w);
    qsort(w->entries, w->count, sizeof *w->entries, by_key);
    w->written = 0;
    for (size_t i = 0; i < w->count; i++) {
        struct spool_entry *e = &w->entries[i];
        uint64_t at = w->written + w->pending.n;

        buf_add(&w->pending, map + e->at, e->dropped >> 1);
        e->at = at;
        e->dropped &= 1;
        if (w->pending.n >= WRITE_BYTES)
            TRY(flush(w));
    }
    return flush(w);
}

/* The file anew, its records in the order of their keys. */
static enum status put_in_order(struct spool_writer *w)
{
    size_t n = w->written;
    enum status st;
    char *map;
    int to;

    if (n == 0)
        return ST_OK;
    map = mmap(NULL, n, PROT_READ, MAP_SHARED, w->fd, 0);
    if (map == MAP_FAILED)
        return fail_errno(ST_IO, "cannot map '%s'", w->path);
    if (unlink(w->path) != 0) {
        munmap(map, n);
        return fail_errno(ST_IO, "cannot remove '%s'", w->path);
    }
    to = open(w->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (to < 0) {
        munmap(map, n);
        return fail_errno(ST_IO, "cannot create '%s'", w->path);
    }
    close(w->fd);
    w->fd = to;
    st = copy_ordered(w, map);
    munmap(map, n);
    return st;
}

static enum status finish(struct spool_writer *w)
{
    struct spool_tail tail = { .magic = SPOOL_MAGIC, .count = w->count, .text_bytes = w->text_bytes };

    TRY(flush(w));
    if (w->by_key)
        TRY(put_in_order(w));
    while ((w->written + w->pending.n) % 8 != 0)
        buf_addc(&w->pending, 0);
    TRY(flush(w));
    tail.index_at = w->written;
    if (w->count > 0)
        TRY(file_put(w->fd, w->path, w->entries, w->count * sizeof *w->entries));
    return file_put(w->fd, w->path, &tail, sizeof tail);
}

enum status spool_writer_close(struct spool_writer *w)
{
    enum status st = finish(w);
    int fd = dup(w->fd);

    /* what close() has to say about the bytes */
    if (st == ST_OK && (fd < 0 || close(fd) != 0))
        st = fail_errno(ST_IO, "cannot write '%s'", w->path);
    spool_writer_abort(w);
    return st;
}
