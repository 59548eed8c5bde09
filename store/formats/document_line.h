/*
 * A document of a token store as a line of JSON: `store cat` and `store export --format jsonl`.
 */
#ifndef TUNDISH_STORE_DOCUMENT_LINE_H
#define TUNDISH_STORE_DOCUMENT_LINE_H

#include "store/tokens/tokens.h"

/* Appends {"document", "id", "source", "language" where it is known, "first", "tokens"} and a line
 * feed. tokens: a scratch array that grows; the caller frees it. */
struct document_line {
    const struct token_store *store;
    enum token_part part;
    int32_t *tokens;
    uint64_t cap;
};
MUST_USE enum status document_line_add(struct document_line *l, uint64_t index, struct buf *out);
void document_line_release(struct document_line *l);
/* Appends "id", "source" and, where it is known, "language" as members, with a comma between them.
 */
void document_line_names(const struct token_range *d, struct buf *out);

#endif
