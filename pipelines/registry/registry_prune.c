/* What a registry refers to, and the removal of what it does not. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/stop.h"
#include "pipelines/registry/registry_part.h"
#include "store/artifact/artifact.h"
#include "store/artifact/manifest.h"

#define TEMPORARY ".tmp."

/* ---- what is referred to ---- */

struct names {
    struct arena *arena;
    const char **v;              /* NULL-terminated */
    size_t count, cap;
};

static bool has_name(const char *const *v, const char *name)
{
    for (; *v != NULL; v++)
        if (strcmp(*v, name) == 0)
            return true;
    return false;
}

static void add_name(struct names *n, const char *name)
{
    if (name == NULL || (n->v != NULL && has_name(n->v, name)))
        return;
    if (n->count + 1 >= n->cap) {
        const char **more = arena_array(n->arena, n->cap = n->cap ? 2 * n->cap : 16, sizeof *more);

        if (n->count > 0)
            memcpy(more, n->v, n->count * sizeof *more);
        n->v = more;
    }
    n->v[n->count++] = name;
}

static const char **names_of(struct names *n)
{
    if (n->v == NULL)
        n->v = arena_array(n->arena, 1, sizeof *n->v);
    return n->v;
}

/* The last `keep` events of one alias, and where its next rollback leads. */
static void add_history(const struct registry *r, const char *alias, long long keep,
                        struct names *out)
{
    struct version_stack s = registry_history_stack(r->arena, &r->history, alias);

    for (size_t i = r->history.count; i-- > 0 && keep > 0;) {
        const struct registry_event *e = &r->history.v[i];

        if (strcmp(e->alias, alias) != 0)
            continue;
        add_name(out, e->version);
        add_name(out, e->before);
        keep--;
    }
    for (size_t i = s.count > 2 ? s.count - 2 : 0; i < s.count; i++)
        add_name(out, s.v[i]);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum status list_folder(const struct registry *r, const char *path, struct names *out)
{
    DIR *d = opendir(path);

    if (d == NULL)
        return errno == ENOENT ? ST_OK : fail_errno(ST_IO, "cannot open the folder '%s'", path);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            add_name(out, arena_strdup(r->arena, e->d_name));
    closedir(d);
    if (out->count > 0)
        qsort(out->v, out->count, sizeof *out->v, by_bytes);
    return ST_OK;
}

/* The version in which a path ends, however it leads there; NULL: in none. */
static const char *version_in(const struct registry *r, const char *path)
{
    char *versions = realpath(r->versions, NULL), *real = realpath(path, NULL);
    const char *version = NULL;

    if (versions != NULL && real != NULL && strncmp(real, versions, strlen(versions)) == 0 &&
        real[strlen(versions)] == '/') {
        const char *name = real + strlen(versions) + 1;

        version = arena_strndup(r->arena, name, strcspn(name, "/"));
    }
    free(versions);
    free(real);
    return version;
}

/* Links of any kind count, those of people too; not what a process that died has left. */
static enum status add_links(const struct registry *r, struct names *out)
{
    struct names entries = { .arena = r->arena };

    TRY(list_folder(r, r->path, &entries));
    for (const char **name = names_of(&entries); *name != NULL; name++)
        if (strstr(*name, TEMPORARY) == NULL || registry_link_read(r, *name) == NULL)
            add_name(out, version_in(r, path_join(r->arena, r->path, *name)));
    return ST_OK;
}

/* What links lead to, what the last `keep` events of each alias name, and the next rollback's. */
static enum status kept_versions(const struct registry *r, long long keep, const char ***out)
{
    struct names kept = { .arena = r->arena };
    const char **aliases = registry_history_aliases(r->arena, &r->history);

    TRY(add_links(r, &kept));
    for (; *aliases != NULL; aliases++)
        add_history(r, *aliases, keep, &kept);
    *out = names_of(&kept);
    return ST_OK;
}

/* The reports of the versions that stay, by the names of their folders. */
static const char **kept_reports(const struct registry *r, const char *const *versions)
{
    struct names kept = { .arena = r->arena };
    const char **aliases = registry_history_aliases(r->arena, &r->history);

    for (; *aliases != NULL; aliases++)
        for (const char *const *v = versions; *v != NULL; v++) {
            const char *digest = registry_history_report(&r->history, *aliases, *v);

            if (digest != NULL)
                add_name(&kept, arena_strndup(r->arena, digest, VERSION_DIGITS));
        }
    return names_of(&kept);
}

/* From the folder's own manifest, if it can be read. */
static const char *digest_of(struct arena *a, const char *path)
{
    const char *digest;
    json_t *manifest;

    if (!file_exists(path) || artifact_open(path, NULL, &manifest) != ST_OK)
        return NULL;
    digest = arena_strdup(a, artifact_digest(manifest));
    json_decref(manifest);
    return digest;
}

/* ---- bytes ---- */

/* Adds the folder's files; hard links that others hold go on living. */
static void add_bytes(struct arena *a, const char *folder, struct prune_result *out)
{
    struct file_list files;
    struct stat s;

    if (file_list_tree(a, folder, &files) != ST_OK)
        return;
    for (size_t i = 0; i < files.count; i++)
        if (lstat(path_join(a, folder, files.names[i]), &s) == 0)
            *(s.st_nlink > 1 ? &out->shared : &out->freed) += (uint64_t)s.st_size;
}

/* ---- removal ---- */

/* Holds the version against everyone, or tells that someone uses it. Closing *fd lets go. */
static enum status hold(const char *folder, struct arena *a, int *fd, bool *used)
{
    const char *path = path_join(a, folder, MANIFEST_NAME);

    *used = false;
    *fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (*fd < 0)
        return fail_errno(errno == ENOENT ? ST_MISSING : ST_IO, "cannot open '%s'", path);
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return ST_OK;
    *used = errno == EWOULDBLOCK;
    if (!*used)
        return fail_errno(ST_IO, "cannot lock '%s'", path);
    return ST_OK;
}

/* First it has no name any more, then it goes: nobody finds half of it. */
static enum status remove_folder(const struct registry *r, const char *folder)
{
    const char *aside = arena_printf(r->arena, "%s" TEMPORARY "%ld", folder, (long)getpid());

    if (!file_exists(folder))
        return ST_OK;
    TRY(file_remove_tree(aside));
    TRY(file_rename(folder, aside));
    return file_remove_tree(aside);
}

/* *stays: it is in use, or not ours. */
static enum status remove_version(const struct registry *r, const char *version, bool dry,
                                  bool *stays, struct prune_result *out)
{
    const char *folder = registry_version_path(r, version);
    enum status st;
    bool used;
    int fd;

    st = hold(folder, r->arena, &fd, &used);
    *stays = true;
    if (st == ST_MISSING) {          /* not made by us */
        log_warn("%s stays: it has no " MANIFEST_NAME, folder);
        st = ST_OK;
    } else if (st == ST_OK && used) {
        log_info("%s stays: it is in use", folder);
        out->in_use++;
    } else if (st == ST_OK) {
        *stays = false;
        log_info("%s %s", folder, dry ? "would be removed" : "is removed");
        add_bytes(r->arena, folder, out);
        out->removed++;
        if (!dry)
            st = remove_folder(r, folder);
    }
    if (fd >= 0)
        close(fd);
    return st;
}

/* What a process that died has left; the lock is ours. */
static enum status remove_leftover(const struct registry *r, const char *path, bool dry,
                                   struct prune_result *out)
{
    add_bytes(r->arena, path, out);
    return dry ? ST_OK : file_remove_tree(path);
}

/* Removes what is not in kept; *stay: the versions that are left. */
static enum status prune_versions(const struct registry *r, bool dry, const char *const *kept,
                                  struct names *stay, struct prune_result *out)
{
    struct names entries = { .arena = r->arena };

    TRY(list_folder(r, r->versions, &entries));
    for (const char **name = names_of(&entries); *name != NULL; name++) {
        bool stays = true;

        if (stop_requested())
            return fail(ST_INTERRUPTED, "stopped after removing %lld versions", out->removed);
        if (strstr(*name, TEMPORARY) != NULL) {
            TRY(remove_leftover(r, path_join(r->arena, r->versions, *name), dry, out));
            continue;
        }
        if (!registry_is_version(*name))
            continue;
        if (!has_name(kept, *name))
            TRY(remove_version(r, *name, dry, &stays, out));
        if (stays)
            add_name(stay, *name);
    }
    return ST_OK;
}

/* After the versions: what is killed in between leaves reports that the next prune removes. */
static enum status prune_reports(const struct registry *r, bool dry, const char *const *kept,
                                 struct prune_result *out)
{
    struct names entries = { .arena = r->arena };

    TRY(list_folder(r, r->reports, &entries));
    for (const char **name = names_of(&entries); *name != NULL; name++) {
        const char *path = path_join(r->arena, r->reports, *name);

        if (stop_requested())
            return fail(ST_INTERRUPTED, "stopped after removing %lld versions", out->removed);
        if (strstr(*name, TEMPORARY) != NULL) {
            TRY(remove_leftover(r, path, dry, out));
        } else if (registry_is_version(*name) && !has_name(kept, *name)) {
            log_info("%s %s", path, dry ? "would be removed" : "is removed");
            add_bytes(r->arena, path, out);
            if (!dry)
                TRY(remove_folder(r, path));
        }
    }
    return ST_OK;
}

/* Links that were to become an alias when their process died. */
static enum status remove_links(const struct registry *r)
{
    struct names entries = { .arena = r->arena };

    TRY(list_folder(r, r->path, &entries));
    for (const char **name = names_of(&entries); *name != NULL; name++)
        if (strstr(*name, TEMPORARY) != NULL && registry_link_read(r, *name) != NULL)
            TRY(file_remove_tree(path_join(r->arena, r->path, *name)));
    return ST_OK;
}

static enum status prune_locked(const struct registry *r, const struct prune_args *args,
                                struct prune_result *out)
{
    struct names stay = { .arena = r->arena };
    const char **kept;

    TRY(kept_versions(r, args->keep, &kept));
    if (!args->dry)
        TRY(remove_links(r));
    TRY(prune_versions(r, args->dry, kept, &stay, out));
    return prune_reports(r, args->dry, kept_reports(r, names_of(&stay)), out);
}

enum status registry_prune(struct arena *a, const struct prune_args *args, struct prune_result *out)
{
    struct registry r = registry_at(a, args->registry);
    enum status st;

    *out = (struct prune_result){ 0 };
    if (!file_is_folder(r.versions))
        return fail(ST_MISSING, "there is no registry '%s' (`tundish promote` makes one)", r.path);
    TRY(registry_lock(&r, NULL));
    st = prune_locked(&r, args, out);
    registry_unlock(&r);
    return st;
}

/* ---- the whole, as JSON ---- */

/* since: when the alias came to its version, not when it got another report. */
static json_t *alias_json(const struct registry *r, const char *alias, const char *version)
{
    const struct registry_event *since = NULL;

    for (size_t i = 0; i < r->history.count; i++) {
        const struct registry_event *e = &r->history.v[i];

        if (strcmp(e->alias, alias) != 0)
            continue;
        if (strcmp(e->version, version) != 0)
            since = NULL;
        else if (since == NULL)
            since = e;
    }
    return json_pack("{s:s, s:s, s:s?, s:b, s:o, s:s?, s:s?}", "alias", alias, "version", version,
                     "digest", digest_of(r->arena, registry_version_path(r, version)), "report",
                     registry_report_of(r, alias, version) != NULL, "since",
                     since != NULL ? json_real(since->t) : json_null(), "by",
                     since != NULL ? since->by : NULL, "note",
                     since != NULL ? since->note : NULL);
}

static bool leads_to(const struct registry *r, const char *alias, const char *version)
{
    const char *now = registry_link_read(r, alias);

    return now != NULL && strcmp(now, version) == 0;
}

static json_t *version_json(const struct registry *r, const char *version,
                            const char *const *links)
{
    const char *folder = registry_version_path(r, version);
    struct prune_result bytes = { 0 };
    json_t *aliases = json_array();

    add_bytes(r->arena, folder, &bytes);
    for (; *links != NULL; links++)
        if (leads_to(r, *links, version))
            json_array_append_new(aliases, json_string(*links));
    return json_pack("{s:s, s:s?, s:I, s:b, s:o}", "version", version, "digest",
                     digest_of(r->arena, folder), "bytes",
                     (json_int_t)(bytes.freed + bytes.shared), "report",
                     *kept_reports(r, (const char *const[]){ version, NULL }) != NULL, "aliases",
                     aliases);
}

/* The aliases that stand so beside their last event. */
static json_t *aliases_json(const struct registry *r, enum registry_agreement want)
{
    const char **aliases = registry_history_aliases(r->arena, &r->history);
    json_t *names = json_array();

    for (; *aliases != NULL; aliases++)
        if (registry_agreement(r, *aliases) == want)
            json_array_append_new(names, json_string(*aliases));
    return names;
}

enum status registry_json(struct arena *a, const char *path, json_t **out)
{
    struct registry r = registry_at(a, path);
    struct names entries = { .arena = a };
    json_t *aliases, *versions, *history;
    const char **links;

    if (!file_is_folder(r.versions))
        return fail(ST_MISSING, "there is no registry '%s' (`tundish promote` makes one)", path);
    TRY(registry_links(&r, &links));
    TRY(registry_history_read(a, r.history_path, &r.history));
    TRY(list_folder(&r, r.versions, &entries));
    aliases = json_array();
    versions = json_array();
    history = json_array();
    for (const char **name = links; *name != NULL; name++) {
        const char *version = registry_link_read(&r, *name);

        if (version != NULL)
            json_array_append_new(aliases, alias_json(&r, *name, version));
    }
    for (const char **name = names_of(&entries); *name != NULL; name++)
        if (registry_is_version(*name))
            json_array_append_new(versions, version_json(&r, *name, links));
    for (size_t i = 0; i < r.history.count; i++)
        json_array_append_new(history, registry_event_json(&r.history.v[i]));
    *out = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "registry", path, "aliases", aliases,
                     "versions", versions, "history", history, "pending",
                     aliases_json(&r, ALIAS_CUT_OFF), "apart", aliases_json(&r, ALIAS_APART));
    BUG_IF(*out == NULL);
    return ST_OK;
}
