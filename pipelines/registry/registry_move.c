/* What moves an alias: promote and rollback. */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/platform.h"
#include "pipelines/registry/registry_part.h"
#include "store/artifact/artifact.h"
#include "store/artifact/manifest.h"

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

struct move {
    enum registry_event_kind kind;
    const char *alias, *version, *digest, *note;
    const char *report;              /* its digest; NULL: none */
};

/* Says it, then does it. */
static enum status move_alias(struct registry *r, const struct move *m, struct promotion *out)
{
    struct registry_event e = { .t = now(), .kind = m->kind, .alias = m->alias,
                                .version = m->version, .digest = m->digest,
                                .before = registry_link_read(r, m->alias),
                                .report = m->report,
                                .by = user_at_host(r->arena),
                                .note = m->note != NULL ? m->note : "" };

    TRY(registry_history_append(r->arena, r->history_path, &r->history, &e));
    TRY(registry_link_swap(r, m->alias, m->version));
    out->changed = true;
    return ST_OK;
}

/* Does the alias lead to the version, and the history say so? */
static bool is_there(const struct registry *r, const char *alias, const char *version)
{
    const struct registry_event *last = registry_history_last(&r->history, alias);
    const char *link = registry_link_read(r, alias);

    return last != NULL && link != NULL && strcmp(link, version) == 0 &&
           strcmp(last->version, version) == 0;
}

static void fill(const struct registry *r, const struct move *m, struct promotion *out)
{
    const char *before = registry_link_read(r, m->alias);

    *out = (struct promotion){ 0 };
    snprintf(out->version, sizeof out->version, "%s", m->version);
    snprintf(out->digest, sizeof out->digest, "%s", m->digest);
    snprintf(out->before, sizeof out->before, "%s", before != NULL ? before : "");
    out->untold = before != NULL && !is_there(r, m->alias, before);
}

static enum status check_note(const char *note)
{
    if (note != NULL && !utf8_valid(note, strlen(note)))
        return fail(ST_USAGE, "the note is not UTF-8");
    return ST_OK;
}

/* ---- promote ---- */

static bool is_mistaken(const char *a, const char *b)
{
    return a != NULL && b != NULL && strncmp(a, b, VERSION_DIGITS) == 0 && strcmp(a, b) != 0;
}

/* Two of the same first digits: 2^-64 a pair, but then nothing may be mistaken. */
static enum status check_names(const struct registry *r, const struct move *m)
{
    for (size_t i = 0; i < r->history.count; i++) {
        const struct registry_event *e = &r->history.v[i];

        if (is_mistaken(e->digest, m->digest))
            return fail(ST_UNSUPPORTED, "'%s': version %s is the model %s already, not %s", r->path,
                        m->version, e->digest, m->digest);
        if (is_mistaken(e->report, m->report))
            return fail(ST_UNSUPPORTED, "'%s': '%s' is the report %s already, not %s", r->path,
                        registry_report_path(r, m->report), e->report, m->report);
    }
    return ST_OK;
}

static bool is_promoted(const struct registry *r, const struct move *m)
{
    const struct registry_event *last = registry_history_last(&r->history, m->alias);

    if (!is_there(r, m->alias, m->version))
        return false;
    return m->report == NULL || (last->report != NULL && strcmp(last->report, m->report) == 0);
}

static enum status put_report(const struct registry *r, const char *from, const json_t *report)
{
    if (!file_is_folder(r->reports)) {
        TRY(file_make_folders(r->reports));
        TRY(file_sync_folder(r->path));          /* the event that comes next names what is in it */
    }
    return registry_put(r->arena, from, report, registry_report_path(r, artifact_digest(report)));
}

static enum status promote_locked(struct registry *r, const struct promote_args *args,
                                  struct move *m, const json_t *model, const json_t *report,
                                  struct promotion *out)
{
    TRY(registry_link_check(r, m->alias));
    m->report = report != NULL ? artifact_digest(report)
                               : registry_report_of(r, m->alias, m->version);
    TRY(check_names(r, m));
    fill(r, m, out);
    TRY(registry_put(r->arena, args->model, model, registry_version_path(r, m->version)));
    if (report != NULL)
        TRY(put_report(r, args->report, report));
    return is_promoted(r, m) ? ST_OK : move_alias(r, m, out);
}

/* REGISTRY/ALIAS/ALIAS, say: a folder in the middle of an artifact would be none of its files. */
static enum status check_registry(struct arena *a, const char *path)
{
    if (file_exists(path_join(a, path, MANIFEST_NAME)))
        return fail(ST_USAGE,
                    "'%s' is an artifact (it has a " MANIFEST_NAME "), no registry; want "
                    "REGISTRY/ALIAS, as registry/champion", path);
    return ST_OK;
}

static bool has_input(const json_t *manifest, const char *option, const char *digest)
{
    const json_t *seen;
    size_t i;

    json_array_foreach(json_object_get(json_object_get(manifest, "inputs"), option), i, seen)
        if (strcmp(json_string_value(seen), digest) == 0)
            return true;
    return false;
}

/* A report tells of what evaluate was given: this model, or the checkpoint that it was exported
 * from. One that names no model, as a program of others may make it, is taken at its word. */
static enum status check_report(const struct promote_args *args, const json_t *model,
                                const json_t *report)
{
    const json_t *about = json_object_get(json_object_get(report, "inputs"), "model"), *seen;
    size_t i;

    json_array_foreach(about, i, seen) {
        const char *digest = json_string_value(seen);

        if (strcmp(digest, artifact_digest(model)) == 0 || has_input(model, "checkpoint", digest))
            return ST_OK;
    }
    if (json_array_size(about) == 0)
        return ST_OK;
    return fail(ST_USAGE,
                "the report '%s' is about the model %s, but '%s' is the model %s; want a report of "
                "that model or of the checkpoint it was exported from",
                args->report, json_string_value(json_array_get(about, 0)), args->model,
                artifact_digest(model));
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

    TRY(registry_name_parse(a, args->to, &name));
    m.alias = name.alias;
    r = registry_at(a, name.registry);
    TRY(file_make_folders(r.versions));
    TRY(registry_lock(&r, name.alias));
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

    TRY(registry_name_parse(a, args->to, &name));         /* all checks before hashing gigabytes */
    TRY(check_registry(a, name.registry));
    TRY(check_note(args->note));
    st = artifact_open(args->model, "model", &model);
    if (st == ST_OK && args->report != NULL)
        st = artifact_open(args->report, "report", &report);
    if (st == ST_OK && report != NULL)
        st = check_report(args, model, report);
    if (st == ST_OK)
        st = artifact_verify(args->model, model);
    if (st == ST_OK && report != NULL)
        st = artifact_verify(args->report, report);
    if (st == ST_OK)
        st = promote(a, args, model, report, out);
    json_decref(model);
    json_decref(report);
    return st;
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

/* For an alias of a history that was lost. */
static const char *unknown(const struct registry *r, const char *alias)
{
    return registry_history_last(&r->history, alias) != NULL
               ? ""
               : arena_printf(r->arena, " ('%s' knows nothing of that alias)", r->history_path);
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
                "'%s/%s' never was version '%s'%s, want %d hex digits as `tundish registry %s` "
                "tells", r->path, alias, want, unknown(r, alias), VERSION_DIGITS, r->path);
}

/* An alias that is apart from the history goes back to what the history says. */
static enum status choose(const struct registry *r, const char *alias, const char *want,
                          const char **out)
{
    const char *link = registry_link_read(r, alias);
    struct version_stack s;
    size_t above;

    if (want != NULL)
        return choose_named(r, alias, want, out);
    s = registry_history_stack(r->arena, &r->history, alias);
    above = s.count > 0 && strcmp(s.v[s.count - 1], link) == 0;
    if (s.count <= above)
        return fail(ST_MISSING, "there is no version of '%s/%s' before %s to go back to%s", r->path,
                    alias, link, unknown(r, alias));
    *out = s.v[s.count - 1 - above];
    return ST_OK;
}

static enum status rollback_locked(struct registry *r, const struct rollback_args *args,
                                   const char *alias, struct promotion *out)
{
    struct move m = { .kind = EVENT_ROLLBACK, .alias = alias, .note = args->note };
    json_t *manifest;
    enum status st;

    TRY(registry_link_check(r, alias));
    if (registry_link_read(r, alias) == NULL)
        return registry_missing(r, alias);
    TRY(choose(r, alias, args->to, &m.version));
    if (!file_exists(registry_version_path(r, m.version)))
        return fail(ST_MISSING,
                    "the files of version %s are gone from '%s' (pruned?); promote that model again",
                    m.version, r->path);
    TRY(registry_open_version(r, m.version, &manifest));
    m.digest = artifact_digest(manifest);
    m.report = registry_report_of(r, alias, m.version);
    fill(r, &m, out);
    st = is_there(r, alias, m.version) ? ST_OK : move_alias(r, &m, out);
    json_decref(manifest);
    return st;
}

enum status registry_rollback(struct arena *a, const struct rollback_args *args,
                              struct promotion *out)
{
    struct registry_name name;
    struct registry r;
    enum status st;

    TRY(registry_name_parse(a, args->alias, &name));
    TRY(check_note(args->note));
    r = registry_at(a, name.registry);
    if (!file_is_folder(r.path))
        return registry_missing(&r, name.alias);
    TRY(registry_lock(&r, name.alias));
    st = rollback_locked(&r, args, name.alias, out);
    registry_unlock(&r);
    return st;
}
