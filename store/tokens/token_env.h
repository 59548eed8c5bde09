/*
 * An LMDB environment with a shard's tables that is being written, by one process. Values are
 * appended in transactions that their caller ends; a transaction's pages are in memory until then.
 */
#ifndef TUNDISH_STORE_TOKEN_ENV_H
#define TUNDISH_STORE_TOKEN_ENV_H

#include "store/tokens/token_format.h"

struct token_env {
    MDB_env *env;
    MDB_txn *txn; /* open whenever env is and nothing failed */
    MDB_dbi tables[TOKEN_TABLES_WRITING];
    char *path;
    int table_count;
    size_t put, room; /* bytes of keys and values in this transaction; what it has room for */
    size_t map;
};
/* Opens the file, or makes it, with its first `tables` tables, and begins a transaction. flags:
 * MDB_NOSYNC for a file that its caller syncs, or that is not used after a loss of power. */
MUST_USE enum status token_env_open(struct token_env *e, const char *path, int tables,
                                    unsigned flags);
/* Ends the transaction and begins one with room for so many bytes of keys and values. */
MUST_USE enum status token_env_commit(struct token_env *e, size_t room);
/* Commits first if the open transaction has no room for n bytes more. */
MUST_USE enum status token_env_need(struct token_env *e, size_t n);
MUST_USE enum status token_env_sync(struct token_env *e);
/* Its file has another name now, for messages. */
void token_env_renamed(struct token_env *e, const char *path);
/* Behind the table's last key. */
MUST_USE enum status token_env_put(struct token_env *e, int table, uint64_t number,
                                   struct span value);
/* Over what has this key. */
MUST_USE enum status token_env_set(struct token_env *e, int table, const char *key,
                                   struct span value);
/* Valid until the next change; n = 0 and p = NULL if the key is not there. */
MUST_USE enum status token_env_look(struct token_env *e, int table, const char *key,
                                    struct span *value);
MUST_USE enum status token_env_count(struct token_env *e, int table, uint64_t *count);
/* Drops the open transaction; e is {0} afterwards. */
void token_env_close(struct token_env *e);

#endif
