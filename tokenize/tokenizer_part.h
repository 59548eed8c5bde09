/* The inside of a tokenizer, for the files of this folder that fill it
 * (tokenizer_json.c) and use it. */
#ifndef TUNDISH_TOKENIZE_TOKENIZER_PART_H
#define TUNDISH_TOKENIZE_TOKENIZER_PART_H

#include "base/arena.h"
#include "tokenize/encode/added_tokens.h"
#include "tokenize/encode/bpe.h"
#include "tokenize/pretok/pretok.h"
#include "tokenize/text_map.h"
#include "tokenize/tokenizer.h"

/* A token in one load, for decoding. */
#define SHORT_TOKEN 15
struct short_token {
    char p[SHORT_TOKEN];
    uint8_t n;                       /* 0: look at bytes[] */
};
/* Called at the end of loading. */
struct tokenizer;
void decoder_prepare(struct tokenizer *t);

struct tokenizer {
    struct arena arena;              /* all texts below */
    uint32_t vocab;                  /* highest id + 1 */
    size_t entries, merge_count;     /* ids that have a token; merges in the file */
    struct span *bytes;              /* [vocab]; p == NULL: no entry */
    bool *special;                   /* [vocab] */
    struct short_token *short_bytes; /* [vocab]; decoder_prepare() makes it of bytes; may be NULL */
    uint32_t byte_id[256];           /* the token of each single byte */
    bool ignore_merges;              /* a piece that is a token is never merged */
    bool nfc;                        /* text is normalized first */
    struct text_map whole;           /* bytes -> id of the tokens in the byte-level alphabet */
    struct bpe *bpe;
    struct pretok *pretok;
    struct added_token *added;       /* in the file's order */
    size_t added_count;
    struct added_set *added_raw;     /* matched in the text as it is */
    struct added_set *added_normal;  /* matched after normalization */
};

#endif
