#include "store/tokens/token_env.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "base/arena.h"
#include "base/file.h"

#define MAP_FIRST   ((size_t)1 << 30) /* addresses, not memory: the file grows as it is written */
#define ROOM_FIRST  ((size_t)64 << 20)
#define PAGES_SLACK ((size_t)4 << 20) /* what trees take besides values */

/* LMDB calls a write that was cut short an input/output error, so that says how much room there is,
 * too. */
static enum status fail_env(const struct token_env *e, int rc)
{
    struct statvfs fs;
    char room[24] = "?";

    if (rc != ENOSPC && rc != EDQUOT && rc != EFBIG && rc != EIO)
        return token_fail_lmdb(rc, "cannot write", e->path);
    if (statvfs(e->path, &fs) == 0)
        str_bytes((uint64_t)fs.f_bavail * fs.f_frsize, room);
    return fail(ST_IO,
                "cannot write '%s': %s (its file system has %s free); free space, or raise the "
                "limit of a file's "
                "size, and run the same command again: it goes on from the last commit",
                e->path, mdb_strerror(rc), room);
}

/* Room for a transaction. (Changing the map's size is allowed between transactions only.) Every
 * page of the trees may be written anew, and a run of pages that was free may not fit: twice the
 * values are enough. */
static enum status grow_map(struct token_env *e, size_t room)
{
    MDB_envinfo info;
    MDB_stat stat;
    size_t want = e->map;
    int rc;

    mdb_env_info(e->env, &info);
    mdb_env_stat(e->env, &stat);
    while (want < (info.me_last_pgno + 1) * stat.ms_psize + 2 * room + PAGES_SLACK)
        want *= 2;
    if (want == e->map)
        return ST_OK;
    rc = mdb_env_set_mapsize(e->env, want);
    if (rc != 0)
        return fail(ST_LIMIT,
                    "cannot map %zu bytes of '%s': %s (is the address space limited, ulimit -v?)",
                    want, e->path, mdb_strerror(rc));
    e->map = want;
    return ST_OK;
}

static enum status begin(struct token_env *e, size_t room)
{
    int rc;

    room = room > ROOM_FIRST ? room : ROOM_FIRST;
    TRY(grow_map(e, room));
    e->put = 0;
    e->room = room;
    rc = mdb_txn_begin(e->env, NULL, 0, &e->txn);
    return rc == 0 ? ST_OK : fail_env(e, rc);
}

static enum status open_tables(struct token_env *e)
{
    for (int t = 0; t < e->table_count; t++) {
        bool text = t == TOKEN_META || t == TOKEN_WORK;
        int rc = mdb_dbi_open(e->txn, token_table_names[t],
                              MDB_CREATE | (text ? 0 : MDB_INTEGERKEY), &e->tables[t]);

        if (rc != 0)
            return fail_env(e, rc);
    }
    return ST_OK;
}

enum status token_env_open(struct token_env *e, const char *path, int tables, unsigned flags)
{
    int rc;

    *e = (struct token_env){ .path = mem_strdup(path), .table_count = tables, .map = MAP_FIRST };
    rc = mdb_env_create(&e->env);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(e->env, (MDB_dbi)tables);
    if (rc == 0)
        rc = mdb_env_set_mapsize(e->env, e->map);
    if (rc == 0)
        rc = mdb_env_open(e->env, path, MDB_NOSUBDIR | MDB_NOLOCK | flags, 0666);
    if (rc != 0)
        return fail_env(e, rc);
    TRY(token_check_length(e->env, e->path));
    TRY(begin(e, 0));
    return open_tables(e);
}

enum status token_env_commit(struct token_env *e, size_t room)
{
    int rc = mdb_txn_commit(e->txn);

    e->txn = NULL;
    return rc == 0 ? begin(e, room) : fail_env(e, rc);
}

enum status token_env_need(struct token_env *e, size_t n)
{
    return n <= e->room - e->put ? ST_OK : token_env_commit(e, n);
}

enum status token_env_sync(struct token_env *e)
{
    int rc = mdb_env_sync(e->env, 1);

    return rc == 0 ? ST_OK : fail_env(e, rc);
}

void token_env_renamed(struct token_env *e, const char *path)
{
    free(e->path);
    e->path = mem_strdup(path);
}

enum status token_env_put(struct token_env *e, int table, uint64_t number, struct span value)
{
    MDB_val key = { sizeof number, &number }, v = { value.n, (void *)(value.n ? value.p : "") };
    int rc = mdb_put(e->txn, e->tables[table], &key, &v, MDB_APPEND);

    e->put += value.n + sizeof number;
    return rc == 0 ? ST_OK : fail_env(e, rc);
}

enum status token_env_set(struct token_env *e, int table, const char *name, struct span value)
{
    MDB_val key = { strlen(name), (void *)name }, v = { value.n, (void *)(value.n ? value.p : "") };
    int rc = mdb_put(e->txn, e->tables[table], &key, &v, 0);

    e->put += value.n + key.mv_size;
    return rc == 0 ? ST_OK : fail_env(e, rc);
}

enum status token_env_look(struct token_env *e, int table, const char *name, struct span *value)
{
    MDB_val key = { strlen(name), (void *)name }, v = { 0, NULL };
    int rc = mdb_get(e->txn, e->tables[table], &key, &v);

    *value = (struct span){ v.mv_data, v.mv_size };
    return rc == 0 || rc == MDB_NOTFOUND ? ST_OK : token_fail_lmdb(rc, "cannot read", e->path);
}

enum status token_env_count(struct token_env *e, int table, uint64_t *count)
{
    MDB_stat stat;
    int rc = mdb_stat(e->txn, e->tables[table], &stat);

    *count = stat.ms_entries;
    return rc == 0 ? ST_OK : token_fail_lmdb(rc, "cannot read", e->path);
}

void token_env_close(struct token_env *e)
{
    if (e->txn)
        mdb_txn_abort(e->txn);
    if (e->env)
        mdb_env_close(e->env);
    free(e->path);
    *e = (struct token_env){ 0 };
}
