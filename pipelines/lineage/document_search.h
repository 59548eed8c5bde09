/*
 * One document's id, looked for in what holds documents: corpora (text, shards in parallel), token
 * stores (records), a corpus's own report (samples of what was dropped) and an evaluation's report.
 */
#ifndef TUNDISH_PIPELINES_DOCUMENT_SEARCH_H
#define TUNDISH_PIPELINES_DOCUMENT_SEARCH_H

#include "base/json.h"
#include "base/pool.h"
#include "store/change/id_hints.h"
#include "store/tokens/tokens.h"

/* A document in a corpus (a folder with or without a manifest, or one file). */
struct corpus_place {
    uint64_t documents;              /* of this id; what follows is the first one's */
    char *shard;                     /* relative to the corpus; owned */
    uint64_t line;                   /* from 1 */
    uint64_t text_bytes, text_hash;
    char *source;                    /* owned; NULL: none */
};
MUST_USE enum status corpus_search(const char *path, const char *id, struct pool *pool,
                                   struct corpus_place *out, struct id_hints *hints);
void corpus_place_free(struct corpus_place *p);

/* The documents of a token store that have the id: those that it holds, then, where it is a store
 * as it was, those that were removed since. */
struct store_places {
    struct store_place {
        enum token_part part;
        uint64_t index, first, count; /* of the part's documents; of its stream */
        bool removed;
    } *v;
    size_t count, removed;
    uint64_t tokens;
};
MUST_USE enum status store_search(const struct token_store *s, const char *id,
                                  struct store_places *out, struct id_hints *hints);
void store_places_free(struct store_places *p);

/* The sample of a corpus's report.json with this id: {"step", "reason", "meaning", "value",
 * "threshold", "of"}; NULL: none. Owned by the caller. */
json_t *dropped_search(const char *corpus, const char *id);
/* Has a line of a JSONL file this id? False, too, where there is no such file. */
bool lines_search(const char *folder, const char *name, const char *id);

#endif
