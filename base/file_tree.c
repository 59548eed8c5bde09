/* Walks over a folder and all below it: listing, syncing, removing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/file_part.h"

/* What to do at each name; links are never followed. Each may be NULL. */
struct visitor {
    /* A name in the folder dir that is not a folder itself; path is the same
     * from the walk's root. */
    enum status (*entry)(struct visitor *v, int dir, const char *name, const char *path,
                         const struct stat *info);
    /* A folder, after all in it; fd is open on it. */
    enum status (*folder)(struct visitor *v, int fd, const char *path);
    /* The same, closed again; dir is the folder that holds it. */
    enum status (*closed)(struct visitor *v, int dir, const char *name, const char *path);
    const char *root;               /* for messages */
    size_t seen;                    /* entries and folders met */
    file_visit_fn *visit;           /* visit_entry()'s */
    void *ctx;
};

static enum status walk_folder(struct visitor *v, int fd, struct buf *path);

static enum status walk_name(struct visitor *v, int dir, const char *name, struct buf *path)
{
    struct stat s;
    enum status st;
    int fd;

    v->seen++;
    if (fstatat(dir, name, &s, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? ST_OK   /* gone meanwhile */
                               : fail_errno(ST_IO, "cannot look at '%s/%s'", v->root, path->p);
    if (!S_ISDIR(s.st_mode))
        return v->entry ? v->entry(v, dir, name, path->p, &s) : ST_OK;
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(ST_IO, "cannot open the folder '%s/%s'", v->root, path->p);
    st = walk_folder(v, fd, path);
    if (st == ST_OK && v->closed)
        st = v->closed(v, dir, name, path->p);
    return st;
}

static enum status walk_entries(struct visitor *v, DIR *d, struct buf *path)
{
    size_t n = path->n;

    for (;;) {
        struct dirent *e;
        enum status st;

        errno = 0;
        e = readdir(d);
        if (!e)
            return errno == 0 ? ST_OK : fail_errno(ST_IO, "cannot read the folder '%s/%s'", v->root,
                                                   path->p);
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (n)
            buf_addc(path, '/');
        buf_adds(path, e->d_name);
        st = walk_name(v, dirfd(d), e->d_name, path);
        path->n = n;
        path->p[n] = 0;
        TRY(st);
    }
}

/* Takes fd over. */
static enum status walk_folder(struct visitor *v, int fd, struct buf *path)
{
    DIR *d = fdopendir(fd);
    enum status st;

    if (!d) {
        st = fail_errno(ST_IO, "cannot read the folder '%s/%s'", v->root, path->p);
        close(fd);
        return st;
    }
    st = walk_entries(v, d, path);
    if (st == ST_OK && v->folder)
        st = v->folder(v, dirfd(d), path->p);
    closedir(d);
    return st;
}

/* Walks what is in the folder root, which may itself be reached over a link. */
static enum status walk(struct visitor *v, const char *root)
{
    struct buf path = { 0 };
    enum status st;
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return fail_errno(file_status_of_errno(), "cannot open the folder '%s'", root);
    v->root = root;
    buf_adds(&path, "");
    st = walk_folder(v, fd, &path);
    buf_release(&path);
    return st;
}

static enum status visit_entry(struct visitor *v, int dir, const char *name, const char *path,
                               const struct stat *info)
{
    (void)dir, (void)name;
    return S_ISREG(info->st_mode) ? v->visit(v->ctx, path, info) : ST_OK;
}

enum status file_visit_tree(const char *path, file_visit_fn *visit, void *ctx)
{
    struct visitor v = { .entry = visit_entry, .visit = visit, .ctx = ctx };
    struct stat s;

    if (stat(path, &s) != 0)
        return fail_errno(file_status_of_errno(), "cannot find '%s'", path);
    return S_ISREG(s.st_mode) ? visit(ctx, "", &s) : walk(&v, path);
}

static enum status plain_entry(struct visitor *v, int dir, const char *name, const char *path,
                               const struct stat *info)
{
    (void)dir, (void)name;
    if (S_ISREG(info->st_mode))
        return ST_OK;
    return fail(ST_FORMAT, "'%s/%s' is a %s, want files and folders alone", v->root, path,
                S_ISLNK(info->st_mode) ? "link" : "special file");
}

enum status file_check_plain(const char *folder)
{
    struct visitor v = { .entry = plain_entry };

    return walk(&v, folder);
}

struct listing {
    struct arena *arena;
    struct file_list list;
    size_t cap;
};

static enum status list_name(void *ctx, const char *name, const struct stat *info)
{
    struct listing *l = ctx;

    (void)info;
    if (l->list.count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->list.names = mem_grow(l->list.names, l->cap, sizeof *l->list.names);
    }
    l->list.names[l->list.count++] = arena_strdup(l->arena, name);
    return ST_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum status file_list_tree(struct arena *a, const char *path, struct file_list *out)
{
    struct listing l = { .arena = a };
    enum status st = file_visit_tree(path, list_name, &l);

    *out = (struct file_list){ 0 };
    if (st == ST_OK) {
        out->count = l.list.count;
        out->names = arena_array(a, out->count, sizeof *out->names);
        if (out->count) {
            memcpy(out->names, l.list.names, out->count * sizeof *out->names);
            qsort(out->names, out->count, sizeof *out->names, by_bytes);
        }
    }
    free(l.list.names);
    return st;
}

static enum status sync_entry(struct visitor *v, int dir, const char *name,
                              const char *path, const struct stat *info)
{
    enum status st = ST_OK;
    int fd;

    if (!S_ISREG(info->st_mode))
        return ST_OK;
    fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(ST_IO, "cannot open '%s/%s'", v->root, path);
    if (!file_fsync(fd))
        st = fail_errno(ST_IO, "cannot sync '%s/%s'", v->root, path);
    close(fd);
    return st;
}

static enum status sync_folder(struct visitor *v, int fd, const char *path)
{
    if (!file_fsync(fd))
        return fail_errno(ST_IO, "cannot sync the folder '%s/%s'", v->root, path);
    return ST_OK;
}

enum status file_sync_tree(const char *path)
{
    struct visitor v = { .entry = sync_entry, .folder = sync_folder };

    return file_care_is_deferred() ? ST_OK : walk(&v, path);
}

static enum status remove_name(struct visitor *v, int dir, const char *name, const char *path,
                               int flags)
{
    if (unlinkat(dir, name, flags) == 0 || errno == ENOENT)
        return ST_OK;
    /* Some file systems skip names while a folder shrinks: the next round meets them. */
    if (flags == AT_REMOVEDIR && (errno == ENOTEMPTY || errno == EEXIST))
        return ST_OK;
    return fail_errno(ST_IO, "cannot remove '%s/%s'", v->root, path);
}

static enum status remove_entry(struct visitor *v, int dir, const char *name,
                                const char *path, const struct stat *info)
{
    (void)info;
    return remove_name(v, dir, name, path, 0);
}

static enum status remove_closed(struct visitor *v, int dir, const char *name, const char *path)
{
    return remove_name(v, dir, name, path, AT_REMOVEDIR);
}

enum status file_remove_tree(const char *path)
{
    struct visitor v = { .entry = remove_entry, .closed = remove_closed };
    struct stat s;

    if (lstat(path, &s) != 0)
        return errno == ENOENT ? ST_OK : fail_errno(ST_IO, "cannot look at '%s'", path);
    if (!S_ISDIR(s.st_mode))
        return unlink(path) == 0 || errno == ENOENT ? ST_OK
                                                    : fail_errno(ST_IO, "cannot remove '%s'", path);
    for (int round = 0; round < 100; round++) {
        v.seen = 0;
        TRY(walk(&v, path));
        if (rmdir(path) == 0 || errno == ENOENT)
            return ST_OK;
        if (errno != ENOTEMPTY && errno != EEXIST)
            break;
    }
    return fail_errno(ST_IO, "cannot remove the folder '%s'", path);
}
