/* The inside of a tokenizer, for the files of this folder that fill it
 * (tokenizer_json.c) and use it. */
#ifndef TUNDISH_TOKENIZE_TOKENIZER_PART_H
#define TUNDISH_TOKENIZE_TOKENIZER_PART_H

#include "base/arena.h"
#include "tokenize/encode/added_tokens.h"
#include "tokenize/encode/bpe.h"
#include "tokenize/encode/decode_steps.h"
#include "tokenize/encode/normalizer.h"
#include "tokenize/encode/piece_merge.h"
#include "tokenize/encode/stages.h"
#include "tokenize/encode/symbols.h"
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
void short_tokens_make(struct tokenizer *t);

/* What a merge's rank is. RANK_PLACE: its place in the list of merges (Hugging Face). RANK_TOKEN: the
 * first place of a merge that makes the same token, so that between splits of a token the place in the
 * text decides (SentencePiece). RANK_SPLITS: the id of the token, and every two tokens whose
 * bytes make a third have a merge; a piece that is a token is never merged (tiktoken). */
enum rank_meaning { RANK_PLACE, RANK_TOKEN, RANK_SPLITS };

struct tokenizer {
    struct arena arena;              /* all texts below */
    uint32_t vocab;                  /* highest id + 1 */
    size_t entries, merge_count;     /* ids that have a token; merges in the file */
    struct span *bytes;              /* [vocab] what a token decodes to; p == NULL: no entry */
    struct span *pieces;             /* [vocab] what a token is in a piece: bytes itself, unless the
                                        decoder or an added token gives one another text */
    bool *special;                   /* [vocab] */
    struct short_token *short_bytes; /* [vocab]; short_tokens_make() makes it of bytes; may be NULL */
    struct span *raw;                /* [vocab] tokens as the file spells them; only with decode */
    uint32_t byte_id[256];           /* the token of each single byte, or NO_TOKEN */
    bool ignore_merges;              /* a piece that is a token is never merged */
    enum rank_meaning ranks;
    bool nfc;                        /* text is normalized to NFC first, and nothing else */
    struct normalizer *normalizer;   /* what else is done to text; NULL: nothing */
    struct normalizer *normalizer_inside;    /* the same for what is behind a safe cut (encode/mark_cut.h); NULL: no such cuts */
    struct stage *stages;            /* of a pre-tokenizer that rewrites text, before pretok */
    size_t stage_count;
    struct text_map whole;           /* piece -> id of the tokens that may be a whole piece */
    struct symbols *symbols;         /* NULL: each byte b of a piece is byte_id[b] */
    struct bpe *bpe;
    struct piece_merge *merge;       /* of the above, made at the end of loading */
    struct pretok *pretok;
    struct decode_steps *decode;     /* NULL: text is the tokens' bytes in a row */
    uint32_t *prefix, *suffix;       /* ids around a text, where special tokens are asked for */
    size_t prefix_count, suffix_count;
    struct added_token *added;       /* in the file's order */
    size_t added_count;
    struct added_set *added_raw;     /* matched in the text as it is */
    struct added_set *added_normal;  /* matched after normalization */
};

/* tokenizer_parse() where ranks may mean something else. RANK_SPLITS: symbols must be bytes
 * (ST_UNSUPPORTED); the file's own merges and ignore_merges do not count. */
MUST_USE enum status tokenizer_parse_ranked(const char *what, struct span json,
                                            enum rank_meaning ranks, struct tokenizer **out);

#endif
