#include "store/artifact/digest_memory.h"

#include "base/cursor.h"
#include "base/file.h"
#include "base/hash.h"

#define MAGIC       "tundigst"
#define VERSION     1
#define HEAD_BYTES  16
#define ENTRY_BYTES 72
#define SUM_BYTES   8
#define ENTRIES_MAX (1u << 20) /* 72 MiB; past it only what this run met is kept */
#define NS          INT64_C(1000000000)

/* The entries in the order they came, and an open hash table of their numbers, less than half
 * full. */
struct digest_memory {
    char *path;
    struct digest_entry *entries;
    size_t count, cap;
    uint32_t *slots;   /* number + 1; 0 is free */
    size_t slot_count; /* a power of two */
    bool changed;
};

static int64_t nanoseconds(struct timespec t) { return (int64_t)t.tv_sec * NS + t.tv_nsec; }

struct digest_entry digest_entry_of(const struct stat *info)
{
    return (struct digest_entry){ .device = info->st_dev,
                                  .inode = info->st_ino,
                                  .size = (uint64_t)info->st_size,
                                  .modified = nanoseconds(info->st_mtim),
                                  .changed = nanoseconds(info->st_ctim) };
}

static bool same_file(const struct digest_entry *a, const struct digest_entry *b)
{
    return a->inode == b->inode && a->device == b->device;
}

bool digest_entry_same(const struct digest_entry *a, const struct digest_entry *b)
{
    return same_file(a, b) && a->size == b->size && a->modified == b->modified &&
           a->changed == b->changed;
}

/* ---- the table ---- */

/* The slot that holds the entry of that file, or the free one where it belongs. */
static size_t slot_of(const struct digest_memory *m, const struct digest_entry *e)
{
    const uint64_t name[2] = { e->device, e->inode };
    size_t mask = m->slot_count - 1, i = (size_t)xxh3(name, sizeof name) & mask;

    while (m->slots[i] != 0 && !same_file(&m->entries[m->slots[i] - 1], e))
        i = (i + 1) & mask;
    return i;
}

static void grow(struct digest_memory *m, size_t room)
{
    if (room <= m->cap)
        return;
    m->cap = room > m->cap * 2 ? room : m->cap * 2;
    m->entries = mem_grow(m->entries, m->cap, sizeof *m->entries);
    while (m->slot_count < 2 * m->cap + 2)
        m->slot_count = m->slot_count ? m->slot_count * 2 : 128;
    free(m->slots);
    m->slots = mem_array(m->slot_count, sizeof *m->slots);
    for (size_t i = 0; i < m->count; i++)
        m->slots[slot_of(m, &m->entries[i])] = (uint32_t)i + 1;
}

static void put(struct digest_memory *m, const struct digest_entry *e)
{
    size_t slot;

    grow(m, m->count + 1);
    slot = slot_of(m, e);
    if (m->slots[slot] == 0) {
        m->entries[m->count++] = *e;
        m->slots[slot] = (uint32_t)m->count;
    } else {
        m->entries[m->slots[slot] - 1] = *e;
    }
}

const unsigned char *digest_memory_find(struct digest_memory *m, const struct digest_entry *want)
{
    struct digest_entry *found;
    uint32_t number = m->count ? m->slots[slot_of(m, want)] : 0;

    if (number == 0)
        return NULL;
    found = &m->entries[number - 1];
    if (!digest_entry_same(found, want))
        return NULL;
    found->used = true;
    return found->digest;
}

void digest_memory_add(struct digest_memory *m, const struct digest_entry *e)
{
    struct digest_entry own = *e;

    own.used = true;
    put(m, &own);
    m->changed = true;
}

/* ---- the file ---- */

static void read_entries(struct digest_memory *m, struct cursor *in, size_t n)
{
    grow(m, n);
    for (size_t i = 0; i < n; i++) {
        struct digest_entry e = { .used = false };
        struct span digest;

        e.device = cursor_uint(in, 8);
        e.inode = cursor_uint(in, 8);
        e.size = cursor_uint(in, 8);
        e.modified = (int64_t)cursor_uint(in, 8);
        e.changed = (int64_t)cursor_uint(in, 8);
        digest = cursor_bytes(in, sizeof e.digest);
        if (!cursor_ok(in))
            return;
        memcpy(e.digest, digest.p, digest.n);
        put(m, &e);
    }
}

/* Takes the entries of a whole and sound file; leaves an empty memory otherwise. */
static void load(struct digest_memory *m)
{
    const uint64_t limit = HEAD_BYTES + (uint64_t)ENTRIES_MAX * ENTRY_BYTES + SUM_BYTES;
    struct buf bytes = { 0 };
    struct cursor in;
    struct span magic;
    uint64_t version, n;

    if (!file_exists(m->path) || file_read(m->path, limit, &bytes) != ST_OK ||
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
        if (span_eq(magic, MAGIC) && version == VERSION && n * ENTRY_BYTES == cursor_left(&in))
            read_entries(m, &in, n);
    }
    buf_release(&bytes);
}

static void put_uint(struct buf *out, uint64_t v, size_t bytes)
{
    char text[8];

    for (size_t i = 0; i < bytes; i++)
        text[i] = (char)(v >> (8 * i));
    buf_add(out, text, bytes);
}

static void put_entry(struct buf *out, const struct digest_entry *e)
{
    put_uint(out, e->device, 8);
    put_uint(out, e->inode, 8);
    put_uint(out, e->size, 8);
    put_uint(out, (uint64_t)e->modified, 8);
    put_uint(out, (uint64_t)e->changed, 8);
    buf_add(out, e->digest, sizeof e->digest);
}

/* Too many: those that no one asked for go, then the latest. */
static size_t forget(struct digest_memory *m)
{
    size_t kept = 0;

    if (m->count <= ENTRIES_MAX)
        return m->count;
    for (size_t i = 0; i < m->count && kept < ENTRIES_MAX; i++)
        if (m->entries[i].used)
            m->entries[kept++] = m->entries[i];
    return kept;
}

static enum status save(struct digest_memory *m)
{
    size_t n = forget(m);
    struct buf out = { 0 }, folder = { 0 };
    const char *slash = strrchr(m->path, '/');
    enum status st = ST_OK;

    buf_adds(&out, MAGIC);
    put_uint(&out, VERSION, 4);
    put_uint(&out, n, 4);
    for (size_t i = 0; i < n; i++)
        put_entry(&out, &m->entries[i]);
    put_uint(&out, xxh3(out.p, out.n), SUM_BYTES);
    if (slash && slash > m->path) {
        buf_add(&folder, m->path, (size_t)(slash - m->path));
        st = file_make_folders(folder.p);
    }
    if (st == ST_OK)
        st = file_write_atomic(m->path, out.p, out.n);
    buf_release(&folder);
    buf_release(&out);
    return st;
}

struct digest_memory *digest_memory_open(const char *path)
{
    struct digest_memory *m = mem_alloc(sizeof *m);

    m->path = mem_strdup(path);
    load(m);
    return m;
}

void digest_memory_close(struct digest_memory *m)
{
    enum status st = ST_OK;

    if (m == NULL)
        return;
    if (m->changed)
        st = save(m);
    (void)st; /* then the files are hashed again next time */
    free(m->path);
    free(m->entries);
    free(m->slots);
    free(m);
}
