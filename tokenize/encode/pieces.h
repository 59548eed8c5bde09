/*
 * The hot half of encoding: text without added tokens, normalized, to ids. The pre-tokenizer cuts it
 * into pieces; each piece's ids come from the cache of pieces seen before, or are merged.
 */
#ifndef TUNDISH_TOKENIZE_ENCODE_PIECES_H
#define TUNDISH_TOKENIZE_ENCODE_PIECES_H

#include "tokenize/tokenizer.h"

struct piece_encoder;            /* one thread's own */
struct piece_encoder *piece_encoder_new(const struct tokenizer *t);
void piece_encoder_free(struct piece_encoder *e);
/* Appends the ids of well-formed UTF-8. ST_LIMIT: the pattern backtracks too much, or a piece
 * has 2 GiB. */
MUST_USE enum status piece_encoder_encode(struct piece_encoder *e, struct span text,
                                          struct token_list *out);

#endif
