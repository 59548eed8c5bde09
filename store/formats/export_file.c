#include "store/formats/export_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/file.h"

#define PIECE ((size_t)1 << 20)
#define LEVEL 3

struct export_file {
    int fd; /* -1: closed */
    char *path, *temporary;
    struct buf piece; /* not written yet */
    ZSTD_CCtx *z;     /* NULL: as it is */
    char *packed;
    size_t packed_cap;
};

static void begin_zstd(struct export_file *f)
{
    size_t bad;

    f->packed_cap = ZSTD_CStreamOutSize();
    f->packed = mem_alloc(f->packed_cap);
    f->z = ZSTD_createCCtx();
    BUG_IF(f->z == NULL);
    bad = ZSTD_CCtx_setParameter(f->z, ZSTD_c_compressionLevel, LEVEL);
    BUG_IF(ZSTD_isError(bad));
    bad = ZSTD_CCtx_setParameter(f->z, ZSTD_c_checksumFlag, 1);
    BUG_IF(ZSTD_isError(bad));
}

enum status export_file_prepare(const char *path)
{
    const char *name = path_base(path);
    struct buf folder = { 0 };
    enum status st;

    buf_add(&folder, path, (size_t)(name - path));
    if (folder.n == 0)
        buf_addc(&folder, '.');
    st = file_make_folders(folder.p);
    if (st == ST_OK)
        st = file_clear_leftovers(folder.p);
    buf_release(&folder);
    return st;
}

enum status export_file_open(const char *path, struct export_file **out)
{
    struct export_file *f;
    struct buf temporary = { 0 };

    if (*path_base(path) == 0 || file_is_folder(path))
        return fail(ST_CONFIG, "'%s' is a folder, want the name of a file", path);
    f = mem_alloc(sizeof *f);
    f->path = mem_strdup(path);
    buf_printf(&temporary, "%s.tmp.%ld", path, (long)getpid());
    f->temporary = temporary.p;
    f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (f->fd < 0) {
        enum status st = fail_errno(ST_IO, "cannot create '%s'", f->temporary);

        export_file_abort(f);
        return st;
    }
    if (str_ends_with(path, ".zst"))
        begin_zstd(f);
    *out = f;
    return ST_OK;
}

static enum status compress(struct export_file *f, bool last)
{
    ZSTD_inBuffer in = { f->piece.p ? f->piece.p : "", f->piece.n, 0 };
    size_t left;

    do {
        ZSTD_outBuffer out = { f->packed, f->packed_cap, 0 };

        left = ZSTD_compressStream2(f->z, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return fail(ST_FAILED, "cannot compress '%s': %s", f->path, ZSTD_getErrorName(left));
        TRY(file_put(f->fd, f->temporary, f->packed, out.pos));
    } while (last ? left > 0 : in.pos < in.size);
    return ST_OK;
}

static enum status write_piece(struct export_file *f, bool last)
{
    enum status st = f->z         ? compress(f, last)
                     : f->piece.n ? file_put(f->fd, f->temporary, f->piece.p, f->piece.n)
                                  : ST_OK;

    buf_clear(&f->piece);
    return st;
}

enum status export_file_add(struct export_file *f, const void *p, size_t n)
{
    for (const char *from = p; n > 0;) {
        size_t some = PIECE - f->piece.n < n ? PIECE - f->piece.n : n;

        buf_add(&f->piece, from, some);
        from += some;
        n -= some;
        if (f->piece.n == PIECE)
            TRY(write_piece(f, false));
    }
    return ST_OK;
}

enum status export_file_finish(struct export_file *f)
{
    int fd = f->fd;
    enum status st = write_piece(f, true);

    if (st == ST_OK && fsync(fd) != 0)
        st = fail_errno(ST_IO, "cannot sync '%s'", f->temporary);
    f->fd = -1;
    if (close(fd) != 0 && st == ST_OK)
        st = fail_errno(ST_IO, "cannot write '%s'", f->temporary);
    return st;
}

static void release(struct export_file *f)
{
    ZSTD_freeCCtx(f->z);
    buf_release(&f->piece);
    free(f->packed);
    free(f->temporary);
    free(f->path);
    free(f);
}

enum status export_file_commit(struct export_file *f)
{
    enum status st;

    BUG_IF(f->fd >= 0);
    st = file_rename(f->temporary, f->path);
    if (st != ST_OK)
        export_file_abort(f);
    else
        release(f);
    return st;
}

void export_file_abort(struct export_file *f)
{
    if (f == NULL)
        return;
    if (f->fd >= 0)
        close(f->fd);
    unlink(f->temporary);
    release(f);
}
