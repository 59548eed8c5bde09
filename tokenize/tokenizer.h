/*
 * A tokenizer: text to token ids and back. The file is Hugging Face's
 * tokenizer.json (byte-level BPE).
 *
 * Encoding: special tokens are split off first (only when allowed), the rest is cut into pieces by
 * the pre-tokenizer's pattern (PCRE2, JIT), each piece's bytes are merged by rank, lowest first,
 * leftmost on ties. Any bytes survive encode and decode: where the text is not UTF-8, the
 * ill-formed bytes stand as single-byte tokens.
 * A tokenizer is immutable after load and shared by threads; each thread encodes with its own
 * encoder (scratch and piece cache).
 */
#ifndef TUNDISH_TOKENIZE_TOKENIZER_H
#define TUNDISH_TOKENIZE_TOKENIZER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

struct tokenizer;
/* path: a tokenizer.json, or a folder (artifact or exported model) that holds one. */
MUST_USE enum status tokenizer_open(const char *path, struct tokenizer **out);
/* From the JSON text; what names it in errors. (The fuzz target.) */
MUST_USE enum status tokenizer_parse(const char *what, const char *json, size_t n,
                                     struct tokenizer **out);
void tokenizer_close(struct tokenizer *t);
uint32_t tokenizer_vocab(const struct tokenizer *t);          /* entries, special tokens included */
/* The id of a special (added) token by its text, or -1. */
int64_t tokenizer_special(const struct tokenizer *t, const char *text);
/* The end-of-text token that separates documents ("<|endoftext|>" and the usual
 * other names), or -1. */
int64_t tokenizer_end_of_text(const struct tokenizer *t);
/* The bytes of one token; special tokens give their text. n = 0 for an id that has
 * no entry. Borrowed. */
struct span tokenizer_bytes(const struct tokenizer *t, uint32_t id);
bool tokenizer_is_special(const struct tokenizer *t, uint32_t id);

struct token_list {
    uint32_t *v;
    size_t count, cap;
};
void token_list_release(struct token_list *l);
/* Makes room for so many more. */
void token_list_reserve(struct token_list *l, size_t extra);
void token_list_add(struct token_list *l, uint32_t id);

struct encoder;
struct encoder *encoder_new(const struct tokenizer *t);
void encoder_free(struct encoder *e);
/* Appends the ids of text. specials: whether special tokens' texts in it become their ids (never
 * for corpus text). Added tokens that the file does not flag special ("<tool_call>" of Qwen) are
 * part of the text's language and count either way, as in Hugging Face's tokenizers. Ids are
 * those of add_special_tokens=False: nothing is put in front or behind. ST_LIMIT: the pattern
 * backtracks too much. */
MUST_USE enum status encoder_encode(struct encoder *e, struct span text, bool specials,
                                    struct token_list *out);

/* Appends the bytes of ids. skip_special drops special tokens. Unknown ids are ST_LIMIT. */
MUST_USE enum status tokenizer_decode(const struct tokenizer *t, const uint32_t *ids, size_t count,
                                      bool skip_special, struct buf *out);

#endif
