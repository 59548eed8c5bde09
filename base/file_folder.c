/* Temporary names, and folders that appear whole. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/file_part.h"

#define MARK ".tmp."
#define ASIDE ".old"   /* between the name and MARK: see replace_in_two_steps() */

static size_t without_slashes(const char *path)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    return n;
}

void file_temporary_name(struct buf *text, const char *path)
{
    buf_clear(text);
    buf_add(text, path, without_slashes(path));
    buf_printf(text, MARK "%ld", (long)getpid());
}

void file_parent_name(struct buf *text, const char *path)
{
    size_t n = without_slashes(path);

    while (n > 0 && path[n - 1] != '/')
        n--;
    while (n > 1 && path[n - 1] == '/')
        n--;
    buf_clear(text);
    if (n == 0)
        buf_adds(text, ".");
    else
        buf_add(text, path, n);
}

/* The last ".tmp." of a name that does not begin with it, or NULL. */
static const char *last_mark(const char *name)
{
    const char *last = NULL;

    for (const char *p = name; (p = strstr(p, MARK)) != NULL; p++)
        last = p;
    return last != name ? last : NULL;
}

/* A zombie writes nothing any more, however long its parent leaves it there. */
static bool is_gone(pid_t pid)
{
    char path[64], text[512], state = 'X';
    const char *name_end;
    ssize_t n;
    int fd;

    if (kill(pid, 0) != 0)
        return errno == ESRCH;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    name_end = strrchr(text, ')');
    return name_end != NULL && sscanf(name_end + 1, " %c", &state) == 1 &&
           (state == 'Z' || state == 'X');
}

/* Is name "<base>.tmp.<pid>" (or with ".old"; base NULL: any) of a process that is gone, or of this
 * one: then of an earlier process that had our number, as happens in a container? */
static bool is_leftover(const char *name, const char *base, size_t base_len)
{
    const char *digits = base != NULL ? name + base_len : last_mark(name);
    char *end;
    long pid;

    if (digits == NULL || (base != NULL && strncmp(name, base, base_len) != 0))
        return false;
    if (base != NULL && strncmp(digits, ASIDE, strlen(ASIDE)) == 0)
        digits += strlen(ASIDE);
    if (strncmp(digits, MARK, strlen(MARK)) != 0)
        return false;
    digits += strlen(MARK);
    if (*digits < '1' || *digits > '9')
        return false;
    errno = 0;
    pid = strtol(digits, &end, 10);
    if (*end || errno || pid != (pid_t)pid)
        return false;
    return pid == (long)getpid() || is_gone((pid_t)pid);
}

bool file_is_leftover(const char *name) { return is_leftover(name, NULL, 0); }

static enum status remove_leftovers_in(DIR *d, const char *parent, const char *base,
                                       size_t base_len)
{
    struct buf path = { 0 };
    enum status st = ST_OK;
    struct dirent *e;

    while (st == ST_OK && (e = readdir(d)) != NULL) {
        if (!is_leftover(e->d_name, base, base_len))
            continue;
        buf_clear(&path);
        buf_printf(&path, "%s/%s", parent, e->d_name);
        st = file_remove_tree(path.p);
    }
    buf_release(&path);
    return st;
}

enum status file_clear_leftovers(const char *folder)
{
    DIR *d = opendir(folder);
    enum status st;

    if (d == NULL)
        return fail_errno(file_status_of_errno(), "cannot open the folder '%s'", folder);
    st = remove_leftovers_in(d, folder, NULL, 0);
    closedir(d);
    return st;
}

enum status file_remove_leftovers(const char *path)
{
    struct buf parent = { 0 };
    size_t n = without_slashes(path), start = n;
    enum status st = ST_OK;
    DIR *d;

    if (file_care_is_deferred())
        return ST_OK;
    while (start > 0 && path[start - 1] != '/')
        start--;
    file_parent_name(&parent, path);
    d = opendir(parent.p);
    if (d) {
        st = remove_leftovers_in(d, parent.p, path + start, n - start);
        closedir(d);
    } else {
        st = fail_errno(file_status_of_errno(), "cannot open the folder '%s'", parent.p);
    }
    buf_release(&parent);
    return st;
}

/* A folder can be swapped only under a name of its own, and for a folder. */
static enum status check_final(const char *path)
{
    struct stat s;
    size_t n = without_slashes(path), start = n;

    while (start > 0 && path[start - 1] != '/')
        start--;
    if (n == start || strcmp(path + start, ".") == 0 || strcmp(path + start, "..") == 0)
        return fail(ST_CONFIG, "'%s' cannot be written whole, want a folder's own name", path);
    if (lstat(path, &s) == 0 && !S_ISDIR(s.st_mode))
        return fail(ST_CONFIG, "'%s' exists and is not a folder", path);
    return ST_OK;
}

enum status folder_begin(struct arena *a, const char *final_path, const char **folder_tmp)
{
    struct buf name = { 0 };
    enum status st;

    TRY(check_final(final_path));
    file_parent_name(&name, final_path);
    st = file_make_folders(name.p);
    if (st == ST_OK)
        st = file_remove_leftovers(final_path);
    if (st == ST_OK) {
        file_temporary_name(&name, final_path);
        if (mkdir(name.p, 0777) != 0)
            st = fail_errno(ST_IO, "cannot create the folder '%s'", name.p);
        else
            *folder_tmp = arena_strdup(a, name.p);
    }
    buf_release(&name);
    return st;
}

/* A file system without exchange (NFS): the old folder steps aside for a moment, under a temporary
 * name of ours; a reader may find neither in between, never a half. */
static enum status replace_in_two_steps(const char *folder_tmp, const char *final_path)
{
    struct buf aside = { 0 };
    enum status st;

    buf_add(&aside, final_path, without_slashes(final_path));
    buf_printf(&aside, ASIDE MARK "%ld", (long)getpid());
    st = file_rename(final_path, aside.p);
    if (st == ST_OK)
        st = file_rename(folder_tmp, final_path);
    if (st == ST_OK)
        st = file_remove_tree(aside.p);
    buf_release(&aside);
    return st;
}

static enum status replace(const char *folder_tmp, const char *final_path)
{
    if (renameat2(AT_FDCWD, folder_tmp, AT_FDCWD, final_path, RENAME_EXCHANGE) != 0) {
        if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)
            return replace_in_two_steps(folder_tmp, final_path);
        return fail_errno(ST_IO, "cannot exchange '%s' and '%s'", folder_tmp, final_path);
    }
    TRY(file_sync_parent(final_path));
    return file_remove_tree(folder_tmp);   /* now the old one */
}

enum status folder_commit(const char *folder_tmp, const char *final_path)
{
    struct stat s;

    TRY(check_final(final_path));
    TRY(file_sync_tree(folder_tmp));
    if (lstat(final_path, &s) == 0)
        return replace(folder_tmp, final_path);
    return file_rename(folder_tmp, final_path);
}

void folder_abort(const char *folder_tmp)
{
    enum status st = file_remove_tree(folder_tmp);

    (void)st;   /* what is left is a leftover, which the next writer removes */
}
