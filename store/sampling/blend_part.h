/*
 * One part of a blend as one stream: the tokens, and the documents, of its stores one store after
 * the other, each once, whatever their weights. For those who score the held-out documents.
 */
#ifndef TUNDISH_STORE_BLEND_PART_H
#define TUNDISH_STORE_BLEND_PART_H

#include "store/sampling/blend.h"

uint64_t blend_documents(const struct blend *b, enum token_part part);
/* The largest vocabulary of its stores. */
uint32_t blend_vocab(const struct blend *b);
/* Tokens [first, first + n) of the stream, as token_store_read(). */
MUST_USE enum status blend_read(const struct blend *b, enum token_part part,
                                const struct token_span *where, int32_t *out);
/* Document `index`; out->first is counted in the stream. */
MUST_USE enum status blend_document(const struct blend *b, enum token_part part, uint64_t index,
                                    struct token_range *out);
/* Which document has token `at` of the stream. at < blend_tokens(). O(log documents). */
uint64_t blend_document_at(const struct blend *b, enum token_part part, uint64_t at);
/* Where document `index` begins in the stream, and how many tokens it has; a look at arrays. */
struct token_span blend_span(const struct blend *b, enum token_part part, uint64_t index);

#endif
