#include "store/artifact/artifact.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/bench.h"
#include "base/file.h"
#include "base/platform.h"
#include "store/artifact/digests.h"
#include "store/artifact/manifest.h"

#define MANIFEST_LIMIT (256u << 20)
#define OPEN_TRIES 10           /* while it is changed again and again */

struct artifact {
    struct arena arena;
    const struct command *command;
    const char *path, *folder;      /* final, and while being written */
    json_t *made_by, *inputs, *paths, *counts, *aside;
    json_t *known;                  /* files whose digests were told */
    double begun;
};

/* ---- digests of paths ---- */

/* Is the folder one of ours? Other programs write a manifest.json, too: ours says "tundish". */
static bool is_artifact(const char *folder)
{
    struct buf path = { 0 };
    json_t *manifest = NULL;
    bool ours;

    buf_printf(&path, "%s/" MANIFEST_NAME, folder);
    ours = file_exists(path.p) && json_read_file(path.p, &manifest) == ST_OK &&
           json_object_get(manifest, "tundish") != NULL;
    json_decref(manifest);
    buf_release(&path);
    return ours;
}

static enum status digest_artifact(const char *path, char digest[SHA256_HEX])
{
    json_t *manifest;

    TRY(artifact_open(path, NULL, &manifest));
    memcpy(digest, artifact_digest(manifest), SHA256_HEX);
    json_decref(manifest);
    return ST_OK;
}

enum status artifact_digest_in(struct digest_cache *cache, const char *path,
                               char digest[SHA256_HEX])
{
    if (!file_exists(path))
        return fail(ST_MISSING, "there is no '%s'", path);
    if (!file_is_folder(path))
        return digest_cache_file(cache, path, digest);
    return is_artifact(path) ? digest_artifact(path, digest)
                             : digest_cache_folder(cache, path, digest);
}

enum status artifact_digest_path(const char *path, const char *cache_file, char digest[SHA256_HEX])
{
    struct digest_cache *cache = digest_cache_open(cache_file);
    enum status st = artifact_digest_in(cache, path, digest);

    digest_cache_close(cache);
    return st;
}

/* ---- writing ---- */

/* One input row's digests (for "inputs") and paths (for "aside"). */
struct input_row {
    struct digest_cache *cache;
    json_t *digests, *paths;
};

static enum status add_input(struct input_row *row, const char *path)
{
    char digest[SHA256_HEX];

    TRY(artifact_digest_in(row->cache, path, digest));
    json_array_append_new(row->digests, json_string(digest));
    if (json_array_append_new(row->paths, json_string(path)) != 0)
        return fail(ST_CONFIG, "the path '%s' is not UTF-8, which a manifest cannot hold", path);
    return ST_OK;
}

static enum status add_path_of_tree(void *ctx, struct yaml *path)
{
    return add_input(ctx, path->text);
}

static enum status collect_row(const struct opt *o, const void *cfg, struct input_row *row)
{
    const char *field = (const char *)cfg + o->offset;

    if (o->type == OPT_T_INPUT) {
        const char *path = *(const char *const *)field;

        return path ? add_input(row, path) : ST_OK;
    }
    if (o->type == OPT_T_INPUTS) {
        const struct opt_list *list = (const struct opt_list *)field;

        for (size_t i = 0; i < list->count; i++)
            TRY(add_input(row, list->v[i]));
    }
    if (o->type == OPT_T_TREE && o->paths) {
        struct yaml *tree = *(struct yaml *const *)field;

        return tree ? o->paths(tree, add_path_of_tree, row) : ST_OK;
    }
    return ST_OK;
}

static enum status collect_inputs(struct artifact *a, const void *cfg, struct digest_cache *cache)
{
    for (const struct opt *o = a->command->opts; o && o->name; o++) {
        struct input_row row = { cache, json_array(), json_array() };
        enum status st = collect_row(o, cfg, &row);

        if (json_array_size(row.digests) > 0) {
            json_object_set(a->inputs, o->name, row.digests);
            json_object_set(a->paths, o->name, row.paths);
        }
        json_decref(row.digests);
        json_decref(row.paths);
        TRY(st);
    }
    return ST_OK;
}

/* ---- where it may be written ---- */

/* Only what this program wrote is ever replaced: a folder that holds anything else stays. */
static enum status check_place(const char *path)
{
    DIR *d = opendir(path);
    bool empty = true;

    if (d == NULL)
        return ST_OK; /* nothing there, or no folder: folder_begin() tells */
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        empty &= strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(d);
    if (empty || is_artifact(path))
        return ST_OK;
    return fail(ST_USAGE,
                "'%s' exists and is no artifact: writing there would remove what it holds; "
                "choose another folder",
                path);
}

/* One inside the other, or the same. */
static bool overlap(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), least = n < m ? n : m;

    return strncmp(a, b, least) == 0 && (n == m || (n > m ? a[m] : b[n]) == '/');
}

/* An output that stands in an input, or the other way round, would be read again or removed. */
static enum status check_apart(struct artifact *a)
{
    char *out = realpath(a->path, NULL), *in;
    const char *option;
    json_t *paths, *path;
    size_t i;

    if (out == NULL)
        return ST_OK; /* not there yet: nothing is removed */
    json_object_foreach(a->paths, option, paths) {
        json_array_foreach(paths, i, path) {
            in = realpath(json_string_value(path), NULL);
            if (in != NULL && overlap(out, in)) {
                free(in);
                free(out);
                return fail(ST_USAGE,
                            "the output '%s' and the input '%s' (%s) are one, or one inside the "
                            "other; choose another folder",
                            a->path, json_string_value(path), option);
            }
            free(in);
        }
    }
    free(out);
    return ST_OK;
}

static enum status begin(struct artifact *a, const void *cfg)
{
    struct digest_cache *cache = digest_cache_open(digest_cache_default(&a->arena));
    const struct command *c = a->command;
    const char *numeric = c->numeric_class ? c->numeric_class(cfg) : NULL;
    enum status st = check_place(a->path);

    if (st == ST_OK)
        st = collect_inputs(a, cfg, cache);
    if (st == ST_OK)
        st = check_apart(a);
    digest_cache_close(cache);
    TRY(st);
    a->made_by = json_pack("{s:s, s:i, s:o, s:s?}", "stage", c->name, "version", c->stage_version,
                           "options", opt_record(c->opts, cfg), "numeric_class", numeric);
    BUG_IF(a->made_by == NULL);
    return folder_begin(&a->arena, a->path, &a->folder);
}

enum status artifact_begin(const struct command *command, const void *cfg, const char *path,
                           struct artifact **out)
{
    struct artifact *a = mem_alloc(sizeof *a);
    enum status st;

    BUG_IF(command->makes == NULL);
    a->command = command;
    a->path = arena_strdup(&a->arena, path);
    a->inputs = json_object();
    a->paths = json_object();
    a->counts = json_object();
    a->aside = json_object();
    a->known = json_object();
    a->begun = bench_now();
    st = begin(a, cfg);
    if (st != ST_OK) {
        artifact_abort(a);
        return st;
    }
    *out = a;
    return ST_OK;
}

const char *artifact_folder(const struct artifact *a)
{
    return a->folder;
}

void artifact_set_counts(struct artifact *a, json_t *counts)
{
    json_decref(a->counts);
    a->counts = counts;
}

void artifact_tell_aside(struct artifact *a, const char *key, json_t *value)
{
    json_object_set_new(a->aside, key, value);
}

enum status artifact_check_inputs(const struct artifact *a, const void *cfg)
{
    struct artifact now = { .command = a->command, .inputs = json_object(), .paths = json_object() };
    struct digest_cache *cache;
    const char *option;
    json_t *was;
    enum status st;

    arena_init(&now.arena);
    cache = digest_cache_open(digest_cache_default(&now.arena));
    st = collect_inputs(&now, cfg, cache);
    digest_cache_close(cache);
    json_object_foreach(a->inputs, option, was)
        if (st == ST_OK && !json_equal(was, json_object_get(now.inputs, option)))
            st = fail(ST_FAILED, "what '%s' names was changed while it was read: what was made of it is of neither version",
                      option);
    json_decref(now.inputs);
    json_decref(now.paths);
    arena_release(&now.arena);
    return st;
}

void artifact_set_inputs(struct artifact *a, const json_t *inputs)
{
    json_decref(a->inputs);
    a->inputs = json_deep_copy(inputs);
}

json_t *artifact_run(const struct artifact *a)
{
    json_t *run = json_pack("{s:{s:O, s:O, s:O}, s:O}", "made_by", "version",
                            json_object_get(a->made_by, "version"), "options",
                            json_object_get(a->made_by, "options"), "numeric_class",
                            json_object_get(a->made_by, "numeric_class"), "inputs", a->inputs);

    BUG_IF(run == NULL);
    return run;
}

static json_t *file_entry(uint64_t bytes, const char *sha256)
{
    return json_pack("{s:I, s:s}", "bytes", (json_int_t)bytes, "sha256", sha256);
}

void artifact_know_file(struct artifact *a, const struct artifact_file *f)
{
    BUG_IF(json_object_set_new(a->known, f->name, file_entry(f->bytes, f->sha256)) != 0);
}

static void release(struct artifact *a)
{
    json_decref(a->made_by);
    json_decref(a->inputs);
    json_decref(a->paths);
    json_decref(a->aside);
    json_decref(a->counts);
    json_decref(a->known);
    arena_release(&a->arena);
    free(a);
}

void artifact_abort(struct artifact *a)
{
    if (a == NULL)
        return;
    if (a->folder)
        folder_abort(a->folder);
    release(a);
}

/* A digest that was told stands for the file it was told of as long as that has its size. */
static enum status describe_file(struct artifact *a, const char *name, json_t **entry)
{
    const char *path = path_join(&a->arena, a->folder, name);
    json_t *known = json_object_get(a->known, name);
    char hex[SHA256_HEX];
    uint64_t bytes;

    BUG_IF(strcmp(name, MANIFEST_NAME) == 0);
    if (known != NULL) {
        TRY(file_size(path, &bytes));
        if (bytes != (uint64_t)json_integer_value(json_object_get(known, "bytes")))
            return fail(ST_INTEGRITY, "'%s' has %llu bytes, want the %lld that it had when it was hashed", path,
                        (unsigned long long)bytes, json_integer_value(json_object_get(known, "bytes")));
        *entry = json_incref(known);
        return ST_OK;
    }
    TRY(sha256_file(path, hex, &bytes));
    *entry = file_entry(bytes, hex);
    return ST_OK;
}

static enum status describe_files(struct artifact *a, json_t *files)
{
    struct file_list list;
    json_t *entry = NULL;

    TRY(file_list_tree(&a->arena, a->folder, &list));
    for (size_t i = 0; i < list.count; i++) {
        TRY(describe_file(a, list.names[i], &entry));
        if (json_object_set_new(files, list.names[i], entry) != 0)
            return fail(ST_FORMAT, "the file name '%s' in '%s' is not UTF-8", list.names[i],
                        a->path);
    }
    return ST_OK;
}

/* What is worth knowing and says nothing about the content. */
static json_t *describe_circumstances(const struct artifact *a)
{
    time_t now = time(NULL);
    struct tm utc;
    char created[32];
    json_t *aside;

    gmtime_r(&now, &utc);
    strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &utc);
    aside =
        json_pack("{s:s, s:s, s:s, s:O, s:f}", "host", host_name(), "created", created, "program",
                  TUNDISH_VERSION, "paths", a->paths, "seconds", bench_now() - a->begun);
    BUG_IF(aside == NULL);
    json_object_update_missing(aside, a->aside);
    return aside;
}

static enum status write_manifest(struct artifact *a, char digest[SHA256_HEX])
{
    json_t *manifest =
        json_pack("{s:i, s:s, s:o, s:O, s:O, s:O, s:o}", "tundish", MANIFEST_VERSION, "kind",
                  a->command->makes, "files", json_object(), "made_by", a->made_by, "inputs",
                  a->inputs, "counts", a->counts, "aside", describe_circumstances(a));
    enum status st;

    BUG_IF(manifest == NULL);
    st = describe_files(a, json_object_get(manifest, "files"));
    if (st == ST_OK) {
        manifest_digest(manifest, digest);
        json_object_set_new(manifest, "digest", json_string(digest));
        st = json_write_new_file(path_join(&a->arena, a->folder, MANIFEST_NAME), manifest);
    }
    json_decref(manifest);
    return st;
}

enum status artifact_commit(struct artifact *a, char digest[SHA256_HEX])
{
    char own[SHA256_HEX];
    enum status st = write_manifest(a, digest ? digest : own);

    if (st == ST_OK)
        st = folder_commit(a->folder, a->path);
    if (st != ST_OK) {
        struct failure why;

        failure_save(&why, st);
        artifact_abort(a);               /* which may fail, too: the first one is told */
        return failure_restore(&why);
    }
    release(a);
    return ST_OK;
}

/* ---- reading ---- */

static enum status wrong_kind(const char *path, const char *seen, const char *want)
{
    command_list all = command_all();

    for (; all && *all; all++)
        if ((*all)->makes && strcmp((*all)->makes, want) == 0)
            return fail(ST_CONFIG, "'%s' is a %s, want a %s (`tundish %s` makes one)", path, seen,
                        want, (*all)->name);
    return fail(ST_CONFIG, "'%s' is a %s, want a %s", path, seen, want);
}

static enum status check_sizes(const char *path, const json_t *manifest)
{
    struct buf full = { 0 };
    enum status st = ST_OK;
    const char *name;
    json_t *file;

    json_object_foreach(json_object_get(manifest, "files"), name, file) {
        uint64_t want = (uint64_t)json_integer_value(json_object_get(file, "bytes")), seen;

        buf_clear(&full);
        buf_printf(&full, "%s/%s", path, name);
        st = file_size(full.p, &seen);
        if (st == ST_MISSING)
            st = fail(ST_INTEGRITY, "'%s' is missing, but the manifest names it", full.p);
        else if (st == ST_OK && seen != want)
            st = fail(ST_INTEGRITY, "'%s' has %llu bytes, its manifest wants %llu", full.p,
                      (unsigned long long)seen, (unsigned long long)want);
        if (st != ST_OK)
            break;
    }
    buf_release(&full);
    return st;
}

static enum status read_manifest(const char *path, json_t **manifest)
{
    struct buf name = { 0 }, text = { 0 };
    enum status st;
    uint64_t bytes;

    buf_printf(&name, "%s/" MANIFEST_NAME, path);
    if (!file_exists(path))
        st = fail(ST_MISSING, "there is no '%s'", path);
    else if (!file_exists(name.p))
        st = fail(ST_FORMAT, "'%s' is not a finished artifact: it has no " MANIFEST_NAME, path);
    else
        st = file_size(name.p, &bytes);          /* regular: no pipe that nobody writes to */
    if (st == ST_OK)
        st = file_read(name.p, MANIFEST_LIMIT, &text);
    if (st == ST_OK)
        st = manifest_parse(name.p, text.p, text.n, manifest);
    buf_release(&text);
    buf_release(&name);
    return st;
}

static enum status open_once(const char *path, const char *kind, json_t **manifest)
{
    const char *seen;
    enum status st;

    *manifest = NULL;
    TRY(read_manifest(path, manifest));
    seen = json_string_value(json_object_get(*manifest, "kind"));
    st = kind && strcmp(kind, seen) != 0 ? wrong_kind(path, seen, kind)
                                         : check_sizes(path, *manifest);
    if (st != ST_OK) {
        json_decref(*manifest);
        *manifest = NULL;
    }
    return st;
}

/* A change (artifact_amend.h) replaces the manifest, then removes files that the one before named. */
enum status artifact_open(const char *path, const char *kind, json_t **manifest)
{
    struct buf name = { 0 };
    enum status st = ST_OK;
    struct stat before, after;

    buf_printf(&name, "%s/" MANIFEST_NAME, path);
    for (int i = 0; i < OPEN_TRIES; i++) {
        bool there = stat(name.p, &before) == 0;

        st = open_once(path, kind, manifest);
        if (st == ST_OK || !there || stat(name.p, &after) != 0 || before.st_ino == after.st_ino)
            break;
    }
    buf_release(&name);
    return st;
}

const char *artifact_digest(const json_t *manifest)
{
    return json_string_value(json_object_get(manifest, "digest"));
}

uint64_t artifact_bytes(const json_t *manifest)
{
    const char *name;
    json_t *file;
    uint64_t sum = 0;

    json_object_foreach(json_object_get(manifest, "files"), name, file)
        sum += (uint64_t)json_integer_value(json_object_get(file, "bytes"));
    return sum;
}

enum status artifact_verify_file(const char *path, const json_t *manifest, const char *name)
{
    const json_t *file = json_object_get(json_object_get(manifest, "files"), name);
    const char *want = json_string_value(json_object_get(file, "sha256"));
    struct buf full = { 0 };
    char seen[SHA256_HEX];
    enum status st;

    if (want == NULL)
        return fail(ST_MISSING, "the manifest of '%s' names no file '%s'", path, name);
    buf_printf(&full, "%s/%s", path, name);
    st = sha256_file(full.p, seen, NULL);
    if (st == ST_OK && strcmp(seen, want) != 0)
        st = fail(ST_INTEGRITY, "'%s' is damaged: its SHA-256 is %s, want %s", full.p, seen, want);
    buf_release(&full);
    return st;
}

enum status artifact_verify(const char *path, const json_t *manifest)
{
    const char *name;
    json_t *file;

    json_object_foreach(json_object_get(manifest, "files"), name, file)
        TRY(artifact_verify_file(path, manifest, name));
    return ST_OK;
}
