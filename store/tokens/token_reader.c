#include "store/tokens/token_reader.h"

#include "base/arena.h"
#include "base/file.h"

/* ---- opening ---- */

static enum status fail_read(const struct token_shard *s, int rc)
{
    return token_fail_lmdb(rc, "cannot read", s->path);
}

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

static enum status check_count(const struct token_shard *s, int table, uint64_t want)
{
    MDB_stat stat;
    int rc = mdb_stat(s->txn, s->tables[table], &stat);

    if (rc != 0)
        return fail_read(s, rc);
    if (stat.ms_entries != want)
        return fail(ST_FORMAT, "'%s': the table '%s' has %zu entries, want %llu", s->path,
                    token_table_names[table], (size_t)stat.ms_entries, (unsigned long long)want);
    return ST_OK;
}

static enum status read_meta(struct token_shard *s)
{
    MDB_val key = { strlen(TOKEN_META_KEY), TOKEN_META_KEY }, value;
    int rc = mdb_get(s->txn, s->tables[TOKEN_META], &key, &value);

    if (rc != 0)
        return token_fail_lmdb(rc, "no token shard:", s->path);
    TRY(token_meta_parse(s->path, (struct span){ value.mv_data, value.mv_size }, &s->meta));
    return check_count(s, TOKEN_SRC, s->meta.labels);
}

/* Meets the values of a table, which must have the keys 0 to count - 1. */
typedef enum status value_fn(struct token_shard *s, int table, uint64_t number, struct span value);

static enum status walk_with(struct token_shard *s, MDB_cursor *cursor, int table, uint64_t count,
                             value_fn *each)
{
    for (uint64_t want = 0; want < count; want++) {
        MDB_val key, value;
        uint64_t number = ~want;
        int rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);

        if (rc != 0)
            return fail_read(s, rc);
        if (key.mv_size == sizeof number)
            memcpy(&number, key.mv_data, sizeof number);
        if (number != want)
            return fail(ST_FORMAT, "'%s': the table '%s' has the key %llu, want %llu", s->path,
                        token_table_names[table], (unsigned long long)number,
                        (unsigned long long)want);
        TRY(each(s, table, number, (struct span){ value.mv_data, value.mv_size }));
    }
    return ST_OK;
}

static enum status walk(struct token_shard *s, int table, uint64_t count, value_fn *each)
{
    MDB_cursor *cursor;
    enum status st;
    int rc;

    TRY(check_count(s, table, count));
    if (count == 0)
        return ST_OK;
    rc = mdb_cursor_open(s->txn, s->tables[table], &cursor);
    if (rc != 0)
        return fail_read(s, rc);
    st = walk_with(s, cursor, table, count, each);
    mdb_cursor_close(cursor);
    return st;
}

static struct token_shard_part *part_of(struct token_shard *s, int table)
{
    return &s->parts[table / TOKEN_PART_TABLES];
}

static const struct token_counts *counts_of(const struct token_shard *s, int table)
{
    return &s->meta.parts[table / TOKEN_PART_TABLES];
}

static enum status take_tokens(struct token_shard *s, int table, uint64_t number, struct span value)
{
    uint64_t want = token_block_bytes(counts_of(s, table)->tokens, s->meta.width, number);

    if (value.n != want || (uintptr_t)value.p % (unsigned)s->meta.width != 0)
        return fail(ST_FORMAT, "'%s': block %llu of '%s' has %zu bytes at %p, want %llu", s->path,
                    (unsigned long long)number, token_table_names[table], value.n,
                    (const void *)value.p, (unsigned long long)want);
    part_of(s, table)->blocks[number] = (const unsigned char *)value.p;
    return ST_OK;
}

static enum status fail_inside(const struct token_shard *s, enum status st, int table,
                               uint64_t number)
{
    return fail_within(st, "'%s': block %llu of '%s': ", s->path, (unsigned long long)number,
                       token_table_names[table]);
}

/* What is wrong in itself is mostly damage: its checksum tells. */
static enum status fail_rows(const struct token_shard *s, enum status st, int table,
                             uint64_t number, struct span value)
{
    uint64_t first = number * TOKEN_ROWS;

    if (token_rows_check(value))
        return fail_inside(s, st, table, number);
    return fail(ST_INTEGRITY,
                "'%s': block %llu of '%s' differs from its checksum; it is %s %llu to %llu",
                s->path, (unsigned long long)number, token_table_names[table],
                table % TOKEN_PART_TABLES == TOKEN_DOC ? "documents" : "spans",
                (unsigned long long)first, (unsigned long long)(first + TOKEN_ROWS - 1));
}

static enum status take_documents(struct token_shard *s, int table, uint64_t number,
                                  struct span value)
{
    const struct token_counts *c = counts_of(s, table);
    struct token_shard_part *part = part_of(s, table);
    struct token_rows_want want = { token_rows_in(c->documents, number), 0, c->tokens,
                                    s->meta.labels };
    enum status st;

    if (number > 0)
        want.begin = part->docs[number - 1].end[TOKEN_ROWS - 1];
    st = token_docs_parse("documents", value, &want, &part->docs[number]);
    return st == ST_OK ? ST_OK : fail_rows(s, st, table, number, value);
}

static enum status take_skips(struct token_shard *s, int table, uint64_t number, struct span value)
{
    const struct token_counts *c = counts_of(s, table);
    struct token_shard_part *part = part_of(s, table);
    struct token_rows_want want = { token_rows_in(c->skips, number), 0, c->tokens, 0 };
    enum status st;

    if (number > 0)
        want.begin = part->skips[number - 1][2 * TOKEN_ROWS - 1];
    st = token_skips_parse("spans", value, &want, &part->skips[number]);
    return st == ST_OK ? ST_OK : fail_rows(s, st, table, number, value);
}

static enum status open_part(struct token_shard *s, enum token_part which)
{
    const struct token_counts *c = &s->meta.parts[which];
    struct token_shard_part *part = &s->parts[which];

    part->block_count = token_block_count(c->tokens, s->meta.width);
    part->doc_blocks = token_rows_blocks(c->documents);
    part->skip_blocks = token_rows_blocks(c->skips);
    TRY(check_count(s, token_table_of(which, TOKEN_TOK), part->block_count));
    TRY(check_count(s, token_table_of(which, TOKEN_DOC), part->doc_blocks));
    TRY(check_count(s, token_table_of(which, TOKEN_SKIP), part->skip_blocks));
    part->blocks = mem_array(part->block_count + 1, sizeof *part->blocks);
    part->docs = mem_array(part->doc_blocks + 1, sizeof *part->docs);
    part->skips = mem_array(part->skip_blocks + 1, sizeof *part->skips);
    TRY(walk(s, token_table_of(which, TOKEN_TOK), part->block_count, take_tokens));
    TRY(check_count(s, token_table_of(which, TOKEN_SUM), part->block_count));
    TRY(walk(s, token_table_of(which, TOKEN_DOC), part->doc_blocks, take_documents));
    TRY(walk(s, token_table_of(which, TOKEN_SKIP), part->skip_blocks, take_skips));
    if (token_shard_first(s, which, c->documents) != c->tokens)
        return fail(ST_FORMAT, "'%s': the documents of %s end at token %llu, want %llu", s->path,
                    token_part_names[which],
                    (unsigned long long)token_shard_first(s, which, c->documents),
                    (unsigned long long)c->tokens);
    return ST_OK;
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
        rc =
            mdb_env_open(s->env, s->path, MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS | MDB_NOSUBDIR, 0666);
    if (rc == 0)
        TRY(token_check_length(s->env, s->path));
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
    for (int p = 0; p < TOKENS_PARTS; p++)
        TRY(open_part(s, (enum token_part)p));
    return ST_OK;
}

void token_shard_close(struct token_shard *s)
{
    if (s->txn)
        mdb_txn_abort(s->txn);
    if (s->env)
        mdb_env_close(s->env);
    if (s->path)
        pthread_mutex_destroy(&s->lock);
    for (int p = 0; p < TOKENS_PARTS; p++) {
        free(s->parts[p].blocks);
        free(s->parts[p].docs);
        free(s->parts[p].skips);
    }
    free(atomic_load(&s->labels));
    free(s->path);
    memset(s, 0, sizeof *s);
}

/* ---- documents ---- */

uint64_t token_shard_first(const struct token_shard *s, enum token_part part, uint64_t index)
{
    return index == 0 ? 0
                      : s->parts[part].docs[(index - 1) / TOKEN_ROWS].end[(index - 1) % TOKEN_ROWS];
}

struct token_record token_shard_record(const struct token_shard *s, enum token_part part,
                                       uint64_t index)
{
    const struct token_docs *d = &s->parts[part].docs[index / TOKEN_ROWS];
    uint64_t i = index % TOKEN_ROWS, first = token_shard_first(s, part, index);
    uint32_t id = i == 0 ? 0 : d->id_end[i - 1];

    return (struct token_record){ .first = first,
                                  .text_hash = d->text_hash[i],
                                  .count = d->end[i] - first,
                                  .label = d->label[i],
                                  .text_bytes = d->text_bytes[i],
                                  .id = { d->ids + id, d->id_end[i] - id } };
}

uint64_t token_shard_document_at(const struct token_shard *s, enum token_part part, uint64_t t)
{
    uint64_t low = 0, high = s->meta.parts[part].documents;

    while (low < high) {
        uint64_t mid = low + (high - low) / 2;

        if (token_shard_first(s, part, mid + 1) > t)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

/* ---- labels ---- */

enum status token_shard_value(const struct token_shard *s, int table, uint64_t number,
                              struct span *out)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)&s->lock;
    MDB_val key = { sizeof number, &number }, value;
    int rc;

    pthread_mutex_lock(lock);
    rc = mdb_get(s->txn, s->tables[table], &key, &value);
    pthread_mutex_unlock(lock);
    if (rc != 0)
        return fail_inside(s, fail_read(s, rc), table, number);
    *out = (struct span){ value.mv_data, value.mv_size };
    return ST_OK;
}

static enum status read_labels(struct token_shard *s, struct token_label *labels)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    enum status st = ST_OK;
    int rc = mdb_cursor_open(s->txn, s->tables[TOKEN_SRC], &cursor);

    if (rc != 0)
        return fail_read(s, rc);
    for (uint64_t i = 0; st == ST_OK && i < s->meta.labels; i++) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        st = rc != 0 ? fail_read(s, rc)
                     : token_label_parse(s->path, (struct span){ value.mv_data, value.mv_size },
                                         &labels[i].source, &labels[i].language);
    }
    mdb_cursor_close(cursor);
    return st;
}

/* Who asks first makes the list; who waits for the lock finds it. */
static enum status make_labels(struct token_shard *s)
{
    enum status st = ST_OK;

    pthread_mutex_lock(&s->lock);
    if (atomic_load(&s->labels) == NULL) {
        struct token_label *labels = mem_array(s->meta.labels + 1, sizeof *labels);

        st = read_labels(s, labels);
        if (st == ST_OK)
            atomic_store(&s->labels, labels);
        else
            free(labels);
    }
    pthread_mutex_unlock(&s->lock);
    return st;
}

enum status token_shard_label(const struct token_shard *s, uint32_t number, struct token_label *out)
{
    if (atomic_load_explicit(&s->labels, memory_order_acquire) == NULL)
        TRY(make_labels((struct token_shard *)s));
    *out = atomic_load_explicit(&s->labels, memory_order_acquire)[number];
    return ST_OK;
}

/* ---- tokens that are not to be learnt ---- */

const uint64_t *token_shard_skip(const struct token_shard *s, enum token_part part, uint64_t i)
{
    return s->parts[part].skips[i / TOKEN_ROWS] + 2 * (i % TOKEN_ROWS);
}

uint64_t token_shard_skip_at(const struct token_shard *s, enum token_part part, uint64_t t)
{
    uint64_t low = 0, high = s->meta.parts[part].skips;

    while (low < high) {
        uint64_t mid = low + (high - low) / 2;

        if (token_shard_skip(s, part, mid)[1] > t)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}
