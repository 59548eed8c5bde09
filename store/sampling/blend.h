/*
 * What a run reads its tokens from: one token store, or a blend of several (kind `token-blend`;
 * FORMATS.md, "token blend"), made by `tundish store blend`: the stores' content digests, weights
 * and caps of epochs, in order. All stores of a blend have the same tokenizer; the blend's folder
 * carries its tokenizer.json, as a store does.
 *
 * Where the stores lie is no part of what a blend is: their paths stand in the manifest's `aside`.
 * A store is looked for at its path, then under its name beside the blend, and known by its digest.
 */
#ifndef TUNDISH_STORE_BLEND_H
#define TUNDISH_STORE_BLEND_H

#include "store/sampling/sampling.h"

#define BLEND_FILE "blend.json"

/* What blend.json says of a store. */
struct blend_store {
    const char *digest;
    double weight, epochs;      /* as in struct sampling_source */
    uint64_t documents, tokens; /* of its train part */
};
struct blend_record {
    const char *tokenizer; /* digest */
    struct blend_store *stores;
    size_t count;
};
/* Strings live in the arena. what: for messages. */
MUST_USE enum status blend_parse(const char *what, struct span text, struct arena *a,
                                 struct blend_record *out);
/* The blend.json of the blend at `path`, whose manifest this is; its digest is compared. */
MUST_USE enum status blend_read_record(const char *path, const json_t *manifest, struct arena *a,
                                       struct blend_record *out);
/* Appends blend.json. */
void blend_print(const struct blend_record *r, struct buf *out);

struct blend {
    struct arena arena;
    const char *path, *then;         /* then: NULL, or blend_open_then()'s digest */
    struct sampling_source *sources; /* of one store: itself, weight 1, no cap */
    size_t count;
};
/* Opens the store, or the blend and each of its stores. ST_MISSING for a store that is nowhere, or
 * has another content digest than the blend's, with what to do. */
MUST_USE enum status blend_open(const char *path, struct blend *out);
/* The same as it was when it had that content digest: stores that were changed since are taken as
 * they were (token_store_open_then()), so order and lengths are to be had, tokens are not. */
MUST_USE enum status blend_open_then(const char *path, const char *digest, struct blend *out);
void blend_close(struct blend *b);
/* Over all stores. */
uint64_t blend_tokens(const struct blend *b, enum token_part part);

#endif
