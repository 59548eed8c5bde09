/*
 * The changes that a token store has been through, oldest first: its manifest chain (FORMATS.md,
 * "changes of a token store"). The file is `history-N.json`, N being the number of changes: it is
 * content, so the store's digest covers it, and it says nothing of when and where; that stands in
 * the manifest's `aside.changes`, which no digest covers. The manifest's `inputs` name the digests
 * before and the corpora that came, for lineage.
 *
 *   {"history": 1,
 *    "changes": [
 *      {"change": "append", "before": DIGEST,              the store's content digest before it
 *       "parts": {"train": {"documents", "tokens"}, "validation": {...}},    what it held then
 *       "corpus": DIGEST, "shards": ["shard-00002.mdb", ...]},    what came, and into which files
 *      {"change": "remove", "before": DIGEST, "parts": {...},
 *       "shards": [{"was": "shard-00000.mdb", "is": "shard-00000.1.mdb"}],
 *       "removed": [{"part", "document", "first", "tokens", "text_hash": 16 hex digits,
 *                    "shard": "shard-00000.mdb", "id_hash": 64 hex digits,
 *                    "id": only if it was to be kept}]}]}
 *
 * A removed document leaves its number, place and length as they were, so that what a model read of
 * the store can still be told, and the SHA-256 of its id behind the digest `before`: who knows the
 * id finds it, who does not cannot read it.
 */
#ifndef TUNDISH_STORE_STORE_HISTORY_H
#define TUNDISH_STORE_STORE_HISTORY_H

#include "base/hash.h"
#include "base/json.h"
#include "store/tokens/tokens.h"

#define STORE_HISTORY_VERSION 1
#define STORE_CHANGES_MOST    100000
/* Of the manifest's `inputs`, oldest first: the digests that the store had; the corpora that were
 * appended. */
#define STORE_HISTORY_INPUT  "before"
#define STORE_APPENDED_INPUT "appended"

/* "history-3.json" */
void store_history_name(size_t changes, char out[40]);
bool store_history_is_name(const char *name);
/* Reads and checks the history that the store's manifest names; *out is NULL where it was never
 * changed. Owned by the caller. */
MUST_USE enum status store_history_read(const char *store, const json_t *manifest, json_t **out);
/* The same of a text. what names it in errors. (The fuzz target.) */
MUST_USE enum status store_history_parse(const char *what, const char *text, size_t n,
                                         json_t **out);
/* Had the token store of this manifest the content digest before a change? */
bool store_history_had(const json_t *manifest, const char *digest);
/* The list of changes; of NULL an empty one (NULL, which jansson takes). */
const json_t *store_history_changes(const json_t *history);
/* What stands for an id: SHA-256 of the digest `before` and the id. */
void store_history_hash(const char *before, struct span id, char out[SHA256_HEX]);

/* A document that a change removed. */
struct store_tombstone {
    size_t change; /* number of it */
    enum token_part part;
    uint64_t document, first, tokens, text_hash; /* as they were before it */
    const char *shard, *id;                      /* borrowed; id NULL: not kept */
};
/* Tells every removed document with this id, oldest change first. */
typedef enum status store_tombstone_fn(void *ctx, const struct store_tombstone *t);
MUST_USE enum status store_history_find(const json_t *history, struct span id,
                                        store_tombstone_fn *tell, void *ctx);
/* All of them. */
MUST_USE enum status store_history_each(const json_t *history, store_tombstone_fn *tell, void *ctx);

/* The store as it was before a change: how long its documents were, by their numbers then. */
struct store_then;
/* digest: a content digest that the store had; ST_MISSING if it never had it before a change.
 * history lives only for the call, the store for as long as what comes out. */
MUST_USE enum status store_then_open(const struct token_store *now, const json_t *history,
                                     const char *digest, struct store_then **out);
void store_then_close(struct store_then *t);
uint64_t store_then_documents(const struct store_then *t, enum token_part part);
uint64_t store_then_tokens(const struct store_then *t, enum token_part part);
/* index < store_then_documents(). O(log removed). */
uint64_t store_then_length(const struct store_then *t, enum token_part part, uint64_t index);
uint64_t store_then_first(const struct store_then *t, enum token_part part, uint64_t index);
/* The number now of document `index` of then; false: it was removed. */
bool store_then_now(const struct store_then *t, enum token_part part, uint64_t index,
                    uint64_t *now);
/* The number then of a removed document; false: it was not there then. */
bool store_then_gone(const struct store_then *t, const struct store_tombstone *tombstone,
                     uint64_t *then);

#endif
