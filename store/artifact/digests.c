#include "store/artifact/digests.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/bench.h"
#include "base/file.h"
#include "base/platform.h"
#include "base/pool.h"
#include "base/progress.h"
#include "base/stop.h"
#include "store/artifact/digest_memory.h"

#define NS           INT64_C(1000000000)
#define RACY_NS      (2 * NS)
#define SHOW_BYTES   ((uint64_t)1 << 30)
#define SHOW_SECONDS 2.0
#define LARGE_BYTES  ((uint64_t)1 << 20) /* such files are begun first, the largest at the front */
#define POOL_BYTES   ((uint64_t)4 << 20) /* less work is done before threads have started */
#define POOL_FILES   64

struct digest_cache {
    const char *path;             /* of its memory; NULL: remembers nothing */
    struct digest_memory *memory; /* read when it is first asked: it may be large, and most who could
                                     ask, do not */
    int threads;
    uint64_t hashed;
};

/* One file of a job. */
struct item {
    const char *name; /* relative to the job's path; "" is that path itself */
    struct digest_entry entry;
    bool known; /* entry.digest holds */
    bool fresh; /* hashed by this job, and may be remembered */
};

/* The files below one path; then those of them that must be read. */
struct job {
    struct digest_cache *cache;
    const char *path;
    struct arena arena;
    struct item *items;
    size_t count, cap;
    struct item **todo;
    size_t todo_count;
    uint64_t todo_bytes;
    double begun;
    bool stopping; /* the stop was asked for before this job began */
    bool may_show;
    pthread_mutex_t lock; /* of showing */
    atomic_bool showing;
    _Atomic uint64_t done; /* bytes */
};

struct digest_cache *digest_cache_open(const char *path)
{
    struct digest_cache *c = mem_alloc(sizeof *c);

    c->path = path ? mem_strdup(path) : NULL;
    return c;
}

static struct digest_memory *memory_of(struct digest_cache *c)
{
    if (c->memory == NULL && c->path != NULL)
        c->memory = digest_memory_open(c->path);
    return c->memory;
}

void digest_cache_set_threads(struct digest_cache *c, int threads) { c->threads = threads; }

void digest_cache_close(struct digest_cache *c)
{
    if (c == NULL)
        return;
    digest_memory_close(c->memory);
    free((void *)(uintptr_t)c->path);
    free(c);
}

uint64_t digest_cache_hashed(const struct digest_cache *c) { return c->hashed; }

const char *digest_cache_default(struct arena *a)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    if (cache && *cache == '/')
        return arena_printf(a, "%s/tundish/verified", cache);
    return home && *home == '/' ? arena_printf(a, "%s/.cache/tundish/verified", home) : NULL;
}

/* ---- hex ---- */

static void to_hex(const unsigned char digest[32], char hex[SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < 32; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[64] = 0;
}

static unsigned nibble(char c) { return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10); }

static void from_hex(const char *hex, unsigned char digest[32])
{
    for (int i = 0; i < 32; i++)
        digest[i] = (unsigned char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
}

/* ---- reading one file ---- */

/* Starts the progress of the whole job once it is known to take long. */
static void show_if_long(struct job *j)
{
    if (!j->may_show || atomic_load(&j->showing) ||
        (j->todo_bytes < SHOW_BYTES && bench_now() - j->begun < SHOW_SECONDS))
        return;
    pthread_mutex_lock(&j->lock);
    if (!atomic_load(&j->showing)) {
        progress_start("hashing inputs", "bytes", j->todo_bytes);
        progress_add(atomic_load(&j->done));
        atomic_store(&j->showing, true);
    }
    pthread_mutex_unlock(&j->lock);
}

static enum status each_piece(void *ctx, size_t n)
{
    struct job *j = ctx;

    if (atomic_load(&j->showing))
        progress_add(n);
    atomic_fetch_add(&j->done, n);
    show_if_long(j);
    if (!j->stopping && stop_requested())
        return fail(ST_INTERRUPTED, "interrupted while hashing '%s'; run it again to go on",
                    j->path);
    return ST_OK;
}

static int64_t clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

static void add_path(const struct job *j, const struct item *item, struct buf *path)
{
    buf_adds(path, j->path);
    if (*item->name)
        buf_printf(path, "/%s", item->name);
}

/* The times are those of the file that was read, which may have been changed since it was met. */
static enum status hash_item(struct job *j, struct item *item)
{
    struct buf path = { 0 };
    struct stat before, after;
    struct sha256_reading r = { .each = each_piece, .ctx = j, .before = &before, .after = &after };
    int64_t now = clock_now();
    char hex[SHA256_HEX];
    struct digest_entry later;
    enum status st;

    add_path(j, item, &path);
    r.path = path.p;
    st = sha256_read(&r, hex, NULL);
    buf_release(&path);
    TRY(st);
    item->entry = digest_entry_of(&before);
    later = digest_entry_of(&after);
    item->fresh = digest_entry_same(&item->entry, &later) &&
                  now - item->entry.modified >= RACY_NS && now - item->entry.changed >= RACY_NS;
    from_hex(hex, item->entry.digest);
    item->known = true;
    return ST_OK;
}

static enum status hash_one(void *ctx, size_t i, int worker)
{
    struct job *j = ctx;

    (void)worker;
    return hash_item(j, j->todo[i]);
}

/* ---- a job ---- */

static void job_init(struct job *j, struct digest_cache *c, const char *path)
{
    *j = (struct job){ .cache = c,
                       .path = path,
                       .begun = bench_now(),
                       .stopping = stop_requested(),
                       .may_show = !progress_running() };
    arena_init(&j->arena);
    pthread_mutex_init(&j->lock, NULL);
}

static void job_release(struct job *j)
{
    if (atomic_load(&j->showing))
        progress_end();
    pthread_mutex_destroy(&j->lock);
    free(j->items);
    free(j->todo);
    arena_release(&j->arena);
}

static enum status meet(void *ctx, const char *name, const struct stat *info)
{
    struct job *j = ctx;
    const unsigned char *known;
    struct item *item;

    if (!j->stopping && stop_requested())
        return fail(ST_INTERRUPTED, "interrupted while looking through '%s'; run it again to go on",
                    j->path);
    if (j->count == j->cap) {
        j->cap = j->cap ? j->cap * 2 : 1;
        j->items = mem_grow(j->items, j->cap, sizeof *j->items);
    }
    item = &j->items[j->count++];
    *item = (struct item){ .name = arena_strdup(&j->arena, name), .entry = digest_entry_of(info) };
    known = memory_of(j->cache) ? digest_memory_find(j->cache->memory, &item->entry) : NULL;
    item->known = known != NULL;
    if (known)
        memcpy(item->entry.digest, known, sizeof item->entry.digest);
    return ST_OK;
}

/* Large ones first, so that no thread begins one when the others are done; the rest as they are,
 * in the order of their folders. */
static int by_size_then_place(const void *va, const void *vb)
{
    const struct item *a = *(struct item *const *)va, *b = *(struct item *const *)vb;
    uint64_t x = a->entry.size < LARGE_BYTES ? 0 : a->entry.size;
    uint64_t y = b->entry.size < LARGE_BYTES ? 0 : b->entry.size;

    if (x != y)
        return x > y ? -1 : 1;
    return (a > b) - (a < b);
}

static void list_todo(struct job *j)
{
    j->todo = mem_array(j->count + 1, sizeof(struct item *));
    for (size_t i = 0; i < j->count; i++)
        if (!j->items[i].known) {
            j->todo[j->todo_count++] = &j->items[i];
            j->todo_bytes += j->items[i].entry.size;
        }
    qsort(j->todo, j->todo_count, sizeof(struct item *), by_size_then_place);
}

static enum status hash_todo(struct job *j)
{
    int threads = j->cache->threads ? j->cache->threads : cpu_count();
    enum status st = ST_OK;
    struct pool *pool;

    if ((size_t)threads > j->todo_count)
        threads = (int)j->todo_count;
    if (threads < 2 || pool_inside() ||
        (j->todo_bytes < POOL_BYTES && j->todo_count < POOL_FILES)) {
        for (size_t i = 0; st == ST_OK && i < j->todo_count; i++)
            st = hash_item(j, j->todo[i]);
        return st;
    }
    pool = pool_new(threads);
    st = pool_for(pool, j->todo_count, hash_one, j);
    pool_free(pool);
    return st;
}

static void remember(struct job *j)
{
    for (size_t i = 0; i < j->todo_count; i++) {
        j->cache->hashed += j->todo[i]->known;
        if (j->cache->memory && j->todo[i]->fresh)
            digest_memory_add(j->cache->memory, &j->todo[i]->entry);
    }
}

/* Every item's digest: what cannot be had from memory is read. */
static enum status job_run(struct job *j)
{
    enum status st;

    list_todo(j);
    st = hash_todo(j);
    remember(j);
    return st;
}

/* ---- digests ---- */

enum status digest_cache_file(struct digest_cache *c, const char *path, char hex[SHA256_HEX])
{
    struct stat info;
    struct job j;
    enum status st;

    if (stat(path, &info) != 0)
        return fail_errno(errno == ENOENT ? ST_MISSING : ST_IO, "cannot look at '%s'", path);
    job_init(&j, c, path);
    st = meet(&j, "", &info);
    if (st == ST_OK)
        st = job_run(&j);
    if (st == ST_OK)
        to_hex(j.items[0].entry.digest, hex);
    job_release(&j);
    return st;
}

static enum status meet_files(struct job *j, const struct digest_files *f)
{
    struct buf path = { 0 };
    enum status st = ST_OK;

    for (size_t i = 0; st == ST_OK && i < f->count; i++) {
        struct stat info;

        buf_clear(&path);
        buf_printf(&path, "%s/%s", f->folder, f->names[i]);
        st = stat(path.p, &info) == 0
                 ? meet(j, f->names[i], &info)
                 : fail_errno(errno == ENOENT ? ST_MISSING : ST_IO, "cannot look at '%s'", path.p);
    }
    buf_release(&path);
    return st;
}

enum status digest_cache_files(struct digest_cache *c, const struct digest_files *f,
                               char (*hex)[SHA256_HEX])
{
    struct job j;
    enum status st;

    job_init(&j, c, f->folder);
    st = meet_files(&j, f);
    if (st == ST_OK)
        st = job_run(&j);
    for (size_t i = 0; st == ST_OK && i < f->count; i++)
        to_hex(j.items[i].entry.digest, hex[i]);
    job_release(&j);
    return st;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

/* Over "name NUL hex LF" of every file, in the order of the names' bytes. */
static void combine(const struct job *j, char hex[SHA256_HEX])
{
    struct sha256 *h = sha256_new();

    for (size_t i = 0; i < j->count; i++) {
        char line[SHA256_HEX];

        to_hex(j->items[i].entry.digest, line);
        line[SHA256_HEX - 1] = '\n';
        sha256_add(h, j->items[i].name, strlen(j->items[i].name) + 1);
        sha256_add(h, line, SHA256_HEX);
    }
    sha256_finish(h, hex);
}

enum status digest_cache_folder(struct digest_cache *c, const char *path, char hex[SHA256_HEX])
{
    struct job j;
    enum status st;

    job_init(&j, c, path);
    st = file_visit_tree(path, meet, &j);
    if (st == ST_OK) {
        if (j.count > 0)
            qsort(j.items, j.count, sizeof *j.items, by_name);
        st = job_run(&j);
    }
    if (st == ST_OK)
        combine(&j, hex);
    job_release(&j);
    return st;
}
