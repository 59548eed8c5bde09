/*
 * Ids to text, as a tokenizer file's decoder says it.
 *
 * Nearly all of it is a function of one token, and is done when the file is read: the bytes of
 * tokenizer_bytes(). What is left depends on where a token stands: the first one loses a mark, the
 * last one a space, spaces at the text's ends go. A struct step_decoder does that for ids that come
 * one after the other, holding back no more than a token and a few spaces.
 * Bytes stay bytes: where they are not UTF-8, Hugging Face shows U+FFFD, and ids decode here to
 * just what was encoded.
 */
#ifndef TUNDISH_TOKENIZE_DECODE_STEPS_H
#define TUNDISH_TOKENIZE_DECODE_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

enum decode_kind {
    DECODE_BYTE_LEVEL,       /* characters of store/formats/byte_level.h are bytes */
    DECODE_REPLACE,          /* every `from` becomes `to` */
    DECODE_BYTE_FALLBACK,    /* <0xHH> is a byte */
    DECODE_FUSE,             /* from here on steps see the whole text */
    DECODE_STRIP,            /* up to `start` and `stop` times `from` at the ends */
    DECODE_METASPACE,        /* `from` becomes a space; in the first token nothing, with `first` */
    DECODE_WORD_PIECE,       /* a token that begins with `from` loses it, another one gets a space */
    DECODE_BPE,              /* `from` becomes a space, in the last token nothing */
    DECODE_SPACES,           /* spaces between tokens (a file without a decoder) */
};
struct decode_step {
    enum decode_kind kind;
    struct span from, to;    /* in an arena that lives longer */
    size_t start, stop;
    bool first, cleanup;
};
#define DECODE_STEPS_MAX 32

struct decode_steps {
    struct decode_step steps[DECODE_STEPS_MAX];
    size_t count;
    size_t fuse;             /* steps before see tokens, from here on the text */
    bool first, last;        /* the first or last token has other bytes than elsewhere */
};
/* Sets fuse, first and last. what names the file. ST_UNSUPPORTED: a step that sees the whole text and
 * cannot be done as text arrives. */
MUST_USE enum status decode_steps_finish(struct decode_steps *d, const char *what);
/* Appends the bytes of a token as it stands in the file. */
void decode_steps_token(const struct decode_steps *d, struct span token, bool first, bool last,
                   struct buf *out);

struct tokenizer;
/* Ids one after the other; {.t, .skip_special} before use. */
struct step_decoder {
    const struct tokenizer *t;
    bool skip_special;       /* special tokens give nothing */
    bool begun;              /* a token was given out or waits */
    bool waiting;            /* `id` waits to be the last or not */
    uint32_t id;
    size_t stripped;         /* how often the text's beginning was stripped */
    bool inside;             /* and it has no more to strip */
    struct buf held;         /* spaces that may be the text's end */
    size_t count;            /* ids seen, for messages */
};
/* Appends what is known of the text from now on. Unknown ids are ST_LIMIT. */
MUST_USE enum status step_decoder_add(struct step_decoder *d, uint32_t id, struct buf *out);
/* Appends the rest, and gives its memory back; the decoder may be used for another text. */
void step_decoder_end(struct step_decoder *d, struct buf *out);
/* Whether text is just the tokens' bytes in a row (byte-level files): then nobody needs this. */
bool step_decoder_is_plain(const struct tokenizer *t);

#endif
