#include "pipelines/run/workdir.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

#define KEY_DIGITS 12   /* of the key, in an artifact's name */

struct workdir workdir_at(struct arena *a, const char *path, const char *pipeline)
{
    struct workdir w = { .path = path == NULL ? arena_printf(a, "work/%s", pipeline)
                                 : *path == 0 ? "." : path };

    w.artifacts = path_join(a, w.path, "artifacts");
    w.logs = path_join(a, w.path, "logs");
    w.current = path_join(a, w.path, "current");
    w.runs = path_join(a, w.path, "runs");
    w.journal = path_join(a, w.path, "journal.jsonl");
    w.digests = path_join(a, w.path, "digests");
    w.lock = path_join(a, w.path, "lock");
    return w;
}

enum status workdir_make(const struct workdir *w)
{
    TRY(file_make_folders(w->artifacts));
    TRY(file_make_folders(w->logs));
    TRY(file_make_folders(w->runs));
    return file_make_folders(w->current);
}

static void clear_progress(struct arena *a, const struct workdir *w)
{
    DIR *d = opendir(w->logs);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL)
        if (str_ends_with(e->d_name, ".progress"))
            (void)unlink(path_join(a, w->logs, e->d_name));
    if (d != NULL)
        closedir(d);
}

void workdir_clear_leftovers(struct arena *a, const struct workdir *w)
{
    const char *folders[] = { w->path, w->artifacts, w->current, w->runs,
                              path_join(a, w->path, "reports") };

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (file_exists(folders[i]) && file_clear_leftovers(folders[i]) != ST_OK)
            log_warn("%s", fail_message());
    clear_progress(a, w);
}

char *workdir_artifact(struct arena *a, const struct workdir *w, const char *stage,
                       const char key[SHA256_HEX])
{
    return arena_printf(a, "%s/%s-%.*s", w->artifacts, stage, KEY_DIGITS, key);
}

char *workdir_artifact_named(struct arena *a, const struct workdir *w, const char *name)
{
    return path_join(a, w->artifacts, name);
}

char *workdir_log(struct arena *a, const struct workdir *w, const char *stage, long long n)
{
    char *path;

    do
        path = arena_printf(a, "%s/%s-%lld.log", w->logs, stage, n++);
    while (file_exists(path));
    return path;
}

static bool points_to(const char *link, const char *target)
{
    char now[4096];
    ssize_t n = readlink(link, now, sizeof now);

    return n >= 0 && (size_t)n == strlen(target) && memcmp(now, target, (size_t)n) == 0;
}

enum status workdir_point_current(struct arena *a, const struct workdir *w, const char *stage,
                                  const char *artifact)
{
    const char *link = path_join(a, w->current, stage);
    const char *target = arena_printf(a, "../artifacts/%s", path_base(artifact));
    const char *temporary = arena_printf(a, "%s.tmp.%ld", link, (long)getpid());

    if (points_to(link, target) || symlink(target, link) == 0)      /* it may be the first one */
        return ST_OK;
    (void)unlink(temporary);
    if (symlink(target, temporary) != 0)
        return fail_errno(ST_IO, "cannot create the link '%s'", temporary);
    if (rename(temporary, link) != 0)
        return fail_errno(ST_IO, "cannot rename '%s' to '%s'", temporary, link);
    return ST_OK;
}
