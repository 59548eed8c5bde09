/* The writing half of store/documents/documents.h. A shard is one zstd frame with a content checksum. Lines
 * are gathered into pieces of a fixed size before they are compressed, so that the bytes depend on
 * the documents alone. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <zstd.h>

#include "store/documents/documents.h"

#define PIECE ((size_t)1 << 20)
#define LEVEL 3
#define SHARDS_MAX 100000           /* names have five digits, and their order is the documents' */

struct document_writer {
    char *folder;
    uint64_t shard_bytes;
    unsigned shards;                /* begun so far */
    int fd;                         /* of the shard being written; -1: none */
    char name[32];
    uint64_t shard_lines;           /* bytes of lines in it */
    struct buf lines;               /* not yet compressed */
    ZSTD_CCtx *z;
    char *packed;
    size_t packed_cap;
};

enum status document_writer_open(const char *folder, uint64_t shard_bytes,
                                 struct document_writer **out)
{
    struct document_writer *w = mem_alloc(sizeof *w);
    size_t bad;

    w->folder = mem_strdup(folder);
    w->shard_bytes = shard_bytes;
    w->fd = -1;
    w->packed_cap = ZSTD_CStreamOutSize();
    w->packed = mem_alloc(w->packed_cap);
    w->z = ZSTD_createCCtx();
    BUG_IF(w->z == NULL);
    bad = ZSTD_CCtx_setParameter(w->z, ZSTD_c_compressionLevel, LEVEL);
    BUG_IF(ZSTD_isError(bad));
    bad = ZSTD_CCtx_setParameter(w->z, ZSTD_c_checksumFlag, 1);
    BUG_IF(ZSTD_isError(bad));
    *out = w;
    return ST_OK;
}

static enum status write_all(const struct document_writer *w, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(w->fd, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail_errno(ST_IO, "cannot write '%s/%s'", w->folder, w->name);
        p += done;
        n -= (size_t)done;
    }
    return ST_OK;
}

static enum status compress(struct document_writer *w, const char *p, size_t n, bool last)
{
    ZSTD_inBuffer in = { p, n, 0 };
    size_t left;

    do {
        ZSTD_outBuffer out = { w->packed, w->packed_cap, 0 };

        left = ZSTD_compressStream2(w->z, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return fail(ST_FAILED, "cannot compress '%s/%s': %s", w->folder, w->name,
                        ZSTD_getErrorName(left));
        TRY(write_all(w, w->packed, out.pos));
    } while (last ? left > 0 : in.pos < in.size);
    return ST_OK;
}

static enum status begin_shard(struct document_writer *w)
{
    char path[4096];

    if (w->shards == SHARDS_MAX)
        return fail(ST_LIMIT,
                    "'%s' would get more than %d shards (want a larger shard size than %llu bytes)",
                    w->folder, SHARDS_MAX, (unsigned long long)w->shard_bytes);
    snprintf(w->name, sizeof w->name, "part-%05u.jsonl.zst", w->shards);
    if ((size_t)snprintf(path, sizeof path, "%s/%s", w->folder, w->name) >= sizeof path)
        return fail(ST_LIMIT, "the path '%s/%s' is too long", w->folder, w->name);
    w->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (w->fd < 0)
        return fail_errno(ST_IO, "cannot create '%s'", path);
    ZSTD_CCtx_reset(w->z, ZSTD_reset_session_only);
    w->shards++;
    w->shard_lines = 0;
    return ST_OK;
}

static enum status close_shard(struct document_writer *w)
{
    int fd = w->fd;
    enum status st = compress(w, w->lines.p ? w->lines.p : "", w->lines.n, true);

    buf_clear(&w->lines);
    w->fd = -1;
    if (close(fd) != 0 && st == ST_OK)
        st = fail_errno(ST_IO, "cannot write '%s/%s'", w->folder, w->name);
    return st;
}

/* Compresses all whole pieces. */
static enum status drain(struct document_writer *w)
{
    size_t done = 0;

    for (; w->lines.n - done >= PIECE; done += PIECE)
        TRY(compress(w, w->lines.p + done, PIECE, false));
    if (done > 0) {
        w->lines.n -= done;
        memmove(w->lines.p, w->lines.p + done, w->lines.n);
    }
    return ST_OK;
}

enum status document_writer_add(struct document_writer *w, const struct document *d)
{
    size_t before;

    if (w->fd < 0)
        TRY(begin_shard(w));
    before = w->lines.n;
    document_print(&w->lines, d);
    w->shard_lines += w->lines.n - before;
    TRY(drain(w));
    return w->shard_lines > w->shard_bytes ? close_shard(w) : ST_OK;
}

uint64_t document_writer_grown(const struct document_writer *w) { return w->fd < 0 ? 0 : w->shard_lines; }

void document_writer_abort(struct document_writer *w)
{
    if (w == NULL)
        return;
    if (w->fd >= 0)
        close(w->fd);
    ZSTD_freeCCtx(w->z);
    buf_release(&w->lines);
    free(w->packed);
    free(w->folder);
    free(w);
}

enum status document_writer_close(struct document_writer *w)
{
    enum status st = ST_OK;

    if (w->shards == 0)
        st = begin_shard(w);        /* a corpus without documents has one empty shard */
    if (st == ST_OK && w->fd >= 0)
        st = close_shard(w);
    document_writer_abort(w);
    return st;
}
