#include <fnmatch.h>
#include <fts.h>
#include <string.h>

#include "curate/source/source_part.h"

struct path_walk {
    FTS *fts;
    char *path;
    bool begun;
};

/* Whole paths in the order of their bytes: a folder's name counts with its '/'. */
static int by_bytes(const FTSENT **a, const FTSENT **b)
{
    const char *x = (*a)->fts_name, *y = (*b)->fts_name;
    unsigned char cx, cy;

    while (*x != 0 && *x == *y)
        x++, y++;
    cx = (unsigned char)(*x == 0 && (*a)->fts_info == FTS_D ? '/' : *x);
    cy = (unsigned char)(*y == 0 && (*b)->fts_info == FTS_D ? '/' : *y);
    return cx < cy ? -1 : cx > cy;
}

struct path_walk *path_walk_new(const char *path)
{
    struct path_walk *w = mem_alloc(sizeof *w);
    char *roots[] = { NULL, NULL };

    w->path = roots[0] = mem_strdup(path);
    w->fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_bytes);
    return w;
}

void path_walk_free(struct path_walk *w)
{
    if (w == NULL)
        return;
    if (w->fts != NULL)
        fts_close(w->fts);
    free(w->path);
    free(w);
}

enum path_found path_walk_next(struct path_walk *w, const char **path)
{
    FTSENT *e;

    *path = w->path;
    if (w->fts == NULL) {
        enum path_found first = w->begun ? PATH_END : PATH_UNREADABLE;
        w->begun = true;
        return first;
    }
    while ((e = fts_read(w->fts)) != NULL) {
        *path = e->fts_path;
        switch (e->fts_info) {
        case FTS_F:
            return PATH_FILE;
        case FTS_D:
        case FTS_DP:
        case FTS_DOT:
            break;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS:
            return PATH_UNREADABLE;
        /* Links, devices, pipes, sockets; given as the path itself, they cannot be read. */
        default:
            return e->fts_level == 0 ? PATH_UNREADABLE : PATH_SPECIAL;
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
