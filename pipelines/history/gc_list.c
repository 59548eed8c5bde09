/* What is in a work folder that might go. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "pipelines/history/gc.h"

#define KEY_DIGITS 12

const char *gc_kind_word(enum gc_kind kind)
{
    static const char *const words[] = {
#define X(name, word, where) word,
        GC_KINDS(X)
#undef X
    };
    return words[kind];
}

/* ---- names ---- */

/* Length of the stage in "<stage>-<12 hex>", 0 if it is no artifact's name. */
static size_t stage_in(const char *name, size_t n)
{
    if (n < KEY_DIGITS + 2 || name[n - KEY_DIGITS - 1] != '-')
        return 0;
    return strspn(name + n - KEY_DIGITS, "0123456789abcdef") >= KEY_DIGITS ? n - KEY_DIGITS - 1 : 0;
}

/* Length of the stage in "<stage>-<n>.log", 0 if it is no log's name. */
static size_t stage_of_log(const char *name)
{
    size_t n = strlen(name);

    if (!str_ends_with(name, ".log"))
        return 0;
    for (n -= strlen(".log"); n > 0 && isdigit((unsigned char)name[n - 1]); n--)
        ;
    return n > 1 && name[n - 1] == '-' && isdigit((unsigned char)name[n]) ? n - 1 : 0;
}

/* ---- items ---- */

static struct gc_item *add_item(struct gc *g, enum gc_kind kind, const char *folder,
                                const char *name)
{
    struct gc_item *one;

    if (g->count == g->cap) {
        g->cap = g->cap ? 2 * g->cap : 64;
        g->items = mem_grow(g->items, g->cap, sizeof *g->items);
    }
    one = &g->items[g->count++];
    *one = (struct gc_item){ .kind = kind, .stage = "" };
    one->name = *folder ? arena_printf(g->arena, "%s/%s", folder, name)
                        : arena_strdup(g->arena, name);
    return one;
}

static time_t time_of(const char *path)
{
    struct stat s;

    return lstat(path, &s) == 0 ? s.st_mtime : 0;
}

/* What the manifest says; nothing of a damaged one. */
static void read_manifest(struct gc *g, struct gc_item *one, const char *path)
{
    json_t *manifest = NULL;
    const char *digest;

    if (!file_exists(path) || json_read_file(path, &manifest) != ST_OK)
        return;
    one->time = time_of(path);
    digest = json_string_value(json_object_get(manifest, "digest"));
    if (digest != NULL && strlen(digest) + 1 == SHA256_HEX)
        memcpy(one->digest, digest, SHA256_HEX);
    one->inputs = json_incref(json_object_get(manifest, "inputs"));
    json_decref(manifest);
}

static void take_artifact(struct gc *g, const char *name)
{
    size_t stage = stage_in(name, strlen(name));
    const char *path = path_join(g->arena, g->work->artifacts, name);
    struct gc_item *one;
    struct stat s;

    if (stage == 0 || lstat(path, &s) != 0 || !S_ISDIR(s.st_mode))
        return;
    one = add_item(g, GC_ARTIFACT, "artifacts", name);
    one->stage = arena_strndup(g->arena, name, stage);
    one->time = time_of(path);
    read_manifest(g, one, path_join(g->arena, path, "manifest.json"));
}

/* A .work or a .key alone; of the two, .work stands for both. */
static void take_companion(struct gc *g, const char *name)
{
    bool is_work = str_ends_with(name, ".work");
    size_t n = strlen(name) - (is_work ? strlen(".work") : strlen(".key"));
    const char *artifact = arena_printf(g->arena, "%s/%.*s", g->work->artifacts, (int)n, name);
    struct gc_item *one;

    if (stage_in(name, n) == 0 || file_exists(artifact))
        return;
    if (!is_work && file_exists(arena_printf(g->arena, "%s.work", artifact)))
        return;
    one = add_item(g, GC_UNFINISHED, "artifacts", arena_strndup(g->arena, name, n));
    one->stage = arena_strndup(g->arena, name, stage_in(name, n));
    one->time = time_of(path_join(g->arena, g->work->artifacts, name));
}

static void take_in_artifacts(struct gc *g, const char *name)
{
    if (str_ends_with(name, ".work") || str_ends_with(name, ".key"))
        take_companion(g, name);
    else
        take_artifact(g, name);
}

/* <log>.progress is there while the stage runs, or because its runner was killed. */
static void take_log(struct gc *g, const char *name)
{
    size_t stage = stage_of_log(name);
    struct gc_item *one;

    if (str_ends_with(name, ".log" GC_PROGRESS)) {
        one = add_item(g, GC_LEFTOVER, "logs", name);
        one->time = time_of(path_join(g->arena, g->work->logs, name));
    }
    if (stage == 0)
        return;
    one = add_item(g, GC_LOG, "logs", name);
    one->stage = arena_strndup(g->arena, name, stage);
    one->time = time_of(path_join(g->arena, g->work->logs, name));
}

static void take_with_ending(struct gc *g, enum gc_kind kind, const char *folder, const char *name,
                             const char *ending)
{
    struct gc_item *one;

    if (name[0] == '.' || !str_ends_with(name, ending))
        return;
    one = add_item(g, kind, folder, name);
    one->time = time_of(path_join(g->arena, g->work->path, one->name));
}

static void take_record(struct gc *g, const char *name)
{
    take_with_ending(g, GC_RECORD, "runs", name, ".json");
}

static void take_report(struct gc *g, const char *name)
{
    take_with_ending(g, GC_REPORT, "reports", name, ".html");
}

/* All of them: which ones lead nowhere is known when it is known what goes. */
static void take_link(struct gc *g, const char *name)
{
    struct gc_item *one = add_item(g, GC_LINK, "current", name);

    one->stage = arena_strdup(g->arena, name);
    one->time = time_of(path_join(g->arena, g->work->current, name));
}

static void take_nothing(struct gc *g, const char *name)
{
    (void)g, (void)name;
}

/* ---- folders ---- */

typedef void take_fn(struct gc *g, const char *name);

static enum status list_folder(struct gc *g, const char *folder, take_fn *take)
{
    const char *path = *folder ? path_join(g->arena, g->work->path, folder) : g->work->path;
    struct dirent *e;
    DIR *d = opendir(path);

    if (d == NULL)
        return errno == ENOENT ? ST_OK : fail_errno(ST_IO, "cannot open the folder '%s'", path);
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (file_is_leftover(e->d_name)) {
            struct gc_item *one = add_item(g, GC_LEFTOVER, folder, e->d_name);
            one->time = time_of(path_join(g->arena, g->work->path, one->name));
        } else {
            take(g, e->d_name);
        }
    }
    closedir(d);
    return ST_OK;
}

static int by_kind_and_name(const void *x, const void *y)
{
    const struct gc_item *a = x, *b = y;

    return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1) : strcmp(a->name, b->name);
}

enum status gc_list(struct gc *g)
{
    static const struct {
        const char *folder;
        take_fn *take;
    } folders[] = {
        { "artifacts", take_in_artifacts }, { "logs", take_log },     { "runs", take_record },
        { "reports", take_report },         { "current", take_link }, { "", take_nothing },
    };

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        TRY(list_folder(g, folders[i].folder, folders[i].take));
    if (g->count > 0)
        qsort(g->items, g->count, sizeof *g->items, by_kind_and_name);
    return ST_OK;
}

void gc_release(struct gc *g)
{
    for (size_t i = 0; i < g->count; i++)
        json_decref(g->items[i].inputs);
    free(g->items);
    g->items = NULL;
    g->count = g->cap = 0;
}
