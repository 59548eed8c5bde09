#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file_part.h"
#include "base/platform.h"

static bool care_is_deferred;

void file_defer_care(bool defer)
{
    care_is_deferred = defer;
}

bool file_care_is_deferred(void)
{
    return care_is_deferred;
}

bool file_fsync(int fd)
{
    return care_is_deferred || fsync(fd) == 0 || errno == EINVAL;
}

enum status file_status_of_errno(void)
{
    return errno == ENOENT || errno == ENOTDIR ? ST_MISSING : ST_IO;
}

bool file_exists(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0;
}

bool file_is_folder(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

enum status file_size(const char *path, uint64_t *out)
{
    struct stat s;

    if (stat(path, &s) != 0)
        return fail_errno(file_status_of_errno(), "cannot find '%s'", path);
    if (!S_ISREG(s.st_mode))
        return fail(ST_IO, "'%s' is not a regular file", path);
    *out = (uint64_t)s.st_size;
    return ST_OK;
}

static enum status open_to_read(const char *path, int *fd)
{
    struct stat s;

    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return fail_errno(file_status_of_errno(), "cannot open '%s'", path);
    if (fstat(*fd, &s) == 0 && S_ISDIR(s.st_mode)) {
        close(*fd);
        return fail(ST_IO, "'%s' is a folder, want a file", path);
    }
    return ST_OK;
}

/* Reads up to limit + 1 bytes: the one too many tells a larger file. Pipes are fine. */
static enum status read_all(int fd, const char *path, uint64_t limit, struct buf *out)
{
    struct stat s;

    if (fstat(fd, &s) == 0 && s.st_size > 0 && (uint64_t)s.st_size <= limit)
        buf_reserve(out, (size_t)s.st_size + 1);
    for (;;) {
        uint64_t most = limit - out->n;
        size_t room;
        ssize_t n;

        if (out->cap - 1 == out->n)
            buf_reserve(out, 65536);
        room = out->cap - 1 - out->n;
        n = read(fd, out->p + out->n, room > most ? (size_t)most + 1 : room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(ST_IO, "cannot read '%s'", path);
        if (n == 0)
            return ST_OK;
        out->n += (size_t)n;
        out->p[out->n] = 0;
        if (out->n > limit)
            return fail(ST_LIMIT, "'%s' is larger than the limit of %llu bytes", path,
                        (unsigned long long)limit);
    }
}

enum status file_read(const char *path, uint64_t limit, struct buf *out)
{
    enum status st;
    int fd;

    buf_clear(out);
    buf_reserve(out, 0);
    TRY(open_to_read(path, &fd));
    st = read_all(fd, path, limit, out);
    close(fd);
    return st;
}

enum status file_put(int fd, const char *path, const void *p, size_t n)
{
    for (const char *from = p; n > 0;) {
        ssize_t done = write(fd, from, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail_errno(ST_IO, "cannot write '%s'", path);
        from += done;
        n -= (size_t)done;
    }
    return ST_OK;
}

static enum status write_and_sync(int fd, const char *path, const char *p, size_t n)
{
    TRY(file_put(fd, path, p, n));
    return file_fsync(fd) ? ST_OK : fail_errno(ST_IO, "cannot sync '%s'", path);
}

enum status file_write_new(const char *path, const void *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    enum status st;

    if (fd < 0)
        return fail_errno(file_status_of_errno(), "cannot create '%s'", path);
    st = write_and_sync(fd, path, p, n);
    if (close(fd) != 0 && st == ST_OK)
        st = fail_errno(ST_IO, "cannot close '%s'", path);
    return st;
}

enum status file_write_atomic(const char *path, const void *p, size_t n)
{
    struct buf temporary = { 0 };
    enum status st = file_remove_leftovers(path);

    file_temporary_name(&temporary, path);
    if (st == ST_OK) {
        st = file_write_new(temporary.p, p, n);
        if (st == ST_OK)
            st = file_rename(temporary.p, path);
        if (st != ST_OK)
            (void)unlink(temporary.p);
    }
    buf_release(&temporary);
    return st;
}

/* Makes one folder and syncs the folder that holds it. */
static enum status make_folder(const char *path)
{
    if (file_is_folder(path))
        return ST_OK;
    if (mkdir(path, 0777) == 0)
        return file_sync_parent(path);
    if (errno == EEXIST && file_is_folder(path))   /* another process was faster */
        return ST_OK;
    return fail_errno(file_status_of_errno(), "cannot create the folder '%s'", path);
}

enum status file_make_folders(const char *path)
{
    struct buf part = { 0 };
    enum status st = ST_OK;

    if (!*path)
        return fail(ST_MISSING, "a folder's name is empty");
    for (const char *p = path; st == ST_OK && *p;) {
        size_t n = strspn(p, "/") + strcspn(p + strspn(p, "/"), "/");

        buf_add(&part, p, n);
        p += n;
        if (part.p[part.n - 1] != '/')
            st = make_folder(part.p);
    }
    buf_release(&part);
    return st;
}

enum status file_rename(const char *from, const char *to)
{
    if (rename(from, to) != 0)
        return fail_errno(file_status_of_errno(), "cannot rename '%s' to '%s'", from, to);
    return file_sync_parent(to);
}

enum status file_sync_folder(const char *path)
{
    enum status st = ST_OK;
    int fd;

    if (care_is_deferred)
        return ST_OK;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(file_status_of_errno(), "cannot open the folder '%s'", path);
    if (!file_fsync(fd))
        st = fail_errno(ST_IO, "cannot sync the folder '%s'", path);
    close(fd);
    return st;
}

enum status file_sync_parent(const char *path)
{
    struct buf parent = { 0 };
    enum status st;

    file_parent_name(&parent, path);
    st = file_sync_folder(parent.p);
    buf_release(&parent);
    return st;
}

static enum status map(struct file_map *m, int fd, const char *path)
{
    struct stat s;
    void *p;

    if (fstat(fd, &s) != 0)
        return fail_errno(ST_IO, "cannot look at '%s'", path);
    if (!S_ISREG(s.st_mode))
        return fail(ST_IO, "'%s' is not a regular file and cannot be mapped", path);
    if (s.st_size == 0)
        return ST_OK;
    p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return fail_errno(ST_IO, "cannot map '%s'", path);
    *m = (struct file_map){ p, (size_t)s.st_size };
    return ST_OK;
}

enum status file_map_open(struct file_map *m, const char *path)
{
    enum status st;
    int fd;

    *m = (struct file_map){ "", 0 };
    TRY(open_to_read(path, &fd));
    st = map(m, fd, path);
    close(fd);
    return st;
}

void file_map_close(struct file_map *m)
{
    if (m->n)
        munmap((void *)(uintptr_t)m->p, m->n);
    *m = (struct file_map){ "", 0 };
}

/* The holder writes who it is into the file, for this message alone: the lock is the kernel's. */
static enum status say_holder(int fd, const char *path)
{
    if (ftruncate(fd, 0) != 0
        || dprintf(fd, "%ld %lld %.200s\n", (long)getpid(), (long long)time(NULL), host_name()) < 0)
        return fail_errno(ST_IO, "cannot write '%s'", path);
    return ST_OK;
}

static enum status held(int fd, const char *path)
{
    char text[256] = "", host[201] = "", when[32];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    long long since = 0;
    long pid = 0;
    time_t t;
    struct tm local;

    text[n > 0 ? n : 0] = 0;
    if (sscanf(text, "%ld %lld %200s", &pid, &since, host) < 1 || pid <= 0)
        return fail(ST_HELD, "'%s' is held by another process", path);
    t = (time_t)since;
    if (*host == 0 || localtime_r(&t, &local) == NULL
        || strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &local) == 0)
        return fail(ST_HELD, "'%s' is held by process %ld", path, pid);
    return fail(ST_HELD, "'%s' is held by process %ld on %s, since %s", path, pid, host, when);
}

/* Whoever looks (file_lock_is_held) has a free lock for an instant: one refusal proves nothing. */
static bool lock_now(int fd)
{
    const struct timespec nap = { 0, 20000000 };

    for (int round = 0; round < 3; round++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        nanosleep(&nap, NULL);
    }
    errno = EWOULDBLOCK;
    return false;
}

static enum status lock_fd(int fd, const char *path)
{
    if (lock_now(fd))
        return say_holder(fd, path);
    if (errno == EWOULDBLOCK)
        return held(fd, path);
    return fail_errno(ST_IO, "cannot lock '%s'", path);
}

enum status file_lock_take(struct file_lock *l, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    enum status st;

    *l = (struct file_lock){ .fd = -1 };
    if (fd < 0)
        return fail_errno(file_status_of_errno(), "cannot open the lock '%s'", path);
    st = lock_fd(fd, path);
    if (st == ST_OK)
        l->fd = fd;
    else
        close(fd);
    return st;
}

/* Between open and flock the file may have been removed by one that held the exclusive lock; another
 * may have its name since: *same is false. */
static enum status flock_fd(int fd, const char *path, int how, bool *same)
{
    struct stat locked, named;

    if (flock(fd, how | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? held(fd, path) : fail_errno(ST_IO, "cannot lock '%s'", path);
    *same = fstat(fd, &locked) == 0 && stat(path, &named) == 0 && locked.st_dev == named.st_dev &&
            locked.st_ino == named.st_ino;
    return ST_OK;
}

/* A file that is replaced all the time gets an end here, too. */
static enum status lock_content(struct file_lock *l, const char *path, int how)
{
    *l = (struct file_lock){ .fd = -1 };
    for (int i = 0; i < 10; i++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        bool same = false;
        enum status st;

        if (fd < 0)
            return fail_errno(file_status_of_errno(), "cannot open '%s'", path);
        st = flock_fd(fd, path, how, &same);
        if (st == ST_OK && same) {
            l->fd = fd;
            return ST_OK;
        }
        close(fd);
        TRY(st);
    }
    return fail(ST_HELD, "'%s' is replaced again and again", path);
}

enum status file_lock_share(struct file_lock *l, const char *path)
{
    return lock_content(l, path, LOCK_SH);
}

enum status file_lock_hold(struct file_lock *l, const char *path)
{
    return lock_content(l, path, LOCK_EX);
}

void file_lock_drop(struct file_lock *l)
{
    if (l->fd < 0)
        return;
    /* a shared one's file is somebody's content, and open for reading alone */
    if ((fcntl(l->fd, F_GETFL) & O_ACCMODE) != O_RDONLY && ftruncate(l->fd, 0) != 0)
        errno = 0;   /* a stale pid is only read while someone holds the lock */
    close(l->fd);
    l->fd = -1;
}

bool file_lock_is_held(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;

    if (fd >= 0)
        close(fd);
    return held;
}

char *path_join(struct arena *a, const char *dir, const char *name)
{
    size_t n = strlen(dir);

    return arena_printf(a, "%s%s%s", dir, n == 0 || dir[n - 1] == '/' ? "" : "/", name);
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

enum status file_copy(const char *from, const char *to)
{
    struct buf bytes = { 0 };
    enum status st = file_read(from, (uint64_t)4 << 30, &bytes);

    if (st == ST_OK)
        st = file_write_atomic(to, bytes.p == NULL ? "" : bytes.p, bytes.n);
    buf_release(&bytes);
    return st;
}
