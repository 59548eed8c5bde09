#include "pipelines/registry/registry.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pipelines/registry/registry_part.h"
#include "base/log.h"
#include "base/stop.h"
#include "store/artifact/artifact.h"

#define LINK_HEAD "versions/"
#define LOCK_WAIT_MS 60000
#define LOCK_NAP_MS 20

/* ---- names ---- */

enum status registry_name_parse(struct arena *a, const char *path, struct registry_name *out)
{
    size_t n = strlen(path);
    const char *whole, *slash;

    while (n > 1 && path[n - 1] == '/')
        n--;
    whole = arena_strndup(a, path, n);
    slash = strrchr(whole, '/');
    if (slash == NULL)
        return fail(ST_USAGE, "'%s' is no alias of a registry, want REGISTRY/ALIAS, as "
                              "registry/champion", path);
    if (!registry_is_alias(slash + 1))
        return fail(ST_USAGE,
                    "'%s': '%s' cannot be an alias, want 1 to 64 letters, digits, - and _, and "
                    "none of 'versions', 'reports' and 'lock'",
                    path, slash + 1);
    out->alias = slash + 1;
    out->registry = slash == whole ? "/" : arena_strndup(a, whole, (size_t)(slash - whole));
    return ST_OK;
}

struct registry registry_at(struct arena *a, const char *path)
{
    return (struct registry){ .arena = a, .path = path, .versions = path_join(a, path, "versions"),
                              .reports = path_join(a, path, "reports"),
                              .history_path = path_join(a, path, "history.jsonl"),
                              .lock = { .fd = -1 } };
}

char *registry_version_path(const struct registry *r, const char *version)
{
    return path_join(r->arena, r->versions, version);
}

char *registry_report_path(const struct registry *r, const char *digest)
{
    return arena_printf(r->arena, "%s/%.*s", r->reports, VERSION_DIGITS, digest);
}

const char *registry_report_of(const struct registry *r, const char *alias, const char *version)
{
    const char *digest = registry_history_report(&r->history, alias, version);

    return digest != NULL && file_exists(registry_report_path(r, digest)) ? digest : NULL;
}

/* ---- aliases ---- */

const char *registry_link_read(const struct registry *r, const char *alias)
{
    char target[sizeof LINK_HEAD + VERSION_DIGITS];
    ssize_t n = readlink(path_join(r->arena, r->path, alias), target, sizeof target);

    if (n != (ssize_t)sizeof target - 1)
        return NULL;
    target[n] = 0;
    if (strncmp(target, LINK_HEAD, strlen(LINK_HEAD)) != 0 ||
        !registry_is_version(target + strlen(LINK_HEAD)))
        return NULL;
    return arena_strdup(r->arena, target + strlen(LINK_HEAD));
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum status registry_links(const struct registry *r, const char ***out)
{
    size_t count = 0, cap = 16;
    const char **names = arena_array(r->arena, cap, sizeof *names);
    DIR *d = opendir(r->path);

    if (d == NULL)
        return fail_errno(errno == ENOENT ? ST_MISSING : ST_IO, "cannot open the registry '%s'",
                          r->path);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (!registry_is_alias(e->d_name) || registry_link_read(r, e->d_name) == NULL)
            continue;
        if (count + 1 == cap) {
            const char **more = arena_array(r->arena, cap *= 2, sizeof *more);

            memcpy(more, names, count * sizeof *names);
            names = more;
        }
        names[count++] = arena_strdup(r->arena, e->d_name);
    }
    closedir(d);
    qsort(names, count, sizeof *names, by_bytes);
    *out = names;
    return ST_OK;
}

enum status registry_link_check(const struct registry *r, const char *alias)
{
    const char *path = path_join(r->arena, r->path, alias);
    struct stat s;

    if (lstat(path, &s) == 0 && registry_link_read(r, alias) == NULL)
        return fail(ST_USAGE,
                    "'%s' is no alias of a registry: want a link to versions/<%d hex digits>", path,
                    VERSION_DIGITS);
    return ST_OK;
}

enum status registry_link_swap(const struct registry *r, const char *alias, const char *version)
{
    const char *link = path_join(r->arena, r->path, alias);
    const char *temporary = arena_printf(r->arena, "%s.tmp.%ld", link, (long)getpid());

    (void)unlink(temporary);
    if (symlink(arena_printf(r->arena, LINK_HEAD "%s", version), temporary) != 0)
        return fail_errno(ST_IO, "cannot create the link '%s'", temporary);
    return file_rename(temporary, link);
}

/* ---- the lock ---- */

static enum status wait_for_lock(struct registry *r)
{
    const struct timespec nap = { 0, LOCK_NAP_MS * 1000000L };
    const char *path = path_join(r->arena, r->path, "lock");
    enum status st = ST_HELD;

    for (int ms = 0; st == ST_HELD && ms < LOCK_WAIT_MS; ms += LOCK_NAP_MS) {
        if (ms > 0)
            nanosleep(&nap, NULL);
        if (stop_requested())
            return fail(ST_INTERRUPTED, "stopped while another process held '%s'", path);
        st = file_lock_take(&r->lock, path);
    }
    return st;
}

/* Does what stands under the name say what the alias was before the event? */
static bool is_before(const struct registry *r, const struct registry_event *e)
{
    const char *link = registry_link_read(r, e->alias);
    struct stat s;

    if (e->before == NULL)
        return lstat(path_join(r->arena, r->path, e->alias), &s) != 0 && errno == ENOENT;
    return link != NULL && strcmp(link, e->before) == 0;
}

enum registry_agreement registry_agreement(const struct registry *r, const char *alias)
{
    const struct registry_event *last = registry_history_last(&r->history, alias);
    const char *link = registry_link_read(r, alias);

    if (link != NULL && strcmp(link, last->version) == 0)
        return ALIAS_AGREES;
    return last == &r->history.v[r->history.count - 1] && is_before(r, last) ? ALIAS_CUT_OFF
                                                                            : ALIAS_APART;
}

void registry_warn_apart(const struct registry *r, const char *alias)
{
    const struct registry_event *last = registry_history_last(&r->history, alias);
    const char *path = path_join(r->arena, r->path, alias);
    char target[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof target - 1);

    target[n > 0 ? n : 0] = 0;
    if (registry_link_read(r, alias) != NULL)
        log_warn("'%s' leads to %s, the history says %s; promote or rollback it to make them agree",
                 path, target + strlen(LINK_HEAD), last->version);
    else if (n > 0)
        log_warn("'%s' leads to '%s', the history says %s; remove that link and promote it to make "
                 "them agree", path, target, last->version);
    else
        log_warn("'%s' is no link, the history says %s; promote it to make them agree", path,
                 last->version);
}

static enum status complete(const struct registry *r, const struct registry_event *e)
{
    if (!file_is_folder(registry_version_path(r, e->version))) {
        log_warn("%s/%s should lead to version %s, whose files are gone", r->path, e->alias,
                 e->version);
        return ST_OK;
    }
    TRY(registry_link_swap(r, e->alias, e->version));
    log_info("%s/%s: completed a %s to %s that was cut off", r->path, e->alias,
             registry_event_words[e->kind], e->version);
    return ST_OK;
}

/* What the history says and no alias does yet. Who has the lock writes one event and swaps one
 * link, so only the last event can have been cut off; any other difference was made by a person,
 * who is told of it. Not of `asked`, which is about to move. */
static enum status carry_out(const struct registry *r, const char *asked)
{
    const char **aliases = registry_history_aliases(r->arena, &r->history);

    for (; *aliases != NULL; aliases++) {
        enum registry_agreement seen = registry_agreement(r, *aliases);

        if (seen == ALIAS_CUT_OFF)
            TRY(complete(r, registry_history_last(&r->history, *aliases)));
        else if (seen == ALIAS_APART && (asked == NULL || strcmp(asked, *aliases) != 0))
            registry_warn_apart(r, *aliases);
    }
    return ST_OK;
}

enum status registry_lock(struct registry *r, const char *asked)
{
    enum status st;

    TRY(wait_for_lock(r));
    st = registry_history_read(r->arena, r->history_path, &r->history);
    if (st == ST_OK)
        st = carry_out(r, asked);
    if (st != ST_OK)
        registry_unlock(r);
    return st;
}

void registry_unlock(struct registry *r) { file_lock_drop(&r->lock); }

/* ---- finding ---- */

static const char *nearest_alias(const struct registry *r, const char *alias)
{
    const char **links, *near;

    if (!file_is_folder(r->path) || registry_links(r, &links) != ST_OK)
        return NULL;
    near = str_nearest(alias, links);
    return near != NULL ? path_join(r->arena, r->path, near) : NULL;
}

enum status registry_has(struct arena *a, const char *path, bool *out, const char **nearest)
{
    struct registry_name name;
    struct registry r;

    TRY(registry_name_parse(a, path, &name));
    r = registry_at(a, name.registry);
    TRY(registry_link_check(&r, name.alias));
    *out = registry_link_read(&r, name.alias) != NULL;
    *nearest = *out ? NULL : nearest_alias(&r, name.alias);
    return ST_OK;
}

enum status registry_missing(const struct registry *r, const char *alias)
{
    const char *near = nearest_alias(r, alias);

    if (!file_is_folder(r->path))
        return fail(ST_MISSING, "there is no registry '%s' (`tundish promote` makes one)", r->path);
    if (near != NULL)
        return fail(ST_MISSING, "nothing is promoted as '%s/%s'; did you mean '%s'?", r->path,
                    alias, near);
    return fail(ST_MISSING, "nothing is promoted as '%s/%s'", r->path, alias);
}

enum status registry_open_version(const struct registry *r, const char *version, json_t **manifest)
{
    enum status st = artifact_open(registry_version_path(r, version), "model", manifest);

    if (st == ST_OK && strncmp(artifact_digest(*manifest), version, VERSION_DIGITS) != 0) {
        st = fail(ST_INTEGRITY, "version %s of '%s' holds the model %s", version, r->path,
                  artifact_digest(*manifest));
        json_decref(*manifest);
    }
    return st;
}

enum status registry_resolve(struct arena *a, const char *path, struct registry_place *out)
{
    struct registry_name name;
    const char *report;
    struct registry r;
    json_t *manifest;
    enum status st;

    TRY(registry_name_parse(a, path, &name));
    r = registry_at(a, name.registry);
    TRY(registry_link_check(&r, name.alias));
    out->version = registry_link_read(&r, name.alias);
    if (out->version == NULL)
        return registry_missing(&r, name.alias);
    st = registry_open_version(&r, out->version, &manifest);
    if (st != ST_OK)
        return fail_within(st == ST_MISSING ? ST_INTEGRITY : st, "what '%s' leads to: ", path);
    memcpy(out->digest, artifact_digest(manifest), SHA256_HEX);
    json_decref(manifest);
    out->model = registry_version_path(&r, out->version);
    TRY(registry_history_read(a, r.history_path, &r.history));
    report = registry_report_of(&r, name.alias, out->version);
    out->report = report != NULL ? registry_report_path(&r, report) : NULL;
    return ST_OK;
}
