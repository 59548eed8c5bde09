#include "store/artifact/unfinished.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/artifact/artifact.h"

#define RUN_NAME "run.json"
#define RANKS_NAME "ranks"

/* ---- what makes two runs the same ---- */

static enum status tell_difference(const char *path, const char *key, const json_t *was,
                                   const json_t *is)
{
    char *a = was == NULL ? NULL : json_dumps(was, JSON_ENCODE_ANY | JSON_COMPACT);
    char *b = is == NULL ? NULL : json_dumps(is, JSON_ENCODE_ANY | JSON_COMPACT);
    enum status st = fail(ST_CONFIG,
                          "'%s' belongs to a run with %s %s, this one has %s: go on with that, or "
                          "remove the .work folder, or write to another place",
                          path, key, a == NULL ? "(absent)" : a, b == NULL ? "(absent)" : b);

    free(a);
    free(b);
    return st;
}

/* Two runs, or manifests, and the option that is not compared. */
struct comparison {
    const char *path;
    const json_t *was, *is;
    const char *but;                 /* NULL: none */
};

static bool is_compared(const struct comparison *c, const char *key)
{
    return c->but == NULL || strcmp(key, c->but) != 0;
}

/* The first member of either object that the other lacks or has otherwise. */
static enum status same_members(const struct comparison *c, const json_t *was, const json_t *is)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)is, key, value) {
        if (is_compared(c, key) && !json_equal(json_object_get(was, key), value))
            return tell_difference(c->path, key, json_object_get(was, key), value);
    }
    json_object_foreach((json_t *)was, key, value) {
        if (is_compared(c, key) && json_object_get(is, key) == NULL)
            return tell_difference(c->path, key, value, NULL);
    }
    return ST_OK;
}

static enum status same_run(const struct comparison *c)
{
    static const char *const scalars[] = { "version", "numeric_class" };
    const json_t *was = json_object_get(c->was, "made_by"), *is = json_object_get(c->is, "made_by");

    for (size_t i = 0; i < 2; i++) {
        const json_t *a = json_object_get(was, scalars[i]), *b = json_object_get(is, scalars[i]);

        if (!json_equal(a, b))
            return tell_difference(c->path, scalars[i], a, b);
    }
    TRY(same_members(c, json_object_get(was, "options"), json_object_get(is, "options")));
    return same_members(c, json_object_get(c->was, "inputs"), json_object_get(c->is, "inputs"));
}

enum status unfinished_same_run(const char *path, const json_t *run, const json_t *was,
                                const char *but)
{
    return same_run(&(struct comparison){ path, was, run, but });
}

/* ---- the folder ---- */

/* Without the '/' at its end. */
static const char *bare(struct arena *a, const char *out)
{
    size_t n = strlen(out);

    while (n > 1 && out[n - 1] == '/')
        n--;
    return arena_strndup(a, out, n);
}

const char *unfinished_path(struct arena *a, const char *out) { return arena_printf(a, "%s.work", bare(a, out)); }

enum status unfinished_open(struct unfinished *u, const char *out)
{
    *u = (struct unfinished){ .lock = { -1 } };
    u->out = bare(&u->arena, out);
    u->path = unfinished_path(&u->arena, out);
    TRY(file_make_folders(u->path));
    return file_lock_take(&u->lock, path_join(&u->arena, u->path, "lock"));
}

/* ---- ranks ---- */

static enum status await_ranks(struct unfinished *u)
{
    struct file_lock all = { .fd = -1 };
    enum status st = file_lock_take(&all, path_join(&u->arena, u->path, RANKS_NAME));

    file_lock_drop(&all);
    return st != ST_HELD ? st : fail_within(st, "ranks of an earlier run are still at work there; wait for their end, "
                                                "or end them: ");
}

enum status unfinished_share(const char *path, struct file_lock *share)
{
    struct arena a;
    enum status st;

    arena_init(&a);
    st = file_lock_share(share, path_join(&a, path, RANKS_NAME));
    arena_release(&a);
    return st;
}

/* ---- whose it is ---- */

/* A file that tells of no work: what every run begins with, or what a process that is gone was writing. */
static bool tells_of_nothing(const char *name)
{
    static const char *const beginnings[] = { "lock", RUN_NAME, RANKS_NAME, "boot" };

    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strcmp(name, beginnings[i]) == 0)
            return true;
    return strstr(name, ".tmp.") != NULL;
}

bool unfinished_is_empty(const struct unfinished *u)
{
    struct file_list files;
    struct failure f;
    struct arena a;
    bool empty;

    failure_save(&f, ST_FAILED);
    arena_init(&a);
    empty = file_list_tree(&a, u->path, &files) == ST_OK;
    for (size_t i = 0; empty && i < files.count; i++)
        empty = tells_of_nothing(files.names[i]);
    arena_release(&a);
    (void)failure_restore(&f);
    return empty;
}

/* All of it but the locks, and the record of its run last: a process that dies meanwhile leaves it as empty. */
static enum status make_anew(struct unfinished *u, const json_t *run)
{
    struct file_list files;

    TRY(file_list_tree(&u->arena, u->path, &files));
    for (size_t i = 0; i < files.count; i++) {
        const char *name = files.names[i], *slash = strchr(name, '/');
        const char *top = slash ? arena_strndup(&u->arena, name, (size_t)(slash - name)) : name;

        if (strcmp(top, "lock") != 0 && strcmp(top, RANKS_NAME) != 0 && strcmp(top, RUN_NAME) != 0)
            TRY(file_remove_tree(path_join(&u->arena, u->path, top)));
    }
    return json_write_file(path_join(&u->arena, u->path, RUN_NAME), run);
}

static enum status record_run(struct unfinished *u, const json_t *run)
{
    const char *path = path_join(&u->arena, u->path, RUN_NAME);
    json_t *was;
    enum status st;

    if (!file_exists(path))
        return json_write_file(path, run);
    TRY(json_read_file(path, &was));
    st = unfinished_same_run(u->path, run, was, NULL);
    json_decref(was);
    return st == ST_CONFIG && unfinished_is_empty(u) ? make_anew(u, run) : st;
}

enum status unfinished_claim(struct unfinished *u, const json_t *run)
{
    TRY(record_run(u, run));
    u->claimed = true;
    return ST_OK;
}

enum status unfinished_begin(struct unfinished *u, const char *out, const json_t *run)
{
    TRY(unfinished_open(u, out));
    TRY(await_ranks(u));
    return unfinished_claim(u, run);
}

enum status unfinished_take_away(struct arena *a, const char *path, const char *owner)
{
    const char *aside = arena_printf(a, "%s.tmp.%ld", owner, (long)getpid());

    TRY(file_remove_tree(aside)); /* of a process that had our number */
    TRY(file_rename(path, aside));
    return file_remove_tree(aside);
}

enum status unfinished_remove(struct unfinished *u)
{
    return unfinished_take_away(&u->arena, u->path, u->out);
}

enum status unfinished_complete(struct unfinished *u)
{
    enum status st = unfinished_remove(u);

    return st == ST_OK ? ST_OK : fail_within(st, "'%s' is complete, but not all of the work for it is removed: ", u->out);
}

void unfinished_close(struct unfinished *u)
{
    if (u->path != NULL)
        file_lock_drop(&u->lock);
    arena_release(&u->arena);
    *u = (struct unfinished){ .lock = { -1 } };
}

/* ---- the end of a stage ---- */

static enum status tell_kept(const char *path, const char *done, enum status st)
{
    struct failure f;

    failure_save(&f, st);
    if (st == ST_INTERRUPTED)
        return fail(st, "interrupted; what is %s is kept in '%s': run the same command to go on", done, path);
    if (st == ST_IO || st == ST_LIMIT)
        return fail(st, "%s; what is %s is kept in '%s': the same command goes on with it", f.text, done, path);
    if (st == ST_INTEGRITY)
        return fail(st, "%s; remove '%s' to begin again", f.text, path);
    return st;
}

enum status unfinished_end(const struct unfinished_end *e, enum status st)
{
    struct failure f;

    if (st != ST_OK && e->kept != NULL)
        st = tell_kept(e->kept, e->done, st);
    failure_save(&f, st);
    artifact_abort(e->out);
    if (e->of_no_use && e->work->claimed)
        (void)!unfinished_remove(e->work);           /* the first failure is told */
    file_lock_drop(e->share);
    unfinished_close(e->work);
    return st == ST_OK ? ST_OK : failure_restore(&f);
}
