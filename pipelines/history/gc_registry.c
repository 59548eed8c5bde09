/* What a model registry refers to: each folder in versions/ and reports/ is an artifact, and so is
 * what an alias leads to. All that is still there counts, so also each version that a rollback may
 * lead to; what is to go is for `tundish registry --prune` to say. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "pipelines/history/gc.h"

static void add_root(struct words *r, const char *digest)
{
    if (digest != NULL)
        words_add(r, arena_strdup(r->arena, digest));
}

/* A manifest that cannot be read ends it all: who knows what it refers to. */
static enum status add_model(struct words *r, const char *folder)
{
    const char *path = path_join(r->arena, folder, "manifest.json"), *option;
    json_t *manifest, *list, *digest;
    size_t i;

    if (!file_exists(path))
        return ST_OK;
    TRY(json_read_file(path, &manifest));
    add_root(r, json_string_value(json_object_get(manifest, "digest")));
    json_object_foreach(json_object_get(manifest, "inputs"), option, list)
        json_array_foreach(list, i, digest)
            add_root(r, json_string_value(digest));
    json_decref(manifest);
    return ST_OK;
}

/* Each folder, or link to one, below. */
static enum status add_models(struct words *r, const char *folder)
{
    DIR *d = opendir(folder);
    enum status st = ST_OK;
    struct dirent *e;

    if (d == NULL)
        return errno == ENOENT ? ST_OK : fail_errno(ST_IO, "cannot open the folder '%s'", folder);
    while (st == ST_OK && (e = readdir(d)) != NULL)
        if (e->d_name[0] != '.')
            st = add_model(r, path_join(r->arena, folder, e->d_name));
    closedir(d);
    return st;
}

enum status gc_registry_roots(const char *folder, struct words *out)
{
    TRY(add_models(out, folder));
    TRY(add_models(out, path_join(out->arena, folder, "versions")));
    return add_models(out, path_join(out->arena, folder, "reports"));
}
