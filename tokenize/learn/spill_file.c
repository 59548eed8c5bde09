#include "tokenize/learn/spill_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"

enum status spill_file_open(const char *folder, int *fd)
{
    struct arena a = { 0 };
    char *name;

    *fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (*fd >= 0)
        return ST_OK;
    name = path_join(&a, folder, "spill-XXXXXX");
    *fd = mkostemp(name, O_CLOEXEC);
    if (*fd >= 0)
        (void)unlink(name);
    arena_release(&a);
    if (*fd < 0)
        return fail_errno(ST_IO, "cannot make a temporary file in '%s'", folder);
    return ST_OK;
}

enum status spill_file_write(int fd, uint64_t at, const void *p, size_t n)
{
    const char *from = p;

    while (n > 0) {
        ssize_t done = pwrite(fd, from, n, (off_t)at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return fail_errno(ST_IO,
                              "cannot write %zu bytes to the temporary file beside the output (make "
                              "room there, or allow more memory)",
                              n);
        from += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return ST_OK;
}

enum status spill_file_read(int fd, uint64_t at, void *p, size_t n)
{
    char *to = p;

    while (n > 0) {
        ssize_t done = pread(fd, to, n, (off_t)at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done == 0)
            return fail(ST_IO, "the temporary file of training is %zu bytes too short", n);
        if (done < 0)
            return fail_errno(ST_IO, "cannot read the temporary file of training");
        to += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return ST_OK;
}

uint64_t resident_bytes(void)
{
    unsigned long long size, pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f == NULL)
        return 0;
    if (fscanf(f, "%llu %llu", &size, &pages) != 2)
        pages = 0;
    fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
