#include "pipelines/history/log_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define CHUNK 65536

/* Twice the bytes at most: each carriage return may become a line feed of its own. */
static size_t to_lines(struct log_copy *c, const char *in, size_t n, char *out)
{
    size_t m = 0;

    for (size_t i = 0; i < n; i++) {
        if (c->returned && in[i] != '\n' && in[i] != '\r' && c->in_line) {
            out[m++] = '\n';
            c->in_line = false;
        }
        c->returned = in[i] == '\r';
        if (c->returned)
            continue;
        out[m++] = in[i];
        c->in_line = in[i] != '\n';
    }
    return m;
}

static enum status write_out(struct log_copy *c, const char *p, size_t n)
{
    if (n == 0 || (fwrite(p, 1, n, stdout) == n && fflush(stdout) == 0))
        return ST_OK;
    if (errno != EPIPE)
        return fail_errno(ST_IO, "cannot write to stdout");
    c->reader_gone = true;
    return ST_OK;
}

static enum status copy(struct log_copy *c, int fd)
{
    static _Thread_local char in[CHUNK], out[2 * CHUNK];

    while (!c->reader_gone) {
        ssize_t n = pread(fd, in, sizeof in, c->at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(ST_IO, "cannot read '%s'", c->path);
        if (n == 0)
            return ST_OK;
        c->at += n;
        TRY(write_out(c, out, to_lines(c, in, (size_t)n, out)));
    }
    return ST_OK;
}

/* Is it what was copied so far, only longer? */
static enum status look(struct log_copy *c, int fd)
{
    struct stat s;

    if (fstat(fd, &s) != 0)
        return fail_errno(ST_IO, "cannot look at '%s'", c->path);
    if (!S_ISREG(s.st_mode))
        return fail(ST_FORMAT, "'%s' is not a regular file", c->path);
    if (c->at > 0 && (s.st_size < c->at || s.st_ino != c->inode || s.st_dev != c->device)) {
        TRY(log_copy_end(c));
        log_info("'%s' was %s; from its begin:", c->path,
                 s.st_ino != c->inode ? "replaced" : "cut");
        c->at = 0;
    }
    c->inode = s.st_ino;
    c->device = s.st_dev;
    return ST_OK;
}

enum status log_copy_more(struct log_copy *c)
{
    int fd = open(c->path, O_RDONLY | O_CLOEXEC);
    enum status st;

    if (fd < 0)
        return errno == ENOENT ? ST_OK : fail_errno(ST_IO, "cannot open '%s'", c->path);
    st = look(c, fd);
    if (st == ST_OK)
        st = copy(c, fd);
    close(fd);
    return st;
}

enum status log_copy_end(struct log_copy *c)
{
    bool open_line = c->in_line;

    c->in_line = c->returned = false;
    return open_line ? write_out(c, "\n", 1) : ST_OK;
}
