#include "pipelines/registry/registry.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/platform.h"
#include "base/stop.h"
#include "pipelines/registry/registry_part.h"
#include "store/artifact.h"

#define LINK_HEAD "versions/"
#define LOCK_WAIT_MS 60000
#define LOCK_NAP_MS 20

/* ---- names ---- */

struct registry_name {
    const char *registry, *alias;
};

static enum status parse_name(struct arena *a, const char *path, struct registry_name *out)
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
                    "neither 'versions' nor 'lock'",
                    path, slash + 1);
    out->alias = slash + 1;
    out->registry = slash == whole ? "/" : arena_strndup(a, whole, (size_t)(slash - whole));
    return ST_OK;
}

struct registry registry_at(struct arena *a, const char *path)
{
    return (struct registry){ .arena = a, .path = path, .versions = path_join(a, path, "versions"),
                              .history_path = path_join(a, path, "history.jsonl"),
                              .lock = { .fd = -1 } };
}

char *registry_version_path(const struct registry *r, const char *version)
{
    return path_join(r->arena, r->versions, version);
}

char *registry_report_path(const struct registry *r, const char *version)
{
    return arena_printf(r->arena, "%s/%s.report", r->versions, version);
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

/* What stands under the alias's name must be a link of ours, or nothing. */
static enum status check_link(const struct registry *r, const char *alias)
{
    const char *path = path_join(r->arena, r->path, alias);
    struct stat s;

    if (lstat(path, &s) == 0 && registry_link_read(r, alias) == NULL)
        return fail(ST_USAGE,
                    "'%s' is no alias of a registry: want a link to versions/<%d hex digits>", path,
                    VERSION_DIGITS);
    return ST_OK;
}

static enum status swap_link(const struct registry *r, const char *alias, const char *version)
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

/* What the history says and no alias does yet: its writer was killed in between. */
static enum status carry_out(const struct registry *r)
{
    const char **aliases = registry_history_aliases(r->arena, &r->history);

    for (; *aliases != NULL; aliases++) {
        const struct registry_event *last = registry_history_last(&r->history, *aliases);
        const char *now = registry_link_read(r, *aliases);

        if (now != NULL && strcmp(now, last->version) == 0)
            continue;
        TRY(check_link(r, *aliases));
        if (!file_is_folder(registry_version_path(r, last->version))) {
            log_warn("%s/%s should lead to version %s, whose files are gone", r->path, *aliases,
                     last->version);
            continue;
        }
        TRY(swap_link(r, *aliases, last->version));
        log_info("%s/%s: completed a %s to %s that was cut off", r->path, *aliases,
                 registry_event_words[last->kind], last->version);
    }
    return ST_OK;
}

enum status registry_lock(struct registry *r)
{
    enum status st;

    TRY(wait_for_lock(r));
    st = registry_history_read(r->arena, r->history_path, &r->history);
    if (st == ST_OK)
        st = carry_out(r);
    if (st != ST_OK)
        registry_unlock(r);
    return st;
}

void registry_unlock(struct registry *r) { file_lock_drop(&r->lock); }

/* ---- events ---- */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)(t.tv_nsec / 1000000) / 1000;
}

static const char *user_at_host(struct arena *a)
{
    const struct passwd *user = getpwuid(geteuid());
    const char *name = user != NULL ? user->pw_name : arena_printf(a, "uid %ld", (long)geteuid());
    const char *both = arena_printf(a, "%s@%s", name, host_name());

    return utf8_valid(both, strlen(both)) ? both : "unknown";
}

/* The report that stands beside the version; NULL: none. */
static const char *report_digest(const struct registry *r, const char *version)
{
    const char *path = registry_report_path(r, version), *digest;
    json_t *manifest;

    if (!file_exists(path) || artifact_open(path, "report", &manifest) != ST_OK)
        return NULL;
    digest = arena_strdup(r->arena, artifact_digest(manifest));
    json_decref(manifest);
    return digest;
}

struct move {
    enum registry_event_kind kind;
    const char *alias, *version, *digest, *note;
};

/* Says it, then does it. */
static enum status move_alias(struct registry *r, const struct move *m, struct promotion *out)
{
    struct registry_event e = { .t = now(), .kind = m->kind, .alias = m->alias,
                                .version = m->version, .digest = m->digest,
                                .before = registry_link_read(r, m->alias),
                                .report = report_digest(r, m->version),
                                .by = user_at_host(r->arena),
                                .note = m->note != NULL ? m->note : "" };

    TRY(registry_history_append(r->arena, r->history_path, &r->history, &e));
    TRY(swap_link(r, m->alias, m->version));
    out->changed = true;
    return ST_OK;
}

static void fill(const struct registry *r, const struct move *m, struct promotion *out)
{
    const char *before = registry_link_read(r, m->alias);

    *out = (struct promotion){ 0 };
    snprintf(out->version, sizeof out->version, "%s", m->version);
    snprintf(out->digest, sizeof out->digest, "%s", m->digest);
    snprintf(out->before, sizeof out->before, "%s", before != NULL ? before : "");
}

static enum status check_note(const char *note)
{
    if (note != NULL && !utf8_valid(note, strlen(note)))
        return fail(ST_USAGE, "the note is not UTF-8");
    return ST_OK;
}

/* ---- promote ---- */

/* An artifact that is to come in: whole, of the kind, every byte as it was made. */
static enum status open_whole(const char *path, const char *kind, json_t **manifest)
{
    enum status st;

    TRY(artifact_open(path, kind, manifest));
    st = artifact_verify(path, *manifest);
    if (st != ST_OK) {
        json_decref(*manifest);
        *manifest = NULL;
    }
    return st;
}

/* Two models with the same first digits: 2^-64 a pair, but then nothing may be mistaken. */
static enum status check_version(const struct registry *r, const struct move *m)
{
    for (size_t i = 0; i < r->history.count; i++) {
        const struct registry_event *e = &r->history.v[i];

        if (strcmp(e->version, m->version) == 0 && strcmp(e->digest, m->digest) != 0)
            return fail(ST_UNSUPPORTED, "'%s': version %s is the model %s already, not %s", r->path,
                        m->version, e->digest, m->digest);
    }
    return ST_OK;
}

static bool is_promoted(const struct registry *r, const struct move *m, const json_t *report)
{
    const struct registry_event *last = registry_history_last(&r->history, m->alias);
    const char *link = registry_link_read(r, m->alias);

    if (last == NULL || link == NULL || strcmp(link, m->version) != 0 ||
        strcmp(last->version, m->version) != 0)
        return false;
    return report == NULL ||
           (last->report != NULL && strcmp(last->report, artifact_digest(report)) == 0);
}

static enum status promote_locked(struct registry *r, const struct promote_args *args,
                                  const struct move *m, const json_t *model, const json_t *report,
                                  struct promotion *out)
{
    TRY(check_link(r, m->alias));
    TRY(check_version(r, m));
    fill(r, m, out);
    TRY(registry_put(r->arena, args->model, model, registry_version_path(r, m->version)));
    if (report != NULL)
        TRY(registry_put(r->arena, args->report, report, registry_report_path(r, m->version)));
    return is_promoted(r, m, report) ? ST_OK : move_alias(r, m, out);
}

static enum status promote(struct arena *a, const struct promote_args *args, const json_t *model,
                           const json_t *report, struct promotion *out)
{
    struct move m = { .kind = EVENT_PROMOTE, .digest = artifact_digest(model),
                      .version = arena_strndup(a, artifact_digest(model), VERSION_DIGITS),
                      .note = args->note };
    struct registry_name name;
    struct registry r;
    enum status st;

    TRY(parse_name(a, args->to, &name));
    m.alias = name.alias;
    r = registry_at(a, name.registry);
    TRY(file_make_folders(r.versions));
    TRY(registry_lock(&r));
    st = promote_locked(&r, args, &m, model, report, out);
    registry_unlock(&r);
    return st;
}

enum status registry_promote(struct arena *a, const struct promote_args *args,
                             struct promotion *out)
{
    json_t *model = NULL, *report = NULL;
    struct registry_name name;
    enum status st;

    TRY(parse_name(a, args->to, &name));         /* before hashing gigabytes */
    TRY(check_note(args->note));
    st = open_whole(args->model, "model", &model);
    if (st == ST_OK && args->report != NULL)
        st = open_whole(args->report, "report", &report);
    if (st == ST_OK)
        st = promote(a, args, model, report, out);
    json_decref(model);
    json_decref(report);
    return st;
}

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

    TRY(parse_name(a, path, &name));
    r = registry_at(a, name.registry);
    TRY(check_link(&r, name.alias));
    *out = registry_link_read(&r, name.alias) != NULL;
    *nearest = *out ? NULL : nearest_alias(&r, name.alias);
    return ST_OK;
}

static enum status missing(const struct registry *r, const char *alias)
{
    const char *near = nearest_alias(r, alias);

    if (!file_is_folder(r->path))
        return fail(ST_MISSING, "there is no registry '%s' (`tundish promote` makes one)", r->path);
    if (near != NULL)
        return fail(ST_MISSING, "nothing is promoted as '%s/%s'; did you mean '%s'?", r->path,
                    alias, near);
    return fail(ST_MISSING, "nothing is promoted as '%s/%s'", r->path, alias);
}

static enum status open_version(const struct registry *r, const char *version, json_t **manifest)
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
    struct registry r;
    json_t *manifest;
    enum status st;

    TRY(parse_name(a, path, &name));
    r = registry_at(a, name.registry);
    TRY(check_link(&r, name.alias));
    out->version = registry_link_read(&r, name.alias);
    if (out->version == NULL)
        return missing(&r, name.alias);
    st = open_version(&r, out->version, &manifest);
    if (st != ST_OK)
        return fail_within(st == ST_MISSING ? ST_INTEGRITY : st, "what '%s' leads to: ", path);
    memcpy(out->digest, artifact_digest(manifest), SHA256_HEX);
    json_decref(manifest);
    out->model = registry_version_path(&r, out->version);
    out->report = registry_report_path(&r, out->version);
    if (!file_exists(out->report))
        out->report = NULL;
    return ST_OK;
}

/* ---- rollback ---- */

/* Every version that the alias had, once each, NULL-terminated. */
static const char **had(const struct registry *r, const char *alias)
{
    const char **v = arena_array(r->arena, 2 * r->history.count + 1, sizeof *v);
    size_t count = 0;

    for (size_t i = 0; i < r->history.count; i++) {
        const struct registry_event *e = &r->history.v[i];

        if (strcmp(e->alias, alias) != 0)
            continue;
        if (e->before != NULL)
            v[count++] = e->before;
        v[count++] = e->version;
    }
    return v;
}

static enum status choose_named(const struct registry *r, const char *alias, const char *want,
                                const char **out)
{
    const char **v = had(r, alias), *near = str_nearest(want, v);

    for (const char **p = v; *p != NULL; p++)
        if (strcmp(*p, want) == 0) {
            *out = *p;
            return ST_OK;
        }
    if (near != NULL)
        return fail(ST_MISSING, "'%s/%s' never was version '%s'; did you mean '%s'?", r->path,
                    alias, want, near);
    return fail(ST_MISSING,
                "'%s/%s' never was version '%s', want %d hex digits as `tundish registry %s` tells",
                r->path, alias, want, VERSION_DIGITS, r->path);
}

static enum status choose(const struct registry *r, const char *alias, const char *want,
                          const char **out)
{
    struct version_stack s;

    if (want != NULL)
        return choose_named(r, alias, want, out);
    s = registry_history_stack(r->arena, &r->history, alias);
    if (s.count < 2)
        return fail(ST_MISSING, "there is no version of '%s/%s' before %s to go back to", r->path,
                    alias, s.count > 0 ? s.v[0] : "this one");
    *out = s.v[s.count - 2];
    return ST_OK;
}

static enum status rollback_locked(struct registry *r, const struct rollback_args *args,
                                   const char *alias, struct promotion *out)
{
    struct move m = { .kind = EVENT_ROLLBACK, .alias = alias, .note = args->note };
    json_t *manifest;
    enum status st;

    TRY(check_link(r, alias));
    if (registry_link_read(r, alias) == NULL)
        return missing(r, alias);
    TRY(choose(r, alias, args->to, &m.version));
    if (!file_exists(registry_version_path(r, m.version)))
        return fail(ST_MISSING,
                    "the files of version %s are gone from '%s' (pruned?); promote that model again",
                    m.version, r->path);
    TRY(open_version(r, m.version, &manifest));
    m.digest = artifact_digest(manifest);
    fill(r, &m, out);
    st = strcmp(out->before, m.version) == 0 ? ST_OK : move_alias(r, &m, out);
    json_decref(manifest);
    return st;
}

enum status registry_rollback(struct arena *a, const struct rollback_args *args,
                              struct promotion *out)
{
    struct registry_name name;
    struct registry r;
    enum status st;

    TRY(parse_name(a, args->alias, &name));
    TRY(check_note(args->note));
    r = registry_at(a, name.registry);
    if (!file_is_folder(r.path))
        return missing(&r, name.alias);
    TRY(registry_lock(&r));
    st = rollback_locked(&r, args, name.alias, out);
    registry_unlock(&r);
    return st;
}
