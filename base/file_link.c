/* file_link_or_copy() of base/file.h. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/stop.h"

#define CHUNK (1u << 20)

static enum status copy_bytes(int in, const char *from, int out, const char *to)
{
    char *chunk = mem_alloc(CHUNK);
    enum status st = ST_OK;

    while (st == ST_OK) {
        ssize_t n = read(in, chunk, CHUNK);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            st = fail_errno(ST_IO, "cannot read '%s'", from);
        else if (n == 0)
            break;
        else if (stop_requested())
            st = fail(ST_INTERRUPTED, "stopped while copying '%s'", from);
        else
            st = file_put(out, to, chunk, (size_t)n);
    }
    free(chunk);
    return st;
}

static enum status copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out;
    enum status st;

    if (in < 0)
        return fail_errno(ST_IO, "cannot open '%s'", from);
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (out < 0) {
        close(in);
        return fail_errno(ST_IO, "cannot create '%s'", to);
    }
    st = copy_bytes(in, from, out, to);
    close(in);
    if (close(out) != 0 && st == ST_OK)
        st = fail_errno(ST_IO, "cannot close '%s'", to);
    return st;
}

/* A link can be refused for many reasons (another file system, a file of someone else's, a file
 * system without links); a copy then tells the true one, if it fails too. */
enum status file_link_or_copy(const char *from, const char *to, bool *copied)
{
    *copied = linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) != 0;
    return *copied ? copy_file(from, to) : ST_OK;
}
