#include "store/token_shard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"

#define MAP_FIRST ((size_t)1 << 30)         /* addresses, not memory: the file
                                               grows as it is written */
#define TXN_BYTES ((size_t)32 << 20)        /* of keys and values; dirty pages are in
                                               memory until commit */
#define TXN_PAGES_BYTES (4 * TXN_BYTES)     /* at most what such a transaction adds to the file */

/* Source names seen in this shard: open addressing over their hashes, at most half full. */
struct source_slot {
    const char *name;                       /* NULL: free */
    size_t n;
    uint64_t hash;
    uint32_t number;
};
struct source_names {
    struct arena arena;
    struct source_slot *slots;
    size_t cap;                             /* a power of two */
    uint32_t count;
};

struct token_shard_writer {
    struct token_shard_meta meta;
    char *path, *working;                   /* the final name, and the one it grows under */
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi tables[TOKEN_TABLES];
    size_t txn_bytes, map_bytes;
    unsigned char *block;                   /* TOKEN_BLOCK_BYTES */
    size_t fill;
    uint64_t blocks;
    struct source_names sources;
};

/* ---- LMDB ---- */

static enum status fail_here(const struct token_shard_writer *w, int rc)
{
    return token_fail_lmdb(rc, "cannot write", w->working);
}

/* Room for the next transaction. (Changing the map's size is allowed between transactions only.) */
static enum status grow_map(struct token_shard_writer *w)
{
    MDB_envinfo info;
    MDB_stat stat;
    size_t used, want = w->map_bytes;
    int rc;

    mdb_env_info(w->env, &info);
    mdb_env_stat(w->env, &stat);
    used = (info.me_last_pgno + 1) * stat.ms_psize;
    while (want < used + TXN_PAGES_BYTES)
        want *= 2;
    if (want == w->map_bytes)
        return ST_OK;
    rc = mdb_env_set_mapsize(w->env, want);
    if (rc != 0)
        return fail(ST_LIMIT,
                    "cannot map %zu bytes of '%s': %s (is the address space limited, ulimit -v?)",
                    want, w->working, mdb_strerror(rc));
    w->map_bytes = want;
    return ST_OK;
}

static enum status next_txn(struct token_shard_writer *w)
{
    int rc = 0;

    if (w->txn)
        rc = mdb_txn_commit(w->txn);
    w->txn = NULL;
    w->txn_bytes = 0;
    if (rc != 0)
        return fail_here(w, rc);
    TRY(grow_map(w));
    rc = mdb_txn_begin(w->env, NULL, 0, &w->txn);
    return rc == 0 ? ST_OK : fail_here(w, rc);
}

static enum status put(struct token_shard_writer *w, enum token_table table, uint64_t number,
                       const void *p, size_t n)
{
    MDB_val key = { sizeof number, &number }, value = { n, (void *)p };
    int rc;

    if (w->txn_bytes >= TXN_BYTES)
        TRY(next_txn(w));
    w->txn_bytes += n + sizeof number;
    rc = mdb_put(w->txn, w->tables[table], &key, &value, MDB_APPEND);
    return rc == 0 ? ST_OK : fail_here(w, rc);
}

/* Puts a value whose room the caller fills. */
static enum status reserve(struct token_shard_writer *w, enum token_table table, uint64_t number,
                           size_t n, unsigned char **p)
{
    MDB_val key = { sizeof number, &number }, value = { n, NULL };
    int rc;

    if (w->txn_bytes >= TXN_BYTES)
        TRY(next_txn(w));
    w->txn_bytes += n + sizeof number;
    rc = mdb_put(w->txn, w->tables[table], &key, &value, MDB_APPEND | MDB_RESERVE);
    *p = value.mv_data;
    return rc == 0 ? ST_OK : fail_here(w, rc);
}

static enum status open_tables(struct token_shard_writer *w)
{
    TRY(next_txn(w));
    for (int t = 0; t < TOKEN_TABLES; t++) {
        unsigned flags = MDB_CREATE | (t == TOKEN_META ? 0 : MDB_INTEGERKEY);
        int rc = mdb_dbi_open(w->txn, token_table_names[t], flags, &w->tables[t]);

        if (rc != 0)
            return fail_here(w, rc);
    }
    return ST_OK;
}

static enum status open_env(struct token_shard_writer *w)
{
    int rc = mdb_env_create(&w->env);

    if (rc == 0)
        rc = mdb_env_set_maxdbs(w->env, TOKEN_TABLES);
    if (rc == 0)
        rc = mdb_env_set_mapsize(w->env, w->map_bytes);
    if (rc == 0)
        rc = mdb_env_open(w->env, w->working, MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOLOCK, 0666);
    return rc == 0 ? open_tables(w) : fail_here(w, rc);
}

enum status token_shard_begin(const char *folder, const struct token_shard_meta *meta,
                              struct token_shard_writer **out)
{
    struct token_shard_writer *w = mem_alloc(sizeof *w);
    struct buf path = { 0 };
    char name[40];
    enum status st;

    w->meta = *meta;
    w->meta.tokens = w->meta.documents = w->meta.sources = w->meta.text_bytes = 0;
    token_shard_name(meta->part, meta->shard, name);
    buf_printf(&path, "%s/%s", folder, name);
    w->path = mem_strdup(path.p);
    buf_adds(&path, ".part");
    w->working = path.p;
    w->map_bytes = MAP_FIRST;
    w->block = mem_alloc(TOKEN_BLOCK_BYTES);
    st = open_env(w);
    if (st != ST_OK) {
        token_shard_abort(w);
        return st;
    }
    *out = w;
    return ST_OK;
}

void token_shard_abort(struct token_shard_writer *w)
{
    if (w == NULL)
        return;
    if (w->txn)
        mdb_txn_abort(w->txn);
    if (w->env)
        mdb_env_close(w->env);
    unlink(w->working);
    arena_release(&w->sources.arena);
    free(w->sources.slots);
    free(w->block);
    free(w->working);
    free(w->path);
    free(w);
}

const struct token_shard_meta *token_shard_state(const struct token_shard_writer *w)
{
    return &w->meta;
}

/* ---- sources ---- */

static struct source_slot *find_slot(const struct source_names *s, struct span name, uint64_t hash)
{
    size_t i = hash & (s->cap - 1);

    while (s->slots[i].name != NULL && (s->slots[i].hash != hash || s->slots[i].n != name.n ||
                                        memcmp(s->slots[i].name, name.p, name.n) != 0))
        i = (i + 1) & (s->cap - 1);
    return &s->slots[i];
}

static void grow_names(struct source_names *s)
{
    struct source_names old = *s;

    s->cap = old.cap ? old.cap * 2 : 64;
    s->slots = mem_array(s->cap, sizeof *s->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].name)
            *find_slot(s, (struct span){ old.slots[i].name, old.slots[i].n }, old.slots[i].hash) =
                old.slots[i];
    free(old.slots);
}

/* The number of a source's name in this shard; a new name is also written. */
static enum status number_source(struct token_shard_writer *w, struct span name, uint32_t *number)
{
    struct source_names *s = &w->sources;
    uint64_t hash = xxh3(name.p, name.n);
    struct source_slot *slot;

    if ((size_t)s->count * 2 >= s->cap)
        grow_names(s);
    slot = find_slot(s, name, hash);
    if (slot->name == NULL) {
        TRY(put(w, TOKEN_SRC, s->count, name.n ? name.p : "", name.n));
        *slot = (struct source_slot){ arena_strndup(&s->arena, name.p, name.n), name.n, hash,
                                      s->count++ };
        w->meta.sources = s->count;
    }
    *number = slot->number;
    return ST_OK;
}

/* ---- documents ---- */

static void put_le(unsigned char *to, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(v >> (8 * i));
}

static enum status write_block(struct token_shard_writer *w)
{
    unsigned char sum[8];
    size_t bytes = token_block_bytes(w->meta.tokens, w->meta.width, w->blocks);

    memset(w->block + w->fill, 0, bytes - w->fill);
    put_le(sum, xxh3(w->block, bytes), 8);
    TRY(put(w, TOKEN_TOK, w->blocks, w->block, bytes));
    TRY(put(w, TOKEN_SUM, w->blocks, sum, sizeof sum));
    w->blocks++;
    w->fill = 0;
    return ST_OK;
}

/* Writes n tokens as so many bytes each, and gives the largest. */
static uint32_t pack_u16(unsigned char *to, const uint32_t *tokens, size_t n)
{
    uint32_t largest = 0;

    for (size_t i = 0; i < n; i++) {
        uint16_t v = (uint16_t)tokens[i];

        memcpy(to + 2 * i, &v, 2);
        largest = tokens[i] > largest ? tokens[i] : largest;
    }
    return largest;
}

static uint32_t pack_u32(unsigned char *to, const uint32_t *tokens, size_t n)
{
    uint32_t largest = 0;

    memcpy(to, tokens, 4 * n);
    for (size_t i = 0; i < n; i++)
        largest = tokens[i] > largest ? tokens[i] : largest;
    return largest;
}

static enum status add_tokens(struct token_shard_writer *w, const struct token_document *d)
{
    size_t width = (size_t)w->meta.width;

    for (uint64_t done = 0; done < d->count;) {
        uint64_t n = d->count - done, room = (TOKEN_BLOCK_BYTES - w->fill) / width;
        uint32_t largest;

        n = n < room ? n : room;
        largest = (width == 2 ? pack_u16 : pack_u32)(w->block + w->fill, d->tokens + done, n);
        if (largest >= w->meta.vocab)
            return fail(ST_LIMIT, "document '%.*s' has the token %u, but the vocabulary ends at %u",
                        (int)(d->id.n < 200 ? d->id.n : 200), d->id.p, largest, w->meta.vocab - 1);
        w->fill += n * width;
        w->meta.tokens += n;
        done += n;
        if (w->fill == TOKEN_BLOCK_BYTES)
            TRY(write_block(w));
    }
    return ST_OK;
}

static enum status check_document(const struct token_document *d)
{
    if (d->id.n > TOKEN_ID_MAX || d->source.n > TOKEN_ID_MAX)
        return fail(
            ST_LIMIT,
            "a document's id of %zu bytes and source of %zu bytes, want at most %u (id '%.80s...')",
            d->id.n, d->source.n, TOKEN_ID_MAX, d->id.p);
    if (d->count > UINT32_MAX)
        return fail(ST_LIMIT, "document '%.*s' has %llu tokens, want at most %u", (int)d->id.n,
                    d->id.p, (unsigned long long)d->count, UINT32_MAX);
    return ST_OK;
}

enum status token_shard_add(struct token_shard_writer *w, const struct token_document *d)
{
    unsigned char *record;
    uint64_t first = w->meta.tokens;
    uint32_t source;

    TRY(check_document(d));
    TRY(number_source(w, d->source, &source));
    TRY(add_tokens(w, d));
    TRY(reserve(w, TOKEN_DOC, w->meta.documents, TOKEN_RECORD_HEAD + d->id.n, &record));
    put_le(record, first, 8);
    put_le(record + 8, d->count, 4);
    put_le(record + 12, source, 4);
    put_le(record + 16, d->text_hash, 8);
    if (d->id.n > 0)
        memcpy(record + TOKEN_RECORD_HEAD, d->id.p, d->id.n);
    w->meta.documents++;
    w->meta.text_bytes += d->text_bytes;
    return ST_OK;
}

/* ---- the end ---- */

static enum status write_meta(struct token_shard_writer *w)
{
    struct buf text = { 0 };
    MDB_val key = { strlen(TOKEN_META_KEY), TOKEN_META_KEY }, value;
    int rc;

    token_meta_print(&w->meta, &text);
    value = (MDB_val){ text.n, text.p };
    rc = mdb_put(w->txn, w->tables[TOKEN_META], &key, &value, 0);
    buf_release(&text);
    if (rc == 0) {
        rc = mdb_txn_commit(w->txn);
        w->txn = NULL;
    }
    return rc == 0 ? ST_OK : fail_here(w, rc);
}

/* The map size stands in the copy's head, so it is set to what is used: LMDB raises 1 to that. */
static enum status copy(struct token_shard_writer *w)
{
    int fd = open(w->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int rc;

    if (fd < 0)
        return fail_errno(ST_IO, "cannot create '%s'", w->path);
    rc = mdb_env_set_mapsize(w->env, 1);
    if (rc == 0)
        rc = mdb_env_copyfd2(w->env, fd, MDB_CP_COMPACT);
    if (rc == 0 && fsync(fd) != 0)
        rc = errno;
    if (close(fd) != 0 && rc == 0)
        rc = errno;
    return rc == 0 ? ST_OK : token_fail_lmdb(rc, "cannot write", w->path);
}

enum status token_shard_finish(struct token_shard_writer *w)
{
    enum status st = w->fill > 0 ? write_block(w) : ST_OK;

    if (st == ST_OK)
        st = write_meta(w);
    if (st == ST_OK)
        st = copy(w);
    token_shard_abort(w);
    return st;
}
