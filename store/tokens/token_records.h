/*
 * The two kinds of record blocks of a token shard (FORMATS.md, "token store"): documents, and spans
 * of tokens that are not to be learnt. Each is a value of whole pages: a head of 16 bytes (checksum
 * of what follows it, how many rows, and bytes of ids), then one array a column, so that a row is
 * found without reading another.
 */
#ifndef TUNDISH_STORE_TOKEN_RECORDS_H
#define TUNDISH_STORE_TOKEN_RECORDS_H

#include "store/tokens/token_format.h"

#define TOKEN_ROWS      4096u /* of a block; the last one of a part has what is left */
#define TOKEN_ROWS_HEAD 16
#define TOKEN_DOC_ROW   28 /* bytes of a document's row without its id */
#define TOKEN_SKIP_ROW  16

/* How many blocks so many rows take, and how many rows block `block` has. */
uint64_t token_rows_blocks(uint64_t rows);
uint32_t token_rows_in(uint64_t rows, uint64_t block);

/* A block of documents where it lies. */
struct token_docs {
    const uint64_t *end; /* in the part's tokens of this shard: the document's first token is the
                            end of the one before */
    const uint64_t *text_hash;
    const uint32_t *label, *text_bytes;
    const uint32_t *id_end; /* in ids, likewise */
    const char *ids;
    uint32_t count;
};
/* Checks size, head and alignment, and that all ends ascend: token ends from `begin` up to
 * `tokens`, ends of ids over all of `ids`, labels below `labels`. The checksum is
 * token_rows_check()'s matter. */
struct token_rows_want {
    uint32_t count;
    uint64_t begin, tokens, labels;
};
MUST_USE enum status token_docs_parse(const char *what, struct span value,
                                      const struct token_rows_want *want, struct token_docs *out);
/* A block of spans {first, end} likewise: ascending, apart, none empty, from `begin` up to
 * `tokens`. */
MUST_USE enum status token_skips_parse(const char *what, struct span value,
                                       const struct token_rows_want *want, const uint64_t **out);
/* Has the value the checksum in its head? */
bool token_rows_check(struct span value);

/* ---- writing ---- */
struct token_docs_rows {
    uint32_t count;
    uint64_t end[TOKEN_ROWS], text_hash[TOKEN_ROWS];
    uint32_t label[TOKEN_ROWS], text_bytes[TOKEN_ROWS], id_end[TOKEN_ROWS];
    struct buf ids;
};
struct token_skips_rows {
    uint32_t count;
    uint64_t spans[2 * TOKEN_ROWS];
};
/* The block of the rows, in out (cleared first). */
void token_docs_print(const struct token_docs_rows *rows, struct buf *out);
void token_skips_print(const struct token_skips_rows *rows, struct buf *out);
/* Rows from a block. */
void token_docs_copy(struct token_docs_rows *rows, const struct token_docs *from);

/* A label: checksum, source, language. */
void token_label_print(struct span source, struct span language, struct buf *out);
MUST_USE enum status token_label_parse(const char *what, struct span value, struct span *source,
                                       struct span *language);
bool token_label_check(struct span value);

#endif
