/*
 * Writing a trained tokenizer as tokenizer.json, in the form that Hugging Face's tokenizers 0.20
 * and later write: byte-level alphabet, merges as pairs, every flag spelled out.
 */
#ifndef TUNDISH_TOKENIZE_TOKENIZER_WRITE_H
#define TUNDISH_TOKENIZE_TOKENIZER_WRITE_H

#include "tokenize/learn/bpe_train.h"

/* Appends the JSON text. pattern: what text is cut by, in Hugging Face's dialect. The first
 * special_count tokens become added tokens, flagged special. */
void tokenizer_print(struct buf *out, const struct bpe_trained *t, size_t special_count,
                     const char *pattern);
/* The same with several cuts, one after the other; NULL behind the last. */
void tokenizer_print_cuts(struct buf *out, const struct bpe_trained *t, size_t special_count,
                          const char *const *patterns);

#endif
