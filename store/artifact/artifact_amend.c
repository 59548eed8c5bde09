#include "store/artifact/artifact_amend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "store/artifact/manifest.h"

struct amendment {
    struct arena arena;
    const char *path;
    struct file_lock lock, next; /* the manifest's; the new one's */
    json_t *before, *manifest;
    json_t *added, *dropped; /* an object of entries, or nulls, by name; a list of names */
};

static enum status begin(struct amendment *a, const char *kind)
{
    const char *manifest = path_join(&a->arena, a->path, MANIFEST_NAME);
    json_t *seen;

    TRY(artifact_open(a->path, kind, &seen)); /* for its words */
    json_decref(seen);
    TRY(file_lock_hold(&a->lock, manifest));
    TRY(artifact_open(a->path, kind, &a->before));
    a->manifest = json_deep_copy(a->before);
    return ST_OK;
}

enum status amend_begin(const char *path, const char *kind, struct amendment **out)
{
    struct amendment *a = mem_alloc(sizeof *a);
    enum status st;

    a->path = arena_strdup(&a->arena, path);
    a->lock.fd = a->next.fd = -1;
    a->added = json_object();
    a->dropped = json_array();
    st = begin(a, kind);
    if (st != ST_OK) {
        amend_abort(a);
        return st == ST_HELD ? fail_within(st, "'%s' is being changed or removed: ", path) : st;
    }
    *out = a;
    return ST_OK;
}

void amend_abort(struct amendment *a)
{
    if (a == NULL)
        return;
    file_lock_drop(&a->next);
    file_lock_drop(&a->lock);
    json_decref(a->before);
    json_decref(a->manifest);
    json_decref(a->added);
    json_decref(a->dropped);
    arena_release(&a->arena);
    free(a);
}

const char *amend_path(const struct amendment *a) { return a->path; }
const json_t *amend_before(const struct amendment *a) { return a->before; }
json_t *amend_manifest(struct amendment *a) { return a->manifest; }

static enum status remove_file(struct amendment *a, const char *name)
{
    const char *path = path_join(&a->arena, a->path, name);

    if (unlink(path) != 0 && errno != ENOENT)
        return fail_errno(ST_IO, "cannot remove '%s'", path);
    return ST_OK;
}

enum status amend_clear(struct amendment *a, bool (*ours)(const char *name))
{
    const json_t *files = json_object_get(a->before, "files");
    struct file_list list;

    TRY(file_clear_leftovers(a->path));
    TRY(file_list_tree(&a->arena, a->path, &list));
    for (size_t i = 0; i < list.count; i++)
        if (json_object_get(files, list.names[i]) == NULL && ours(list.names[i]))
            TRY(remove_file(a, list.names[i]));
    return ST_OK;
}

void amend_add(struct amendment *a, const char *name)
{
    BUG_IF(json_object_get(json_object_get(a->before, "files"), name) != NULL);
    json_object_set_new(a->added, name, json_null());
}

void amend_add_known(struct amendment *a, const char *name, const json_t *entry)
{
    amend_add(a, name);
    json_object_set_new(a->added, name, json_deep_copy(entry));
}

void amend_drop(struct amendment *a, const char *name)
{
    BUG_IF(json_object_get(json_object_get(a->before, "files"), name) == NULL);
    json_array_append_new(a->dropped, json_string(name));
}

/* ---- committing ---- */

static enum status sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;

    if (!synced)
        fail_errno(ST_IO, "cannot sync '%s'", path);
    if (fd >= 0)
        close(fd);
    return synced ? ST_OK : ST_IO;
}

static enum status describe_file(struct amendment *a, const char *name, json_t *known,
                                 json_t *files)
{
    const char *path = path_join(&a->arena, a->path, name);
    char hex[SHA256_HEX];
    uint64_t bytes;

    TRY(sync_file(path));
    if (!json_is_null(known)) {
        json_object_set(files, name, known);
        return ST_OK;
    }
    TRY(sha256_file(path, hex, &bytes));
    json_object_set_new(files, name,
                        json_pack("{s:I, s:s}", "bytes", (json_int_t)bytes, "sha256", hex));
    return ST_OK;
}

static enum status describe_files(struct amendment *a)
{
    json_t *files = json_object_get(a->manifest, "files"), *item;
    const char *name;
    size_t i;

    json_array_foreach(a->dropped, i, item) json_object_del(files, json_string_value(item));
    json_object_foreach(a->added, name, item) TRY(describe_file(a, name, item, files));
    return ST_OK;
}

/* The new manifest is locked before it has its name, so that there is no moment without a lock. */
static enum status replace_manifest(struct amendment *a)
{
    const char *path = path_join(&a->arena, a->path, MANIFEST_NAME);
    const char *temporary = arena_printf(&a->arena, "%s.tmp.%ld", path, (long)getpid());
    enum status st;

    TRY(file_sync_folder(a->path));
    TRY(json_write_new_file(temporary, a->manifest));
    st = file_lock_hold(&a->next, temporary);
    if (st == ST_OK)
        st = file_rename(temporary, path);
    if (st != ST_OK)
        unlink(temporary);
    return st;
}

static enum status remove_dropped(struct amendment *a)
{
    json_t *name;
    size_t i;

    json_array_foreach(a->dropped, i, name) TRY(remove_file(a, json_string_value(name)));
    return file_sync_folder(a->path);
}

static enum status commit(struct amendment *a, char digest[SHA256_HEX])
{
    enum status st;

    TRY(describe_files(a));
    manifest_digest(a->manifest, digest);
    json_object_set_new(a->manifest, "digest", json_string(digest));
    TRY(replace_manifest(a));
    st = remove_dropped(a);
    return st == ST_OK ? ST_OK : fail_within(st, "'%s' is changed, but what it no longer holds is not all removed "
                                                 "(the next change removes it): ", a->path);
}

enum status amend_commit(struct amendment *a, char digest[SHA256_HEX])
{
    char own[SHA256_HEX];
    enum status st = commit(a, digest ? digest : own);

    amend_abort(a);
    return st;
}
