/* tundish verify: the bytes of an artifact and of all that it was made from. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/output.h"
#include "base/progress.h"
#include "base/stop.h"
#include "pipelines/lineage/lineage_cmd.h"
#include "pipelines/lineage/lineage_print.h"
#include "store/artifact/artifact.h"
#include "store/artifact/digests.h"
#include "store/artifact/manifest.h"

struct verify_cfg {
    const char *path;
    struct opt_list search;
    bool chain, sources, allow_missing, json;
    int64_t threads;
};

static const struct opt options[] = {
#define S struct verify_cfg
    OPT_INPUT(S, path, "artifact", "any artifact, or a link to one",
              .flags = OPT_REQUIRED | OPT_POSITIONAL),
    OPT_BOOL(S, chain, "chain", "true", "also all that it was made from, sources too"),
    OPT_LIST(S, search, "search", "folder to look for inputs in, with all below it",
             .value = "DIR"),
    OPT_BOOL(S, sources, "sources", "true",
             "also what was read from outside; --no-sources where documents still come in"),
    OPT_BOOL(S, allow_missing, "allow-missing", "false",
             "inputs that are not found are told, but are no failure"),
    OPT_BOOL(S, json, "json", "false", "one JSON object instead of lines"),
    OPT_INT(S, threads, "threads", "0", 0, 4096, "threads that hash; 0: all processors",
            .flags = OPT_NEUTRAL),
#undef S
    OPT_END
};

/* One file of an artifact, or one source from outside. */
struct job {
    const struct lineage_node *node;
    const char *name;            /* NULL: a source */
    const char *want;
    uint64_t bytes;
    char seen[SHA256_HEX];       /* "": it could not be read, and why says so */
    char *why;
};
struct verification {
    struct arena *arena;
    const struct lineage *l;
    struct job *jobs;
    size_t count, cap;
    size_t artifacts, sources, damaged, missing;
    _Atomic uint64_t bytes;
};

/* ---- what is to be hashed ---- */

static void add_job(struct verification *v, struct job job)
{
    if (v->count == v->cap) {
        v->cap = v->cap ? v->cap * 2 : 64;
        v->jobs = mem_grow(v->jobs, v->cap, sizeof *v->jobs);
    }
    v->jobs[v->count++] = job;
}

static void add_artifact(struct verification *v, const struct lineage_node *n)
{
    const char *name;
    json_t *file;

    v->artifacts++;
    json_object_foreach(json_object_get(n->manifest, "files"), name, file)
        add_job(v, (struct job){
                       .node = n, .name = name,
                       .want = json_string_value(json_object_get(file, "sha256")),
                       .bytes = (uint64_t)json_integer_value(json_object_get(file, "bytes")) });
}

/* The largest first, so that no thread begins it when the others are done; before them sources,
 * whose size is not known. */
static int by_size(const void *a, const void *b)
{
    const struct job *x = a, *y = b;

    return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

static uint64_t collect(struct verification *v, const struct verify_cfg *o)
{
    uint64_t total = 0;

    for (size_t i = 0; i < (o->chain ? v->l->count : 1); i++) {
        const struct lineage_node *n = &v->l->nodes[i];

        if (n->state == LINEAGE_FOUND) {
            if (n->changed)
                log_warn("'%s' was changed since it had the digest %.12s: it is verified as it is now", n->path, n->digest);
            add_artifact(v, n);
        } else if (n->state == LINEAGE_OUTSIDE) {
            if (!o->sources)
                continue;
            v->sources++;
            add_job(v, (struct job){ .node = n, .want = n->digest, .bytes = UINT64_MAX });
        } else {
            v->missing++;
        }
    }
    if (v->count > 0)
        qsort(v->jobs, v->count, sizeof *v->jobs, by_size);
    for (size_t i = 0; i < v->count; i++)
        total += v->jobs[i].bytes == UINT64_MAX ? 0 : v->jobs[i].bytes;
    return total;
}

/* ---- hashing ---- */

static enum status hash_job(struct verification *v, struct job *job)
{
    struct buf path = { 0 };
    uint64_t bytes = 0;
    enum status st;

    if (stop_requested())
        return fail(ST_INTERRUPTED, "stopped after %llu bytes",
                    (unsigned long long)atomic_load(&v->bytes));
    if (job->name) {
        buf_printf(&path, "%s/%s", job->node->path, job->name);
        st = sha256_file(path.p, job->seen, &bytes);
    } else {
        st = artifact_digest_path(job->node->path, NULL, job->seen);
    }
    buf_release(&path);
    if (st == ST_INTERRUPTED)
        return st;
    if (st != ST_OK) {
        job->seen[0] = 0;
        job->why = mem_strdup(fail_message());
    }
    atomic_fetch_add(&v->bytes, bytes);
    progress_add(bytes);
    return ST_OK;
}

static enum status hash_file(void *ctx, size_t item, int worker)
{
    struct verification *v = ctx;

    return hash_job(v, &v->jobs[v->sources + item]);
}

/* A source's files are hashed with all threads, so sources come one after the other. */
static enum status hash_all(struct verification *v, struct pool *pool)
{
    for (size_t i = 0; i < v->sources; i++)
        TRY(hash_job(v, &v->jobs[i]));
    return pool_for(pool, v->count - v->sources, hash_file, v);
}

static bool is_sound(const struct job *job) { return strcmp(job->seen, job->want) == 0; }

/* "path/name", or the source's path. */
static char *job_path(const struct verification *v, const struct job *job)
{
    return job->name ? path_join(v->arena, job->node->path, job->name)
                     : arena_strdup(v->arena, job->node->path);
}

/* In the order of paths, whatever the threads did. */
static int by_path(const void *a, const void *b)
{
    const struct job *x = a, *y = b;
    int order = strcmp(x->node->path, y->node->path);

    return order ? order : strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

/* The manifest does not vouch for them, and no reader looks at them. */
static void warn_of_strangers(const struct verification *v, const struct lineage_node *n)
{
    const json_t *files = json_object_get(n->manifest, "files");
    struct file_list list;

    if (file_list_tree(v->arena, n->path, &list) != ST_OK)
        return;
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.names[i], MANIFEST_NAME) != 0 && !json_object_get(files, list.names[i]))
            log_warn("'%s/%s' is not in the manifest", n->path, list.names[i]);
}

/* ---- telling ---- */

static json_t *tell_damage(struct verification *v)
{
    json_t *damaged = json_array();

    for (size_t i = 0; i < v->count; i++) {
        const struct job *job = &v->jobs[i];
        const char *path;

        if (is_sound(job))
            continue;
        path = job_path(v, job);
        v->damaged++;
        if (job->why)
            log_error("%s", job->why);
        else
            log_error("'%s' is %s: its digest is %s, want %s", path,
                      job->name ? "damaged" : "not what was read", job->seen, job->want);
        json_array_append_new(damaged,
                              json_pack("{s:o, s:s?, s:s, s:o}", "path", json_text_of(path), "seen",
                                        job->seen[0] ? job->seen : NULL, "want", job->want, "why",
                                        job->why ? json_text_of(job->why) : json_null()));
    }
    return damaged;
}

static json_t *tell_missing(const struct verification *v, bool chain)
{
    json_t *missing = json_array();

    for (size_t i = 0; chain && i < v->l->count; i++) {
        const struct lineage_node *n = &v->l->nodes[i];

        if (n->state != LINEAGE_MISSING)
            continue;
        log_warn("%s was not found; it was said to be '%s'%s%s", n->digest, n->said ? n->said : "?",
                 n->why ? ": " : "", n->why ? n->why : "");
        json_array_append_new(missing,
                              json_pack("{s:s, s:o, s:o}", "digest", n->digest, "said",
                                        n->said ? json_text_of(n->said) : json_null(), "why",
                                        n->why ? json_text_of(n->why) : json_null()));
    }
    return missing;
}

static enum status print(const struct verification *v, const struct verify_cfg *o, bool ok,
                         json_t *damaged, json_t *missing)
{
    struct buf out = { 0 };
    char bytes[24], files[28];
    enum status st;

    if (o->json) {
        json_t *all = json_pack("{s:b, s:I, s:I, s:I, s:I, s:O, s:O}", "ok", ok, "artifacts",
                                (json_int_t)v->artifacts, "sources", (json_int_t)v->sources,
                                "files", (json_int_t)(v->count - v->sources), "bytes",
                                (json_int_t)v->bytes, "damaged", damaged, "missing", missing);

        json_canonical(&out, all);
        json_decref(all);
        buf_addc(&out, '\n');
    } else if (ok) {
        buf_printf(
            &out,
            "%zu artifacts with %s files, %s, and %zu sources: every byte is as it was made\n",
            v->artifacts, str_count(v->count - v->sources, files), str_bytes(v->bytes, bytes),
            v->sources);
    }
    st = output_text(&out);
    buf_release(&out);
    return st;
}

static enum status report(struct verification *v, const struct verify_cfg *o)
{
    json_t *damaged, *missing;
    bool ok;
    enum status st;

    if (v->count > 0)
        qsort(v->jobs, v->count, sizeof *v->jobs, by_path);
    damaged = tell_damage(v);
    missing = tell_missing(v, o->chain);
    ok = v->damaged == 0 && (v->missing == 0 || o->allow_missing);
    st = print(v, o, ok, damaged, missing);
    json_decref(damaged);
    json_decref(missing);
    TRY(st);
    if (!ok)
        return fail(ST_INTEGRITY,
                    "%zu of %zu files and sources are damaged, %zu inputs were not found%s",
                    v->damaged, v->count, v->missing,
                    v->missing && !o->allow_missing
                        ? " (--search DIR looks elsewhere, too; --allow-missing takes them as told)"
                        : "");
    return ST_OK;
}

static enum status verify(struct verification *v, const struct verify_cfg *o, struct pool *pool)
{
    uint64_t total = collect(v, o);
    enum status st;

    progress_start("verify", "bytes", total);
    st = hash_all(v, pool);
    progress_end();
    TRY(st);
    for (size_t i = 0; i < (o->chain ? v->l->count : 1); i++)
        if (v->l->nodes[i].state == LINEAGE_FOUND)
            warn_of_strangers(v, &v->l->nodes[i]);
    return report(v, o);
}

static enum status run(struct arena *a, void *cfg)
{
    const struct verify_cfg *o = cfg;
    struct pool *pool = pool_new((int)o->threads);
    /* `compare` only picks, of the places where a source may lie, the one that is meant. */
    struct lineage_args args = { .path = o->path, .search = &o->search, .compare = true,
                                 .alone = !o->chain, .cache_file = digest_cache_default(a),
                                 .pool = pool };
    struct verification v = { .arena = a };
    struct lineage *l;
    enum status st = lineage_open(&args, &l);

    if (st == ST_OK) {
        v.l = l;
        st = verify(&v, o, pool);
        for (size_t i = 0; i < v.count; i++)
            free(v.jobs[i].why);
        free(v.jobs);
        lineage_free(l);
    }
    pool_free(pool);
    return st;
}

const struct command cmd_verify = {
    .name = "verify",
    .summary = "re-hash an artifact and all that it was made from",
    .details =
        "Hashes every file of the artifact and of each artifact in its chain, and compares with "
        "the "
        "manifests; that each\n"
        "input has the digest its user names; and that sources from outside still have the content "
        "that was read.\n"
        "Ends with status 6 where a byte differs, or where an input is not found. (What made an "
        "artifact, its inputs, counts and\n"
        "circumstances are covered by no digest.)\n\n"
        "  tundish verify work/quickstart/current/model\n"
        "  tundish verify model --search /backup/artifacts --allow-missing\n"
        "  tundish verify registry/champion --no-sources\n"
        "  tundish verify model --no-chain",
    .opts = options,
    .cfg_size = sizeof(struct verify_cfg),
    .run = run,
};
