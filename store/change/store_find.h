/*
 * What `store find` and `store remove` say of a document of a token store.
 */
#ifndef TUNDISH_STORE_STORE_FIND_H
#define TUNDISH_STORE_STORE_FIND_H

#include "store/change/store_scan.h"

struct store_find_line {
    const struct token_store *store;
    bool json;   /* an object; else columns with tabs between them */
    bool offset; /* with the place of a sequence of tokens */
};
/* Appends part, number, shard, id, source, language, hash of the text, first token, tokens, and a
 * line feed. */
void store_find_line(const struct store_find_line *how, const struct store_find *found,
                     struct buf *out);
/* An option --hash. */
MUST_USE enum status store_find_hash(const char *text, uint64_t *out);
/* ST_FAILED, with the ids that are near. A pass over all documents. */
enum status store_find_no_such_id(const struct token_store *s, const char *path, const char *id);

#endif
