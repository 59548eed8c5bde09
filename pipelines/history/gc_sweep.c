/* Sizes on disk, and removing. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/stop.h"
#include "pipelines/history/gc.h"

#define BLOCK 512      /* the unit of st_blocks */

/* ---- sizes ---- */

/* A file with several names, as often as one of them went. */
struct link_seen {
    dev_t device;
    ino_t inode;
    nlink_t links;
    uint64_t bytes;
};

struct tally {
    struct link_seen *v;
    size_t count, cap;
    uint64_t bytes;        /* of files with one name */
};

static void see_link(struct tally *t, const struct stat *s)
{
    if (t->count == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->v = mem_grow(t->v, t->cap, sizeof *t->v);
    }
    t->v[t->count++] = (struct link_seen){ s->st_dev, s->st_ino, s->st_nlink,
                                           (uint64_t)s->st_blocks * BLOCK };
}

static int by_file(const void *x, const void *y)
{
    const struct link_seen *a = x, *b = y;

    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    return a->inode != b->inode ? (a->inode < b->inode ? -1 : 1) : 0;
}

/* What is freed when all that was seen goes: files of which every name is among it. */
static uint64_t tally_freed(struct tally *t)
{
    uint64_t bytes = t->bytes;

    if (t->count > 0)
        qsort(t->v, t->count, sizeof *t->v, by_file);
    for (size_t i = 0, n; i < t->count; i += n) {
        for (n = 1; i + n < t->count && by_file(&t->v[i], &t->v[i + n]) == 0; n++)
            ;
        if (n >= t->v[i].links)
            bytes += t->v[i].bytes;
    }
    return bytes;
}

static void count_file(struct gc_item *one, const struct stat *s, struct tally *t)
{
    if (S_ISDIR(s->st_mode) || s->st_nlink <= 1) {
        one->bytes += (uint64_t)s->st_blocks * BLOCK;
        if (t != NULL)
            t->bytes += (uint64_t)s->st_blocks * BLOCK;
        return;
    }
    one->shared += (uint64_t)s->st_blocks * BLOCK;
    if (t != NULL)
        see_link(t, s);
}

/* One path and all below it; t NULL: it stays. */
static void count_tree(struct gc_item *one, const char *path, struct tally *t)
{
    char *const roots[] = { (char *)(uintptr_t)path, NULL };
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *e;

    while (walk != NULL && (e = fts_read(walk)) != NULL)
        if (e->fts_info != FTS_DP && e->fts_info != FTS_NS && e->fts_info != FTS_ERR)
            count_file(one, e->fts_statp, t);
    if (walk != NULL)
        fts_close(walk);
}

static void measure(struct gc *g, struct gc_item *one, struct tally *t)
{
    static const char *const companions[] = { ".key", ".work" };
    const char *path = path_join(g->arena, g->work->path, one->name);

    one->bytes = one->shared = 0;
    count_tree(one, path, t);
    if (one->kind == GC_ARTIFACT || one->kind == GC_UNFINISHED)
        for (size_t i = 0; i < sizeof companions / sizeof *companions; i++)
            count_tree(one, arena_printf(g->arena, "%s%s", path, companions[i]), t);
}

/* ---- use ---- */

/* Locks the artifact's manifest (fd, -1: there is none); false if somebody has it. */
static bool hold(struct gc *g, const struct gc_item *one, bool dry, int *fd)
{
    const char *path = path_join(g->arena, g->work->path, one->name);

    *fd = -1;
    if (dry && one->kind == GC_LEFTOVER && str_ends_with(one->name, GC_PROGRESS))
        return !file_lock_is_held(g->work->lock);      /* if not dry, the lock is ours */
    if (one->kind == GC_UNFINISHED || one->kind == GC_ARTIFACT)
        if (file_lock_is_held(arena_printf(g->arena, "%s.work/lock", path)))
            return false;
    if (one->kind != GC_ARTIFACT)
        return true;
    *fd = open(path_join(g->arena, path, "manifest.json"), O_RDONLY | O_CLOEXEC);
    return *fd < 0 || flock(*fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

static bool is_pinned(struct gc *g, const struct gc_item *one)
{
    return file_exists(arena_printf(g->arena, "%s/%s.pin", g->work->path, one->name));
}

/* ---- removing ---- */

/* First out of sight, then away. */
static enum status remove_folder(struct gc *g, const char *path)
{
    const char *aside = arena_printf(g->arena, "%s.tmp.%ld", path, (long)getpid());
    struct stat s;

    if (lstat(path, &s) != 0 && errno == ENOENT)
        return ST_OK;
    TRY(file_remove_tree(aside));
    TRY(file_rename(path, aside));
    return file_remove_tree(aside);
}

static enum status remove_artifact(struct gc *g, const char *path)
{
    TRY(remove_folder(g, path));
    TRY(file_remove_tree(arena_printf(g->arena, "%s.key", path)));
    return remove_folder(g, arena_printf(g->arena, "%s.work", path));
}

static enum status remove_item(struct gc *g, const struct gc_item *one)
{
    const char *path = path_join(g->arena, g->work->path, one->name);

    if (one->kind == GC_ARTIFACT || one->kind == GC_UNFINISHED)
        return remove_artifact(g, path);
    return file_remove_tree(path);
}

static enum status sweep_item(struct gc *g, struct gc_item *one, bool dry, struct tally *t)
{
    enum status st = ST_OK;
    int fd = -1;

    if (one->kept == NULL && is_pinned(g, one))
        one->kept = "pinned";
    if (one->kept == NULL && !hold(g, one, dry, &fd))
        one->kept = "in use";
    measure(g, one, one->kept == NULL ? t : NULL);
    if (one->kept == NULL && !dry) {
        st = remove_item(g, one);
        one->removed = st == ST_OK;
    }
    if (fd >= 0)
        close(fd);
    return st;
}

enum status gc_sweep(struct gc *g, bool dry)
{
    struct tally t = { 0 };
    enum status st = ST_OK;

    for (size_t i = 0; st == ST_OK && i < g->count; i++) {
        if (stop_requested())
            st = fail(ST_INTERRUPTED, "stopped; the same command removes the rest");
        else
            st = sweep_item(g, &g->items[i], dry, &t);
    }
    g->bytes = tally_freed(&t);
    free(t.v);
    return st;
}

/* ---- pins ---- */

/* The names of all artifacts and stages, for "did you mean". */
static enum status no_artifact(struct gc *g, const char *name)
{
    const char **names = arena_array(g->arena, g->count + g->plan->count + 1, sizeof *names);
    const char *near;
    size_t n = 0;

    for (size_t i = 0; i < g->plan->count; i++)
        names[n++] = g->plan->stages[i].name;
    for (size_t i = 0; i < g->count; i++)
        if (g->items[i].kind == GC_ARTIFACT)
            names[n++] = path_base(g->items[i].name);
    near = strlen(name) < 60 ? str_nearest(name, names) : NULL;
    return fail(ST_MISSING, "there is no artifact '%.80s' in '%s'%s%s%s", name, g->work->artifacts,
                near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static enum status find_artifact(struct gc *g, const char *name, const char **out)
{
    char target[4096];
    ssize_t n;

    for (size_t i = 0; i < g->count; i++)
        if (g->items[i].kind == GC_ARTIFACT && strcmp(path_base(g->items[i].name), name) == 0) {
            *out = path_base(g->items[i].name);
            return ST_OK;
        }
    for (size_t i = 0; i < g->plan->count; i++) {
        const struct plan_stage *s = &g->plan->stages[i];
        if (strcmp(s->name, name) != 0 && strcmp(s->slug, name) != 0)
            continue;
        n = readlink(path_join(g->arena, g->work->current, s->slug), target, sizeof target - 1);
        if (n <= 0)
            return fail(ST_MISSING, "stage '%s' has no artifact yet", s->name);
        target[n] = 0;
        *out = arena_strdup(g->arena, path_base(target));
        return ST_OK;
    }
    return no_artifact(g, name);
}

static const char *pin_of(struct gc *g, const char *artifact)
{
    return arena_printf(g->arena, "%s/%s.pin", g->work->artifacts, artifact);
}

enum status gc_pin(struct gc *g, const char *name, const char **pinned)
{
    TRY(find_artifact(g, name, pinned));
    TRY(file_write_atomic(pin_of(g, *pinned), "pinned\n", 7));
    if (file_exists(path_join(g->arena, g->work->artifacts, *pinned)))
        return ST_OK;
    (void)unlink(pin_of(g, *pinned));
    return fail(ST_MISSING, "artifact '%s' was removed just now", *pinned);
}

enum status gc_unpin(struct gc *g, const char *name, const char **unpinned)
{
    TRY(find_artifact(g, name, unpinned));
    if (unlink(pin_of(g, *unpinned)) == 0)
        return ST_OK;
    if (errno == ENOENT)
        return fail(ST_MISSING, "artifact '%s' is not pinned", *unpinned);
    return fail_errno(ST_IO, "cannot remove '%s'", pin_of(g, *unpinned));
}
