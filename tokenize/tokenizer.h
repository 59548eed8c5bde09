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
/* path: a tokenizer.json, or a folder (artifact or exported model) that holds one; a rank file of
 * tiktoken's that OpenAI has published; vocab.bpe or merges.txt with their vocabulary beside them;
 * a GGUF file whose pre-tokenizer is known (files/foreign.h). */
MUST_USE enum status tokenizer_open(const char *path, struct tokenizer **out);
/* Appends the tokenizer.json that is read from such a path: the file as it is, or what another kind
 * of file becomes. ST_UNSUPPORTED: a rank file, which no tokenizer.json says exactly. */
MUST_USE enum status tokenizer_json(const char *path, struct buf *json);
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
/* What the file's post-processor puts before and behind a text where special tokens are asked for
 * (add_special_tokens=True of Hugging Face): Llama's <s>, say. Borrowed. */
struct tokenizer_around {
    const uint32_t *before, *behind;
    size_t before_count, behind_count;
};
struct tokenizer_around tokenizer_around(const struct tokenizer *t);

struct token_list {
    uint32_t *v;
    size_t count, cap;
};
void token_list_release(struct token_list *l);
/* Makes room for so many more. */
void token_list_reserve(struct token_list *l, size_t extra);
void token_list_add(struct token_list *l, uint32_t id);

/* For each id the bytes [start, end) of the text that it stands for. Ids of one text have ranges that
 * follow each other without gaps, but for these cases (what a normalizer puts in front has none):
 *   - a token that is a part of a character has its own bytes: 1 byte of 3, say;
 *   - text that normalization changed (composed, reordered) is one: each id made of it has all its
 *     bytes, so such ranges may overlap, and bytes that became nothing belong to none;
 *   - the white space that an added token takes (lstrip, rstrip) is part of its range.
 * Hugging Face's offsets count characters, and a part of a character has the whole one: theirs
 * are (characters before the one that holds byte start, characters up to the one that holds
 * byte end - 1). Where normalization composed characters they name the first one only. A
 * post-processor's trim_offsets, which takes white space out of theirs, is not followed. */
struct id_range {
    uint64_t start, end;
};
struct id_ranges {
    struct id_range *v;
    size_t count, cap;
};
void id_ranges_release(struct id_ranges *r);
struct id_range *id_ranges_extend(struct id_ranges *r, size_t n);   /* the n new ones */

struct encoder;
struct encoder *encoder_new(const struct tokenizer *t);
void encoder_free(struct encoder *e);
const struct tokenizer *encoder_tokenizer(const struct encoder *e);
/* Says whether the text of the calls to come goes on from one that was cut at a safe place (encode/safe_cut.h), so that nothing is
 * put in front of it; false at first. */
void encoder_go_on(struct encoder *e, bool inside);
/* Appends the ids of text. specials: whether special tokens' texts in it become their ids (never
 * for corpus text). Added tokens that the file does not flag special ("<tool_call>" of Qwen) are
 * part of the text's language and count either way, as in Hugging Face's tokenizers. Ids are
 * those of add_special_tokens=False: nothing is put in front or behind. Of any length where the
 * pattern has a name (text goes in windows, cut at safe places: encode/safe_cut.h). ST_LIMIT: the
 * pattern backtracks too much, or 4 GiB of text without a safe place. */
MUST_USE enum status encoder_encode(struct encoder *e, struct span text, bool specials,
                                    struct token_list *out);
/* The same, and appends a range for each id. ST_UNSUPPORTED: a normalizer with other steps than NFC,
 * Replace (fixed) and Prepend; a pre-tokenizer that rewrites text or leaves some out; an
 * unknown token. */
MUST_USE enum status encoder_encode_ranges(struct encoder *e, struct span text, bool specials,
                                           struct token_list *out, struct id_ranges *ranges);

/* How many ids text has, without keeping them; of a text with more than `until`, only as much is
 * looked at as that takes. */
struct token_count {
    uint64_t tokens;                 /* until + 1 if there are more */
    bool more;                       /* than until */
    uint64_t end;                    /* bytes of text that the first `until` ids end at; all of it if
                                        there are no more */
};
#define TOKEN_COUNT_ALL UINT64_MAX
MUST_USE enum status encoder_count(struct encoder *e, struct span text, bool specials,
                                   uint64_t until, struct token_count *out);

/* A text that comes in chunks of any size, cut anywhere: the ids are those of one call. What has a
 * safe place behind it is encoded and forgotten, so memory is bounded by the distance of such
 * places; where none is known (a pattern without a name), the text is kept until encode_feed_end(). */
struct encode_feed;
struct encode_feed_args {
    bool specials;
    uint64_t limit;                  /* bytes of text that may be kept; 0: 1 GiB. ST_LIMIT above it */
    size_t step;                     /* bytes that come between two looks for a safe place; 0: 64 KiB */
    struct id_ranges *ranges;     /* filled beside out, with places in the whole text; or NULL */
};
/* The encoder is the caller's, and free between two calls. */
struct encode_feed *encode_feed_new(struct encoder *e, const struct encode_feed_args *args);
void encode_feed_free(struct encode_feed *f);
/* Appends the ids that are certain after this chunk to out. */
MUST_USE enum status encode_feed_add(struct encode_feed *f, struct span chunk, struct token_list *out);
/* Nothing more comes: appends the rest. The feed is ready for another text, also after a failure. */
MUST_USE enum status encode_feed_end(struct encode_feed *f, struct token_list *out);

/* Appends the bytes of ids. skip_special drops special tokens. Unknown ids are ST_LIMIT. */
MUST_USE enum status tokenizer_decode(const struct tokenizer *t, const uint32_t *ids, size_t count,
                                      bool skip_special, struct buf *out);

/* Ids that come a few at a time, to text that is handed on in whole UTF-8 characters only: a
 * character whose bytes end in a later token is held back until then. What can never become a
 * character is handed on at once: its bytes as they are, or (repair) U+FFFD for each maximal
 * ill-formed part (Unicode 15, 3.9), as utf8_repair() does for the whole text. Without repair all
 * that comes out is, joined, what tokenizer_decode() gives. */
struct decode_feed;
struct decode_feed_args {
    bool skip_special, repair;
};
struct decode_feed *decode_feed_new(const struct tokenizer *t, const struct decode_feed_args *args);
void decode_feed_free(struct decode_feed *d);
/* Appends the text of ids. An unknown id is ST_LIMIT; those before it have been handed on. */
MUST_USE enum status decode_feed_add(struct decode_feed *d, const uint32_t *ids, size_t count,
                                 struct buf *out);
/* Nothing more comes: appends what was held back. Ready for another text. */
void decode_feed_end(struct decode_feed *d, struct buf *out);

#endif
