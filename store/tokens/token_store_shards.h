/*
 * The shards of an open token store, for those who rewrite or name them. Shards count from 0 in the
 * order of their numbers.
 */
#ifndef TUNDISH_STORE_TOKEN_STORE_SHARDS_H
#define TUNDISH_STORE_TOKEN_STORE_SHARDS_H

#include "store/tokens/token_format.h"

/* Documents [first, first + count) of a part lie in the shard. */
struct token_shard_place {
    struct token_shard_id shard;
    uint64_t first, count;
};
/* i < token_store_shards(). */
void token_store_shard_place(const struct token_store *s, size_t i, enum token_part part,
                             struct token_shard_place *out);
const struct token_shard_meta *token_store_shard_meta(const struct token_store *s, size_t i);
/* Where document `index` of a part lies; it must be one. */
void token_store_place(const struct token_store *s, enum token_part part, uint64_t index,
                       struct token_shard_place *out);
/* How many spans of tokens of the part are not to be learnt. */
uint64_t token_store_skip_spans(const struct token_store *s, enum token_part part);
/* Borrowed. */
const json_t *token_store_manifest(const struct token_store *s);

#endif
