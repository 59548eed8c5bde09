/* A second folder of the same artifact: hard links where the file system can, else copies. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/stop.h"
#include "pipelines/registry/registry_part.h"
#include "store/artifact.h"
#include "store/manifest.h"

#define CHUNK (1u << 20)

static enum status copy_bytes(int in, const char *from, int out, const char *to)
{
    char *chunk = mem_alloc(CHUNK);
    enum status st = ST_OK;

    while (st == ST_OK) {
        ssize_t n = read(in, chunk, CHUNK);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            st = fail_errno(ST_IO, "cannot read '%s'", from);
        else if (n == 0)
            break;
        else if (stop_requested())
            st = fail(ST_INTERRUPTED, "stopped while copying '%s'; nothing was promoted", from);
        else
            st = file_put(out, to, chunk, (size_t)n);
    }
    free(chunk);
    return st;
}

/* Of any size; file_copy() is for small ones. folder_commit() syncs it. */
static enum status copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out;
    enum status st;

    if (in < 0)
        return fail_errno(ST_IO, "cannot open '%s'", from);
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (out < 0) {
        close(in);
        return fail_errno(ST_IO, "cannot create '%s'", to);
    }
    st = copy_bytes(in, from, out, to);
    close(in);
    if (close(out) != 0 && st == ST_OK)
        st = fail_errno(ST_IO, "cannot close '%s'", to);
    return st;
}

/* A link can be refused for many reasons (another file system, a file of someone else's, a file
 * system without links); a copy then tells the true one, if it fails too. */
static enum status put_file(struct arena *a, const char *from, const json_t *manifest,
                            const char *to, const char *name)
{
    const char *source = path_join(a, from, name), *target = path_join(a, to, name);

    if (strchr(name, '/') != NULL)
        TRY(file_make_folders(arena_strndup(a, target, (size_t)(strrchr(target, '/') - target))));
    if (linkat(AT_FDCWD, source, AT_FDCWD, target, AT_SYMLINK_FOLLOW) == 0)
        return ST_OK;
    TRY(copy_file(source, target));
    return artifact_verify_file(to, manifest, name);
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
