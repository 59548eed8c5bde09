/*
 * What token_store.c knows of a store as it was: the store that it became, and its history.
 */
#ifndef TUNDISH_STORE_TOKEN_PAST_H
#define TUNDISH_STORE_TOKEN_PAST_H

#include "store/tokens/token_format.h"

struct token_past;
MUST_USE enum status token_past_open(const char *path, const char *digest, struct token_past **out);
void token_past_close(struct token_past *p);
const struct token_store *token_past_now(const struct token_past *p);
const char *token_past_digest(const struct token_past *p);
/* Documents and tokens; what the history does not tell is 0. */
void token_past_counts(const struct token_past *p, enum token_part part, struct token_counts *out);
uint64_t token_past_first(const struct token_past *p, enum token_part part, uint64_t index);
uint64_t token_past_length(const struct token_past *p, enum token_part part, uint64_t index);
MUST_USE enum status token_past_document(const struct token_past *p, enum token_part part,
                                         uint64_t index, struct token_range *out);
MUST_USE enum status token_past_removed(const struct token_past *p, struct span id,
                                        token_removed_fn *tell, void *ctx);
/* fail(): there are no tokens to be had. */
enum status token_past_refuse(const struct token_past *p);

#endif
