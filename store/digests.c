#include "store/digests.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cursor.h"
#include "base/file.h"

#define MAGIC "tundigst"
#define VERSION 1
#define HEAD_BYTES 16
#define ENTRY_BYTES 72
#define SUM_BYTES 8
#define ENTRIES_MAX (1u << 17)     /* 9 MiB; past it the memory begins anew with this run's files */
#define RACY_NS (2 * NS)
#define NS INT64_C(1000000000)

struct entry {
    uint64_t device, inode, size;
    int64_t modified, changed;      /* nanoseconds since 1970 */
    unsigned char digest[32];
};

struct digest_cache {
    char *path;                    /* NULL: remembers nothing */
    struct entry *entries;         /* those of the file, sorted by (device, inode), then new ones */
    size_t count, indexed, cap;    /* all; those of the file */
    bool changed;
    uint64_t hashed;
};

/* ---- the file ---- */

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

static struct entry entry_of(const struct stat *s)
{
    return (struct entry){ .device = s->st_dev,
                           .inode = s->st_ino,
                           .size = (uint64_t)s->st_size,
                           .modified = nanoseconds(s->st_mtim),
                           .changed = nanoseconds(s->st_ctim) };
}

static int by_inode(const void *va, const void *vb)
{
    const struct entry *a = va, *b = vb;

    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    return (a->inode > b->inode) - (a->inode < b->inode);
}

static void read_entries(struct digest_cache *c, struct cursor *in, size_t n)
{
    c->entries = mem_array(n + 1, sizeof *c->entries);
    for (size_t i = 0; i < n; i++) {
        struct entry *e = &c->entries[i];
        struct span digest;

        e->device = cursor_uint(in, 8);
        e->inode = cursor_uint(in, 8);
        e->size = cursor_uint(in, 8);
        e->modified = (int64_t)cursor_uint(in, 8);
        e->changed = (int64_t)cursor_uint(in, 8);
        digest = cursor_bytes(in, sizeof e->digest);
        if (cursor_ok(in))
            memcpy(e->digest, digest.p, digest.n);
    }
}

/* Takes the entries of a whole and sound file; leaves an empty memory otherwise. */
static void load(struct digest_cache *c)
{
    struct buf bytes = { 0 };
    struct cursor in;
    struct span magic;
    uint64_t version, n;

    if (!file_exists(c->path) ||
        file_read(c->path, HEAD_BYTES + (uint64_t)ENTRIES_MAX * ENTRY_BYTES + SUM_BYTES,
                  &bytes) != ST_OK ||
        bytes.n < HEAD_BYTES + SUM_BYTES) {
        buf_release(&bytes);
        return;
    }
    in = cursor_over(bytes.p + bytes.n - SUM_BYTES, SUM_BYTES);
    if (cursor_uint(&in, 8) == xxh3(bytes.p, bytes.n - SUM_BYTES)) {
        in = cursor_over(bytes.p, bytes.n - SUM_BYTES);
        magic = cursor_bytes(&in, 8);
        version = cursor_uint(&in, 4);
        n = cursor_uint(&in, 4);
        if (span_eq(magic, MAGIC) && version == VERSION && n * ENTRY_BYTES == cursor_left(&in)) {
            read_entries(c, &in, n);
            c->count = c->indexed = c->cap = n;
            qsort(c->entries, n, sizeof *c->entries, by_inode);
        }
    }
    buf_release(&bytes);
}

static void put_uint(struct buf *out, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_addc(out, (char)(v >> (8 * i)));
}

static void put_entry(struct buf *out, const struct entry *e)
{
    put_uint(out, e->device, 8);
    put_uint(out, e->inode, 8);
    put_uint(out, e->size, 8);
    put_uint(out, (uint64_t)e->modified, 8);
    put_uint(out, (uint64_t)e->changed, 8);
    buf_add(out, e->digest, sizeof e->digest);
}

static enum status save(const struct digest_cache *c)
{
    size_t skip = c->count <= ENTRIES_MAX           ? 0
                  : c->count - c->indexed <= ENTRIES_MAX ? c->indexed
                                                         : c->count - ENTRIES_MAX;
    struct buf out = { 0 }, folder = { 0 };
    const char *slash = strrchr(c->path, '/');
    enum status st = ST_OK;

    buf_adds(&out, MAGIC);
    put_uint(&out, VERSION, 4);
    put_uint(&out, c->count - skip, 4);
    for (size_t i = skip; i < c->count; i++)
        put_entry(&out, &c->entries[i]);
    put_uint(&out, xxh3(out.p, out.n), SUM_BYTES);
    if (slash && slash > c->path) {
        buf_add(&folder, c->path, (size_t)(slash - c->path));
        st = file_make_folders(folder.p);
    }
    if (st == ST_OK)
        st = file_write_atomic(c->path, out.p, out.n);
    buf_release(&folder);
    buf_release(&out);
    return st;
}

struct digest_cache *digest_cache_open(const char *path)
{
    struct digest_cache *c = mem_alloc(sizeof *c);

    if (path) {
        c->path = mem_strdup(path);
        load(c);
    }
    return c;
}

void digest_cache_close(struct digest_cache *c)
{
    enum status st = ST_OK;

    if (c == NULL)
        return;
    if (c->changed)
        st = save(c);
    (void)st;       /* then the files are hashed again next time */
    free(c->path);
    free(c->entries);
    free(c);
}

uint64_t digest_cache_hashed(const struct digest_cache *c)
{
    return c->hashed;
}

const char *digest_cache_default(struct arena *a)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    if (cache && *cache == '/')
        return arena_printf(a, "%s/tundish/verified", cache);
    return home && *home == '/' ? arena_printf(a, "%s/.cache/tundish/verified", home) : NULL;
}

/* ---- digests ---- */

static void to_hex(const unsigned char digest[32], char hex[SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < 32; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[64] = 0;
}

static unsigned nibble(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void from_hex(const char *hex, unsigned char digest[32])
{
    for (int i = 0; i < 32; i++)
        digest[i] = (unsigned char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
}

/* The file's entry of that inode, or NULL. */
static struct entry *find(const struct digest_cache *c, const struct entry *want)
{
    return c->indexed ? bsearch(want, c->entries, c->indexed, sizeof *want, by_inode) : NULL;
}

static bool same_times(const struct entry *a, const struct entry *b)
{
    return a->size == b->size && a->modified == b->modified && a->changed == b->changed;
}

static void add(struct digest_cache *c, const struct entry *e)
{
    struct entry *found = find(c, e);

    c->changed = true;
    if (found) {
        *found = *e;
        return;
    }
    if (c->count == c->cap) {
        c->cap = c->cap * 2 + 64;
        c->entries = mem_grow(c->entries, c->cap, sizeof *c->entries);
    }
    c->entries[c->count++] = *e;
}

enum status digest_cache_file(struct digest_cache *c, const char *path, char hex[SHA256_HEX])
{
    struct stat before, after;
    struct timespec now;
    struct entry e, later;
    const struct entry *found;

    clock_gettime(CLOCK_REALTIME, &now);
    if (stat(path, &before) != 0)
        return fail_errno(errno == ENOENT ? ST_MISSING : ST_IO, "cannot look at '%s'", path);
    e = entry_of(&before);
    found = find(c, &e);
    if (found && same_times(found, &e)) {
        to_hex(found->digest, hex);
        return ST_OK;
    }
    TRY(sha256_file(path, hex, NULL));
    c->hashed++;
    if (c->path == NULL || stat(path, &after) != 0)
        return ST_OK;
    later = entry_of(&after);
    if (by_inode(&e, &later) != 0 || !same_times(&e, &later) ||
        nanoseconds(now) - e.modified < RACY_NS || nanoseconds(now) - e.changed < RACY_NS)
        return ST_OK;
    from_hex(hex, e.digest);
    add(c, &e);
    return ST_OK;
}
