/*
 * The finished file of a shard: all that its working file has, and what was not yet a whole block,
 * written once more into a fresh environment, in one order, by transactions that are cut by what is
 * written. The working file's pages tell how often it was interrupted; these tell nothing but their
 * content.
 */
#ifndef TUNDISH_STORE_TOKEN_FINAL_H
#define TUNDISH_STORE_TOKEN_FINAL_H

#include "store/tokens/token_env.h"

struct token_final_tail {
    struct span tok, doc,
        skip; /* the last block of each, as it is to be stored; n = 0: there is none */
};
struct token_final {
    struct token_env *from; /* its open transaction is read */
    const struct token_shard_meta *meta;
    struct token_final_tail tails[TOKENS_PARTS];
    const char *path;
};
/* Writes `path` under a temporary name, synced, and renames it. Every block is held against its
 * checksum on the way: ST_INTEGRITY if the disk gave back other bytes. */
MUST_USE enum status token_final_write(const struct token_final *f);
/* Removes what a process that was killed while it wrote `path` has left. */
void token_final_clear(const char *path);

#endif
