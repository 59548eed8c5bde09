#include "store/artifact/unfinished.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/artifact/artifact.h"

#define RUN_NAME "run.json"

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

enum status unfinished_open(struct unfinished *u, const char *out)
{
    size_t n = strlen(out);

    *u = (struct unfinished){ .lock = { -1 } };
    while (n > 1 && out[n - 1] == '/')
        n--;
    u->out = arena_strndup(&u->arena, out, n);
    u->path = arena_printf(&u->arena, "%s.work", u->out);
    TRY(file_make_folders(u->path));
    return file_lock_take(&u->lock, path_join(&u->arena, u->path, "lock"));
}

enum status unfinished_claim(struct unfinished *u, const json_t *run)
{
    const char *path = path_join(&u->arena, u->path, RUN_NAME);
    json_t *was;
    enum status st;

    if (!file_exists(path))
        return json_write_file(path, run);
    TRY(json_read_file(path, &was));
    st = unfinished_same_run(u->path, run, was, NULL);
    json_decref(was);
    return st;
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

void unfinished_close(struct unfinished *u)
{
    if (u->path != NULL)
        file_lock_drop(&u->lock);
    arena_release(&u->arena);
    *u = (struct unfinished){ .lock = { -1 } };
}
