/*
 * A token store that is changed in place: documents come behind the others (append) or go (remove).
 * What artifact_amend.h is to files this is to documents: it keeps the history (store_history.h),
 * the counts and the circumstances in the manifest.
 *
 * Shards stay as they are but those that lose documents: such a one is written anew as its next
 * edition, and the old file goes when the manifest names the new one. `made_by` stays that of the
 * stage that made the store, so that a pipeline finds it; the digest is another one, and the
 * history says why.
 */
#ifndef TUNDISH_STORE_STORE_CHANGE_H
#define TUNDISH_STORE_STORE_CHANGE_H

#include "store/artifact/artifact_amend.h"
#include "store/tokens/token_store_shards.h"

struct store_change;
/* kind: "append" or "remove". Locks the store; `clear` removes what changes that were killed left
 * of shards; a removal also what stages that were killed left of the store's documents beside it
 * (PATH.work, PATH.append, PATH.append.work; ST_HELD while one works there). */
struct store_change_args {
    const char *path, *kind;
    bool clear;
};
MUST_USE enum status store_change_begin(const struct store_change_args *args,
                                        struct store_change **out);
/* The store as it is, open for as long as the change. */
const struct token_store *store_change_store(const struct store_change *c);
struct amendment *store_change_amendment(struct store_change *c);
/* The history's entry of this change, for the caller to fill. */
json_t *store_change_entry(struct store_change *c);
/* The history of the changes before; NULL: none. */
const json_t *store_change_history(const struct store_change *c);
/* What the store has more of, or less. */
struct store_change_counts {
    int64_t documents, tokens, text_bytes;
};
void store_change_count(struct store_change *c, enum token_part part,
                        const struct store_change_counts *n);
void store_change_count_shards(struct store_change *c, int64_t n);
/* An input that came, and where it lay. */
void store_change_input(struct store_change *c, const char *digest, const char *path);
/* Frees c in any case; after a failure the store is the old one. */
MUST_USE enum status store_change_commit(struct store_change *c, char digest[SHA256_HEX]);
void store_change_abort(struct store_change *c);

/* Writes a shard of a store anew, without some documents. */
struct store_rewrite {
    size_t shard; /* of the store's, from 0 */
    /* Goes the document? index: of the part. Asked in order, train before validation. */
    bool (*goes)(void *ctx, enum token_part part, uint64_t index);
    void *ctx;
};
MUST_USE enum status store_copy_shard(const struct token_store *store,
                                      const struct store_rewrite *r, const char *path);
/* A shard of the store that is changed, as its next edition: adds the new file to the change and
 * drops the old one; is gets the new one's name. */
MUST_USE enum status store_change_rewrite(struct store_change *c, const struct store_rewrite *r,
                                          char is[TOKEN_SHARD_NAME]);

#endif
