#include "store/token_reader.h"

#include "base/arena.h"
#include "base/cursor.h"
#include "base/file.h"

/* ---- LMDB values ---- */

static enum status get_locked(const struct token_shard *s, enum token_table table,
                              const MDB_val *key, struct span *out)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)&s->lock;
    MDB_val k = *key, value;
    int rc;

    pthread_mutex_lock(lock);
    rc = mdb_get(s->txn, s->tables[table], &k, &value);
    pthread_mutex_unlock(lock);
    if (rc != 0)
        return token_fail_lmdb(rc, "cannot read", s->path);
    *out = (struct span){ value.mv_data, value.mv_size };
    return ST_OK;
}

static enum status get(const struct token_shard *s, enum token_table table, uint64_t number,
                       struct span *out)
{
    enum status st = get_locked(s, table, &(MDB_val){ sizeof number, &number }, out);

    if (st != ST_OK)
        return fail_within(st, "%s %llu: ", token_table_names[table], (unsigned long long)number);
    return ST_OK;
}

/* ---- opening ---- */

static enum status open_tables(struct token_shard *s)
{
    for (int t = 0; t < TOKEN_TABLES; t++) {
        unsigned flags;
        int rc = mdb_dbi_open(s->txn, token_table_names[t], 0, &s->tables[t]);

        if (rc == 0)
            rc = mdb_dbi_flags(s->txn, s->tables[t], &flags);
        if (rc != 0)
            return token_fail_lmdb(rc, "no token shard:", s->path);
        if ((flags & (MDB_DUPSORT | MDB_INTEGERKEY)) != (t == TOKEN_META ? 0 : MDB_INTEGERKEY))
            return fail(ST_FORMAT, "'%s': the table '%s' has LMDB flags %#x", s->path,
                        token_table_names[t], flags);
    }
    return ST_OK;
}

static enum status check_count(const struct token_shard *s, enum token_table table, uint64_t want)
{
    MDB_stat stat;
    int rc = mdb_stat(s->txn, s->tables[table], &stat);

    if (rc != 0)
        return token_fail_lmdb(rc, "cannot read", s->path);
    if (stat.ms_entries != want)
        return fail(ST_FORMAT, "'%s': the table '%s' has %zu entries, want %llu", s->path,
                    token_table_names[table], (size_t)stat.ms_entries, (unsigned long long)want);
    return ST_OK;
}

static enum status read_meta(struct token_shard *s)
{
    struct span text;

    TRY(get_locked(s, TOKEN_META, &(MDB_val){ strlen(TOKEN_META_KEY), TOKEN_META_KEY }, &text));
    TRY(token_meta_parse(s->path, text, &s->meta));
    s->block_count = token_block_count(s->meta.tokens, s->meta.width);
    TRY(check_count(s, TOKEN_TOK, s->block_count));
    TRY(check_count(s, TOKEN_SUM, s->block_count));
    TRY(check_count(s, TOKEN_DOC, s->meta.documents));
    return check_count(s, TOKEN_SRC, s->meta.sources);
}

static enum status check_block(const struct token_shard *s, uint64_t block, const MDB_val *key,
                               const MDB_val *value)
{
    uint64_t number = ~block, want = token_block_bytes(s->meta.tokens, s->meta.width, block);

    if (key->mv_size == sizeof number)
        memcpy(&number, key->mv_data, sizeof number);
    if (number != block || value->mv_size != want ||
        (uintptr_t)value->mv_data % (unsigned)s->meta.width != 0)
        return fail(ST_FORMAT, "'%s': block %llu has key %llu and %zu bytes at %p, want %llu bytes",
                    s->path, (unsigned long long)block, (unsigned long long)number, value->mv_size,
                    value->mv_data, (unsigned long long)want);
    return ST_OK;
}

static enum status collect_blocks(struct token_shard *s)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    enum status st = ST_OK;
    int rc = mdb_cursor_open(s->txn, s->tables[TOKEN_TOK], &cursor);

    if (rc != 0)
        return token_fail_lmdb(rc, "cannot read", s->path);
    s->blocks = mem_array(s->block_count + 1, sizeof *s->blocks);
    for (uint64_t b = 0; st == ST_OK && b < s->block_count; b++) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        st = rc == 0 ? check_block(s, b, &key, &value)
                     : token_fail_lmdb(rc, "cannot read", s->path);
        s->blocks[b] = value.mv_data;
    }
    mdb_cursor_close(cursor);
    return st;
}

/* A map of the file's own size, so that no address lies behind its end. */
static enum status open_env(struct token_shard *s)
{
    uint64_t bytes;
    int rc;

    TRY(file_size(s->path, &bytes));
    rc = mdb_env_create(&s->env);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(s->env, TOKEN_TABLES);
    if (rc == 0)
        rc = mdb_env_set_mapsize(s->env, bytes);
    if (rc == 0)
        rc = mdb_env_open(s->env, s->path, MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS | MDB_NOSUBDIR,
                          0666);
    if (rc == 0)
        rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &s->txn);
    return rc == 0 ? ST_OK : token_fail_lmdb(rc, "cannot open", s->path);
}

enum status token_shard_open(struct token_shard *s, const char *path)
{
    *s = (struct token_shard){ .path = mem_strdup(path), .lock = PTHREAD_MUTEX_INITIALIZER };
    TRY(open_env(s));
    TRY(open_tables(s));
    TRY(read_meta(s));
    return collect_blocks(s);
}

void token_shard_close(struct token_shard *s)
{
    if (s->txn)
        mdb_txn_abort(s->txn);
    if (s->env)
        mdb_env_close(s->env);
    if (s->path)
        pthread_mutex_destroy(&s->lock);
    free(s->blocks);
    free(s->path);
    *s = (struct token_shard){ 0 };
}

/* ---- documents ---- */

enum status token_shard_record(const struct token_shard *s, uint64_t index,
                               struct token_record *out)
{
    struct span bytes = { 0 };
    struct cursor c;

    TRY(get(s, TOKEN_DOC, index, &bytes));
    c = cursor_over(bytes.p, bytes.n);
    out->first = cursor_uint(&c, 8);
    out->count = (uint32_t)cursor_uint(&c, 4);
    out->source = (uint32_t)cursor_uint(&c, 4);
    out->text_hash = cursor_uint(&c, 8);
    out->id = cursor_bytes(&c, cursor_left(&c));
    if (!cursor_ok(&c) || out->first > s->meta.tokens || out->count > s->meta.tokens - out->first ||
        out->source >= s->meta.sources)
        return fail(ST_FORMAT,
                    "'%s': the record of document %llu (%zu bytes) leads out of the shard", s->path,
                    (unsigned long long)index, bytes.n);
    return ST_OK;
}

enum status token_shard_source(const struct token_shard *s, uint32_t number, struct span *out)
{
    return get(s, TOKEN_SRC, number, out);
}

/* ---- checksums ---- */

/* The first document that ends behind token t (meta.documents if none does): documents lie in the
 * order of their tokens. */
static enum status document_at(const struct token_shard *s, uint64_t t, uint64_t *index)
{
    uint64_t low = 0, high = s->meta.documents;

    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        struct token_record r;

        TRY(token_shard_record(s, mid, &r));
        if (r.first + r.count > t)
            high = mid;
        else
            low = mid + 1;
    }
    *index = low;
    return ST_OK;
}

static enum status fail_block(const struct token_shard *s, uint64_t block, uint64_t seen,
                              uint64_t want)
{
    uint64_t in_block = TOKEN_BLOCK_BYTES / (unsigned)s->meta.width;
    uint64_t begin = block * in_block,
             end = begin + in_block < s->meta.tokens ? begin + in_block : s->meta.tokens;
    struct token_record a, b;
    uint64_t first, last;

    TRY(document_at(s, begin, &first));
    TRY(document_at(s, end - 1, &last));
    if (last >= s->meta.documents)
        return fail(
            ST_INTEGRITY,
            "'%s': block %llu has checksum %016llx, want %016llx; and it lies in no document",
            s->path, (unsigned long long)block, (unsigned long long)seen, (unsigned long long)want);
    TRY(token_shard_record(s, first, &a));
    TRY(token_shard_record(s, last, &b));
    return fail(ST_INTEGRITY,
                "'%s': block %llu has checksum %016llx, want %016llx; it holds documents %llu to "
                "%llu ('%.*s' to '%.*s')",
                s->path, (unsigned long long)block, (unsigned long long)seen,
                (unsigned long long)want, (unsigned long long)(s->first_document + first),
                (unsigned long long)(s->first_document + last), (int)(a.id.n < 200 ? a.id.n : 200),
                a.id.p, (int)(b.id.n < 200 ? b.id.n : 200), b.id.p);
}

enum status token_shard_verify(const struct token_shard *s)
{
    for (uint64_t b = 0; b < s->block_count; b++) {
        uint64_t seen = xxh3(s->blocks[b], token_block_bytes(s->meta.tokens, s->meta.width, b)),
                 want;
        struct span sum = { 0 };
        struct cursor c;

        TRY(get(s, TOKEN_SUM, b, &sum));
        c = cursor_over(sum.p, sum.n);
        want = cursor_uint(&c, 8);
        if (!cursor_ok(&c) || cursor_left(&c) != 0)
            return fail(ST_FORMAT, "'%s': the checksum of block %llu has %zu bytes, want 8",
                        s->path, (unsigned long long)b, sum.n);
        if (seen != want)
            return fail_block(s, b, seen, want);
    }
    return ST_OK;
}
