/*
 * What a token store is made of: how many documents and tokens each source and each language has.
 * One pass over the documents' records, on all threads; memory grows with the number of distinct
 * names.
 */
#ifndef TUNDISH_STORE_STORE_NAMES_H
#define TUNDISH_STORE_STORE_NAMES_H

#include "base/pool.h"
#include "store/tokens/tokens.h"

struct store_name {
    struct span name; /* of the store's; n = 0: not said */
    uint64_t hash;
    uint64_t documents, tokens; /* of both parts */
};
/* Most tokens first, then by name. */
struct store_names {
    struct store_name *v;
    size_t count;
};
enum store_name_kind { STORE_SOURCES, STORE_LANGUAGES, STORE_NAME_KINDS };
MUST_USE enum status store_names_count(const struct token_store *s, struct pool *pool,
                                       struct store_names out[STORE_NAME_KINDS]);
void store_names_release(struct store_names names[STORE_NAME_KINDS]);

#endif
