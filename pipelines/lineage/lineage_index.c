#include "pipelines/lineage/lineage_index.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/stop.h"
#include "pipelines/lineage/lineage.h"
#include "store/artifact/artifact.h"
#include "store/artifact/manifest.h"

struct entry {
    char *path;
    char digest[SHA256_HEX];     /* "": not read yet */
    char (*inputs)[SHA256_HEX];
    size_t count;
};
/* One input of one entry. */
struct use {
    const char *digest;
    size_t place;
};

struct lineage_index {
    struct pool *pool;
    struct entry *entries;
    size_t count, cap, read;     /* [0, read) have been */
    size_t seen;                 /* names met in folders */
    struct use *uses;
    size_t use_count;
    bool sorted;
    json_t *folders;             /* that were added: path to levels */
};

struct lineage_index *lineage_index_new(struct pool *pool)
{
    struct lineage_index *x = mem_alloc(sizeof *x);

    x->pool = pool;
    x->folders = json_object();
    return x;
}

void lineage_index_free(struct lineage_index *x)
{
    if (x == NULL)
        return;
    for (size_t i = 0; i < x->count; i++) {
        free(x->entries[i].path);
        free(x->entries[i].inputs);
    }
    free(x->entries);
    free(x->uses);
    json_decref(x->folders);
    free(x);
}

/* ---- finding folders with a manifest ---- */

static void add_entry(struct lineage_index *x, const char *path)
{
    if (x->count == x->cap) {
        x->cap = x->cap ? x->cap * 2 : 64;
        x->entries = mem_grow(x->entries, x->cap, sizeof *x->entries);
    }
    x->entries[x->count++] = (struct entry){ .path = mem_strdup(path) };
}

static enum status scan(struct lineage_index *x, const char *folder, int levels);

static enum status scan_name(struct lineage_index *x, int dir, const char *name,
                             const char *folder, int levels)
{
    struct stat s;
    struct buf path = { 0 };
    enum status st = ST_OK;

    if (++x->seen > LINEAGE_ENTRIES_MOST)
        return fail(ST_LIMIT, "more than %u names in the folders to search; want fewer",
                    LINEAGE_ENTRIES_MOST);
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strstr(name, ".tmp.") != NULL ||
        fstatat(dir, name, &s, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(s.st_mode))
        return ST_OK;
    buf_printf(&path, "%s/%s/" MANIFEST_NAME, folder, name);
    if (stat(path.p, &s) == 0 && S_ISREG(s.st_mode)) {
        path.p[path.n - sizeof MANIFEST_NAME] = 0;
        add_entry(x, path.p);
    } else if (levels > 1) {
        path.p[path.n - sizeof MANIFEST_NAME] = 0;
        st = scan(x, path.p, levels - 1);
    }
    buf_release(&path);
    return st;
}

static enum status scan(struct lineage_index *x, const char *folder, int levels)
{
    DIR *d = opendir(folder);
    enum status st = ST_OK;

    if (d == NULL) {
        log_warn("the folder '%s' cannot be searched: %s", folder, strerror(errno));
        return ST_OK;
    }
    for (struct dirent *e; st == ST_OK && (e = readdir(d)) != NULL;)
        st = stop_requested() ? fail(ST_INTERRUPTED, "stopped while searching '%s'", folder)
                              : scan_name(x, dirfd(d), e->d_name, folder, levels);
    closedir(d);
    return st;
}

/* ---- reading them ---- */

static void keep_inputs(struct entry *e, const json_t *manifest)
{
    const char *option;
    json_t *list, *item;
    size_t n = 0, i;

    json_object_foreach(json_object_get(manifest, "inputs"), option, list)
        n += json_array_size(list);
    e->inputs = mem_array(n + 1, sizeof *e->inputs);
    json_object_foreach(json_object_get(manifest, "inputs"), option, list)
        json_array_foreach(list, i, item)
            memcpy(e->inputs[e->count++], json_string_value(item), SHA256_HEX);
}

static enum status read_entry(void *ctx, size_t item, int worker)
{
    struct lineage_index *x = ctx;
    struct entry *e = &x->entries[x->read + item];
    json_t *manifest;
    enum status st = lineage_manifest(e->path, &manifest);

    if (st != ST_OK) {
        if (st != ST_MISSING)
            log_warn("%s", fail_message());
        return ST_OK;
    }
    memcpy(e->digest, artifact_digest(manifest), SHA256_HEX);
    keep_inputs(e, manifest);
    json_decref(manifest);
    return ST_OK;
}

enum status lineage_index_add(struct lineage_index *x, const char *folder, int levels)
{
    char *real = realpath(folder, NULL);
    bool known;
    enum status st;

    if (real == NULL)
        return fail_errno(ST_MISSING, "cannot search '%s'", folder);
    known = json_integer_value(json_object_get(x->folders, real)) >= levels;
    if (!known) /* a path that is not UTF-8 is not kept, only read again */
        json_object_set_new(x->folders, real, json_integer(levels));
    free(real);
    if (known)
        return ST_OK;
    TRY(scan(x, folder, levels));
    st = pool_for(x->pool, x->count - x->read, read_entry, x);
    x->read = x->count;
    x->sorted = false;
    return st;
}

/* ---- looking up ---- */

static int by_digest(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->digest, y->digest);

    return order ? order : strcmp(x->path, y->path);
}

static int by_input(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    int order = strcmp(x->digest, y->digest);

    return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* The same folder may have been added under two names, or be part of another. */
static void drop_doubles(struct lineage_index *x)
{
    size_t kept = 0;

    for (size_t i = 0; i < x->count; i++) {
        struct entry *e = &x->entries[i];

        if (e->digest[0] == 0 ||
            (kept > 0 && strcmp(x->entries[kept - 1].path, e->path) == 0)) {
            free(e->path);
            free(e->inputs);
        } else {
            x->entries[kept++] = *e;
        }
    }
    x->count = x->read = kept;
}

static void sort(struct lineage_index *x)
{
    size_t n = 0;

    if (x->sorted)
        return;
    if (x->count > 0)
        qsort(x->entries, x->count, sizeof *x->entries, by_digest);
    drop_doubles(x);
    for (size_t i = 0; i < x->count; i++)
        n += x->entries[i].count;
    free(x->uses);
    x->uses = mem_array(n + 1, sizeof *x->uses);
    x->use_count = 0;
    for (size_t i = 0; i < x->count; i++)
        for (size_t k = 0; k < x->entries[i].count; k++)
            x->uses[x->use_count++] = (struct use){ x->entries[i].inputs[k], i };
    if (n > 0)
        qsort(x->uses, n, sizeof *x->uses, by_input);
    x->sorted = true;
}

size_t lineage_index_find(struct lineage_index *x, const char *digest, size_t *first)
{
    size_t low = 0, high, n = 0;

    sort(x);
    for (high = x->count; low < high;) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(x->entries[mid].digest, digest) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *first = low;
    while (low + n < x->count && strcmp(x->entries[low + n].digest, digest) == 0)
        n++;
    return n;
}

const char *lineage_index_path(const struct lineage_index *x, size_t place)
{
    return x->entries[place].path;
}

const char *lineage_index_digest(const struct lineage_index *x, size_t place)
{
    return x->entries[place].digest;
}

size_t lineage_index_users(struct lineage_index *x, const char *digest, size_t *first)
{
    size_t low = 0, high, n = 0;

    sort(x);
    for (high = x->use_count; low < high;) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(x->uses[mid].digest, digest) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *first = low;
    while (low + n < x->use_count && strcmp(x->uses[low + n].digest, digest) == 0)
        n++;
    return n;
}

size_t lineage_index_user(const struct lineage_index *x, size_t i) { return x->uses[i].place; }
