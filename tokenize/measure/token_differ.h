/*
 * Where two encodings of one text part. Both are walked at once by the bytes that their tokens
 * stand for; a span begins where both have a boundary and they do not go on with the same token,
 * and ends at the next boundary that they share.
 */
#ifndef TUNDISH_TOKENIZE_TOKEN_DIFFER_H
#define TUNDISH_TOKENIZE_TOKEN_DIFFER_H

#include "tokenize/tokenizer.h"

struct token_side {
    const struct tokenizer *tokenizer;
    const uint32_t *ids;
    size_t count;
    size_t lead;                     /* bytes that its first token has in front of the text: the
                                        space that SentencePiece's kind of vocabulary puts there */
};
/* The lead of the ids of a text: 1 where they spell the text with one space more in front, else 0. */
size_t token_side_lead(const struct token_side *s, struct span text);
/* A place where they part. */
struct token_span {
    size_t at, bytes;                /* of the text, as the first side's tokens spell it */
    size_t first[2], count[2];       /* tokens of each side */
};
struct token_difference {
    bool ids, cuts;                  /* do the ids differ, do the boundaries or bytes? */
    uint64_t spans, tokens[2];       /* with other ids, and each side's tokens in them */
    uint64_t same_bytes;             /* of text that stands in equal tokens, whatever their ids */
    struct token_span first_ids, first_cuts;     /* the first of each kind */
};
struct token_difference token_differ(const struct token_side *a, const struct token_side *b);

#endif
