/*
 * Which of a document's tokens are read but not learnt, from the ranges of its text that are to be learnt
 * (--learn-only). A token is learnt if its bytes touch such a range; one without bytes of its own (what a normalizer
 * puts in front) if it stands inside one; the end-of-text token if the last range reaches the text's end.
 */
#ifndef TUNDISH_TOKENIZE_LEARN_ONLY_H
#define TUNDISH_TOKENIZE_LEARN_ONLY_H

#include "store/tokens/tokens.h"
#include "tokenize/document_metadata.h"
#include "tokenize/encode/encode_stream.h"

/* d has ranges, and the end-of-text token at its end. *out lives in the arena: ascending, apart. */
void learn_only_spans(struct arena *a, const struct encoded_document *d, const struct byte_ranges *learnt,
                      struct token_span **out, size_t *count);

#endif
