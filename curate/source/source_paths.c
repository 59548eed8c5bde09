/* Walking a source's folders, in the order of their paths' bytes, from one path up to another. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "curate/source/source_part.h"

/* One folder on the way: what is in it and within the bounds, sorted. Nothing is looked at before its turn but what
 * kind it is, and a folder is gone from memory when the walk leaves it. */
struct walk_folder {
    struct walk_folder *above;
    size_t path;                     /* bytes of the path up to the name's beginning */
    struct buf names;                /* of each its kind (a letter below), the name, a NUL */
    char **v;                        /* into names, sorted */
    size_t count, next;
};
enum { KIND_FOLDER = 'd', KIND_FILE = 'f', KIND_SPECIAL = 's', KIND_GONE = 'x' };

struct path_walk {
    struct buf path;
    struct walk_folder *folder;      /* the deepest; NULL: not begun, or the end */
    const char *from, *to;           /* owned; NULL: no bound */
    bool begun;
};

/* ---- one folder ---- */

/* Whole paths in the order of their bytes: a folder's name counts with its '/'. */
static int by_bytes(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    unsigned char x_end = *x == KIND_FOLDER ? '/' : 0, y_end = *y == KIND_FOLDER ? '/' : 0;
    unsigned char cx, cy;

    for (x++, y++; *x != 0 && *x == *y;)
        x++, y++;
    cx = *x ? (unsigned char)*x : x_end;
    cy = *y ? (unsigned char)*y : y_end;
    return cx < cy ? -1 : cx > cy;
}

static char kind_of_mode(mode_t mode)
{
    return S_ISDIR(mode) ? KIND_FOLDER : S_ISREG(mode) ? KIND_FILE : KIND_SPECIAL;
}

static char kind_of(DIR *dir, const struct dirent *e)
{
    struct stat st;

    if (e->d_type == DT_DIR)
        return KIND_FOLDER;
    if (e->d_type == DT_REG)
        return KIND_FILE;
    if (e->d_type != DT_UNKNOWN)
        return KIND_SPECIAL;
    if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return KIND_GONE;
    return kind_of_mode(st.st_mode);
}

/* Is anything at or below the walk's path, if it is of that kind, within the bounds? */
static bool is_within(struct path_walk *w, char kind)
{
    const char *path = w->path.p;
    size_t n = w->path.n;
    bool within;

    if (kind == KIND_FOLDER)
        buf_addc(&w->path, '/');
    path = w->path.p;
    within = (w->from == NULL || strcmp(path, w->from) >= 0 ||
              (kind == KIND_FOLDER && strncmp(path, w->from, w->path.n) == 0)) &&
             (w->to == NULL || strcmp(path, w->to) < 0);
    w->path.n = n;
    w->path.p[n] = 0;
    return within;
}

static void add_name(struct path_walk *w, struct walk_folder *f, char kind, const char *name)
{
    buf_adds(&w->path, name);
    if (is_within(w, kind)) {
        buf_addc(&f->names, kind);
        buf_add(&f->names, name, strlen(name) + 1);
        f->count++;
    }
    w->path.n = f->path;
    w->path.p[f->path] = 0;
}

static bool read_names(struct path_walk *w, struct walk_folder *f, DIR *dir)
{
    for (;;) {
        struct dirent *e;

        errno = 0;
        e = readdir(dir);
        if (e == NULL)
            return errno == 0;
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            add_name(w, f, kind_of(dir, e), e->d_name);
    }
}

static void leave_folder(struct path_walk *w)
{
    struct walk_folder *f = w->folder;

    w->folder = f->above;
    buf_release(&f->names);
    free(f->v);
    free(f);
}

/* The folder at the walk's path; false: it cannot be read. */
static bool enter_folder(struct path_walk *w)
{
    DIR *dir = opendir(w->path.p);
    struct walk_folder *f;
    char *name;
    bool whole;

    if (dir == NULL)
        return false;
    f = mem_alloc(sizeof *f);
    f->above = w->folder;
    w->folder = f;
    if (w->path.p[w->path.n - 1] != '/')
        buf_addc(&w->path, '/');
    f->path = w->path.n;
    whole = read_names(w, f, dir);
    closedir(dir);
    if (!whole) {
        leave_folder(w);
        return false;
    }
    f->v = mem_array(f->count + 1, sizeof *f->v);
    name = f->names.p;
    for (size_t i = 0; i < f->count; i++, name += strlen(name) + 1)
        f->v[i] = name;
    qsort(f->v, f->count, sizeof *f->v, by_bytes);
    return true;
}

/* ---- the walk ---- */

struct path_walk *path_walk_new(const char *path, const char *from, const char *to)
{
    struct path_walk *w = mem_alloc(sizeof *w);

    buf_adds(&w->path, path);
    w->from = from ? mem_strdup(from) : NULL;
    w->to = to ? mem_strdup(to) : NULL;
    return w;
}

void path_walk_free(struct path_walk *w)
{
    if (w == NULL)
        return;
    while (w->folder)
        leave_folder(w);
    buf_release(&w->path);
    free((void *)w->from);
    free((void *)w->to);
    free(w);
}

/* The source's own path; *entered: it is a folder, which has been entered. What is not a file cannot be read. */
static enum path_found begin_walk(struct path_walk *w, bool *entered)
{
    struct stat st;
    char kind;

    *entered = false;
    w->begun = true;
    if (w->path.n == 0 || stat(w->path.p, &st) != 0)
        return PATH_UNREADABLE;
    kind = kind_of_mode(st.st_mode);
    *entered = kind == KIND_FOLDER && enter_folder(w);
    if (!is_within(w, KIND_FILE))
        return PATH_END;
    return kind == KIND_FILE ? PATH_FILE : PATH_UNREADABLE;
}

enum path_found path_walk_next(struct path_walk *w, const char **path)
{
    bool entered;

    if (!w->begun) {
        enum path_found first = begin_walk(w, &entered);

        *path = w->path.p;
        if (!entered)
            return first;
    }
    while (w->folder) {
        struct walk_folder *f = w->folder;
        const char *name;

        w->path.n = f->path;
        if (f->next == f->count) {
            leave_folder(w);
            continue;
        }
        name = f->v[f->next++];
        buf_adds(&w->path, name + 1);
        *path = w->path.p;
        if (*name == KIND_FILE)
            return PATH_FILE;
        if (*name == KIND_SPECIAL)
            return PATH_SPECIAL;
        if (*name == KIND_GONE || !enter_folder(w)) {
            *path = w->path.p;
            return PATH_UNREADABLE;
        }
    }
    return PATH_END;
}

static const char *last_part(const char *s)
{
    const char *last = s;

    for (; *s != 0; s++)
        if (*s == '/' || *s == '!')
            last = s + 1;
    return last;
}

static bool matches(struct opt_list globs, const char *below, const char *last)
{
    for (size_t i = 0; i < globs.count; i++) {
        if (fnmatch(globs.v[i], below, 0) == 0)
            return true;
        if (strpbrk(globs.v[i], "/!") == NULL && fnmatch(globs.v[i], last, 0) == 0)
            return true;
    }
    return false;
}

char *item_file_id(const struct source_item *item, const char *path)
{
    size_t n = strlen(item->path);
    const char *below = strncmp(path, item->path, n) == 0 ? path + n : path;

    while (*below == '/')
        below++;
    return source_make_id(item->name, *below == 0 ? "" : "/", below);
}

bool item_leaves_out(const struct source_item *item, const char *id, bool leaf)
{
    size_t n = strlen(item->name);
    const char *below = strncmp(id, item->name, n) == 0 ? id + n : id;
    const char *last;

    while (*below == '/' || *below == '!')
        below++;
    if (*below == 0)
        below = item->name;
    last = last_part(below);
    if (matches(item->exclude, below, last))
        return true;
    return leaf && item->include.count > 0 && !matches(item->include, below, last);
}
