/* A second folder of the same artifact: hard links where the file system can, else copies. */
#include <string.h>

#include "base/stop.h"
#include "pipelines/registry/registry_part.h"
#include "store/artifact/artifact.h"
#include "store/artifact/manifest.h"

static enum status put_file(struct arena *a, const char *from, const json_t *manifest,
                            const char *to, const char *name)
{
    const char *source = path_join(a, from, name), *target = path_join(a, to, name);
    bool copied;

    if (strchr(name, '/') != NULL)
        TRY(file_make_folders(arena_strndup(a, target, (size_t)(strrchr(target, '/') - target))));
    TRY(file_link_or_copy(source, target, &copied));
    return copied ? artifact_verify_file(to, manifest, name) : ST_OK;
}

static enum status put_files(struct arena *a, const char *from, const json_t *manifest,
                             const char *to)
{
    const char *name;
    json_t *file;

    json_object_foreach(json_object_get(manifest, "files"), name, file) {
        if (stop_requested())
            return fail(ST_INTERRUPTED, "stopped; nothing was promoted");
        TRY(put_file(a, from, manifest, to, name));
    }
    return file_copy(path_join(a, from, MANIFEST_NAME), path_join(a, to, MANIFEST_NAME));
}

/* Is the same artifact there, every byte of it? */
static bool is_there(const char *to, const json_t *manifest)
{
    json_t *seen;
    bool same;

    if (!file_exists(to) || artifact_open(to, NULL, &seen) != ST_OK)
        return false;
    same = strcmp(artifact_digest(seen), artifact_digest(manifest)) == 0 &&
           artifact_verify(to, seen) == ST_OK;
    json_decref(seen);
    return same;
}

enum status registry_put(struct arena *a, const char *from, const json_t *manifest, const char *to)
{
    const char *folder;
    enum status st;

    if (is_there(to, manifest))
        return ST_OK;
    TRY(folder_begin(a, to, &folder));
    st = put_files(a, from, manifest, folder);
    if (st == ST_OK)
        st = folder_commit(folder, to);
    if (st != ST_OK)
        folder_abort(folder);
    return st;
}
