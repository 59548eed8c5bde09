/*
 * A tokenizer that training goes on from: its file with new tokens and merges behind the old ones.
 * All else of the file stays as it is: special tokens, pre-tokenizer, normalizer, template.
 */
#ifndef TUNDISH_TOKENIZE_LEARN_BASE_H
#define TUNDISH_TOKENIZE_LEARN_BASE_H

#include "base/json.h"
#include "tokenize/learn/bpe_train.h"
#include "tokenize/pretok/pretok.h"

struct learn_base;
/* path: as for tokenizer_open(). ST_UNSUPPORTED: it is not a byte-level BPE by merges. */
MUST_USE enum status learn_base_open(const char *path, struct learn_base **out);
void learn_base_close(struct learn_base *b);
/* Borrowed, valid until the close; one thread at a time may encode with it. */
const struct bpe_base *learn_base_bpe(const struct learn_base *b);
const struct pretok *learn_base_pretok(const struct learn_base *b);
bool learn_base_nfc(const struct learn_base *b);        /* it normalizes text to NFC first */
/* Appends the JSON text of the file, with what was learnt. */
MUST_USE enum status learn_base_print(const struct learn_base *b, const struct bpe_trained *t,
                                      struct buf *out);

#endif
