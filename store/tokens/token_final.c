#include "store/tokens/token_final.h"

#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "store/tokens/token_records.h"

#define TXN_BYTES ((size_t)32 << 20) /* of keys and values */

struct final_writer {
    const struct token_final *f;
    struct token_env to;
    char *path;     /* the temporary name */
    uint64_t *sums; /* of the token blocks of the part under way */
    uint64_t sum_count;
};

static char *temporary_name(const char *path)
{
    struct buf name = { 0 };

    buf_printf(&name, "%s.new", path);
    return name.p;
}

void token_final_clear(const char *path)
{
    char *name = temporary_name(path);

    unlink(name);
    free(name);
}

static enum status put(struct final_writer *w, int table, uint64_t number, struct span value)
{
    if (w->to.put >= TXN_BYTES)
        TRY(token_env_commit(&w->to, value.n));
    TRY(token_env_need(&w->to, value.n + sizeof number));
    return token_env_put(&w->to, table, number, value);
}

static enum status fail_damage(const struct final_writer *w, int table, uint64_t number)
{
    return fail(ST_INTEGRITY,
                "'%s': value %llu of '%s' is not what was written there; remove the file, and the "
                "shard is made again",
                w->f->from->path, (unsigned long long)number, token_table_names[table]);
}

/* The block as the working file has it, or the tail. */
typedef enum status block_fn(struct final_writer *w, int table, uint64_t number, struct span value);

static enum status put_tokens(struct final_writer *w, int table, uint64_t number, struct span value)
{
    w->sums = mem_grow(w->sums, number + 1, sizeof *w->sums);
    w->sums[number] = xxh3(value.p, value.n);
    w->sum_count = number + 1;
    return put(w, table, number, value);
}

/* The sums of the working file are those of the blocks but for the tail, which has none yet. */
static enum status put_sum(struct final_writer *w, int table, uint64_t number, struct span value)
{
    if (number >= w->sum_count || value.n != sizeof *w->sums ||
        memcmp(value.p, &w->sums[number], sizeof *w->sums) != 0)
        return fail_damage(w, table, number);
    return put(w, table, number, value);
}

static enum status put_checked(struct final_writer *w, int table, uint64_t number,
                               struct span value)
{
    if (!(table == TOKEN_SRC ? token_label_check : token_rows_check)(value))
        return fail_damage(w, table, number);
    return put(w, table, number, value);
}

static enum status copy_with(struct final_writer *w, MDB_cursor *cursor, int table, block_fn *block,
                             uint64_t *count)
{
    MDB_val key, value;
    int rc;

    for (*count = 0; (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0; ++*count) {
        uint64_t number = ~*count;

        if (key.mv_size == sizeof number)
            memcpy(&number, key.mv_data, sizeof number);
        if (number != *count)
            return fail_damage(w, table, *count);
        TRY(block(w, table, number, (struct span){ value.mv_data, value.mv_size }));
    }
    return rc == MDB_NOTFOUND ? ST_OK : token_fail_lmdb(rc, "cannot read", w->f->from->path);
}

static enum status copy_table(struct final_writer *w, int table, block_fn *block, uint64_t *count)
{
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(w->f->from->txn, w->f->from->tables[table], &cursor);
    enum status st;

    if (rc != 0)
        return token_fail_lmdb(rc, "cannot read", w->f->from->path);
    st = copy_with(w, cursor, table, block, count);
    mdb_cursor_close(cursor);
    return st;
}

static enum status write_part(struct final_writer *w, enum token_part part)
{
    const struct token_final_tail *tail = &w->f->tails[part];
    const struct {
        enum token_table table;
        block_fn *block;
        struct span tail;
    } rows[] = {
        { TOKEN_DOC, put_checked, tail->doc },
        { TOKEN_SKIP, put_checked, tail->skip },
    };
    int sum = token_table_of(part, TOKEN_SUM), tok = token_table_of(part, TOKEN_TOK);
    uint64_t count = 0;

    w->sum_count = 0;
    TRY(copy_table(w, tok, put_tokens, &count));
    if (tail->tok.n > 0)
        TRY(put_tokens(w, tok, count, tail->tok));
    TRY(copy_table(w, sum, put_sum, &count));
    for (; count < w->sum_count; count++)
        TRY(put(w, sum, count, (struct span){ (const char *)&w->sums[count], sizeof *w->sums }));
    for (size_t i = 0; i < 2; i++) {
        TRY(copy_table(w, token_table_of(part, rows[i].table), rows[i].block, &count));
        if (rows[i].tail.n > 0)
            TRY(rows[i].block(w, token_table_of(part, rows[i].table), count, rows[i].tail));
    }
    return ST_OK;
}

static enum status write_all(struct final_writer *w)
{
    struct buf text = { 0 };
    uint64_t count;
    enum status st;

    TRY(token_env_open(&w->to, w->path, TOKEN_TABLES, MDB_NOSYNC));
    for (int p = 0; p < TOKENS_PARTS; p++)
        TRY(write_part(w, (enum token_part)p));
    TRY(copy_table(w, TOKEN_SRC, put_checked, &count));
    token_meta_print(w->f->meta, &text);
    st = token_env_set(&w->to, TOKEN_META, TOKEN_META_KEY, (struct span){ text.p, text.n });
    buf_release(&text);
    TRY(st);
    TRY(token_env_commit(&w->to, 0));
    return token_env_sync(&w->to);
}

enum status token_final_write(const struct token_final *f)
{
    struct final_writer w = { .f = f, .path = temporary_name(f->path) };
    struct failure why;
    enum status st;

    token_final_clear(f->path);
    st = write_all(&w);
    token_env_close(&w.to);
    if (st == ST_OK)
        st = file_rename(w.path, f->path);
    if (st != ST_OK) {
        failure_save(&why, st);
        token_final_clear(f->path);
        st = failure_restore(&why);
    }
    free(w.sums);
    free(w.path);
    return st;
}
