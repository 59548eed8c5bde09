/*
 * Vocabularies from files other than tokenizer.json: tiktoken's ranks, GPT-2's vocab.bpe beside
 * encoder.json, GGUF's metadata.
 *
 * The one idea: each of them is brought into one neutral form, and that is printed as a tokenizer.json,
 * which is then read like any other. So there is one meaning of a vocabulary in this program, and
 * what a conversion writes is what was used.
 */
#ifndef TUNDISH_TOKENIZE_FOREIGN_H
#define TUNDISH_TOKENIZE_FOREIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"
#include "tokenize/tokenizer_part.h"

struct foreign_merge {
    uint32_t left, right;
};
struct foreign_special {
    struct span text;
    uint32_t id;
    bool special;                    /* else an added token of the text's language */
};
enum foreign_kind { FOREIGN_NONE, FOREIGN_TIKTOKEN, FOREIGN_PAIR, FOREIGN_GGUF };

struct foreign {                     /* {0} before use */
    struct arena arena;              /* all texts below */
    enum foreign_kind kind;
    uint32_t count;                  /* highest id + 1 */
    struct span *tokens;             /* [count] p NULL: none, or a special */
    bool bytes;                      /* tokens are bytes; else characters, with U+2581 for spaces */
    bool space_in_front;             /* characters: text begins with a space */
    struct foreign_merge *merges;    /* by rank */
    size_t merge_count;
    enum rank_meaning ranks;         /* RANK_SPLITS: merges are those that the tokens make */
    bool ignore_merges, nfc, digits; /* digits: each is a piece of its own, before the pattern */
    const char *pattern;             /* bytes: in Hugging Face's dialect */
    struct foreign_special *specials;
    size_t special_count;
    int64_t unk, bos, eos;           /* ids or -1 */
    bool add_bos, add_eos;
    struct span chat_template;       /* n 0: none */
};
void foreign_release(struct foreign *f);

struct foreign_args {
    const char *pattern;             /* a name or a pattern; NULL: what is known of the file */
    const char *const *specials;     /* "TEXT=ID", for rank files; may be NULL */
    size_t special_count;
};
/* What kind of file it is, by its first bytes; FOREIGN_NONE: none of these. */
enum foreign_kind foreign_sniff(const char *path);
/* Reads a file of one of these kinds. ST_FORMAT, ST_UNSUPPORTED and ST_CONFIG say what is wrong, or
 * that a pattern is wanted. */
MUST_USE enum status foreign_read(const char *path, enum foreign_kind kind,
                                  const struct foreign_args *args, struct foreign *f);
/* Appends the tokenizer.json; of RANK_SPLITS without merges, until foreign_derive_merges() was
 * called. */
void foreign_print(const struct foreign *f, struct buf *out);
/* The same into an empty json, read as any tokenizer.json but with the meaning that the file's ranks have. what
 * names it in errors. */
MUST_USE enum status foreign_parse(const struct foreign *f, const char *what, struct buf *json,
                                   struct tokenizer **out);

/* The readers of the kinds, from bytes. what names the file. */
MUST_USE enum status foreign_read_ranks(const char *what, struct span text,
                                        const struct foreign_args *args, struct foreign *f);
MUST_USE enum status foreign_read_pair(const char *what, struct span vocab_bpe, struct span encoder,
                                       struct foreign *f);
MUST_USE enum status foreign_read_gguf(const char *what, struct span file,
                                       const struct foreign_args *args, struct foreign *f);
/* Fills merges from the tokens: whatever two make a third, by the third's place in `order`
 * ([count] ids, best first). */
void foreign_derive_merges(struct foreign *f, const uint32_t *order, size_t count);
/* Sets the pattern by name or text; ST_CONFIG if it has neither. */
MUST_USE enum status foreign_set_pattern(struct foreign *f, const char *what, const char *pattern);

/* Appends the ordinary tokens of a byte-level tokenizer as ranks (lines "base64 id"). ST_UNSUPPORTED:
 * its tokens are not bytes, or two are the same. */
MUST_USE enum status rank_file_print(const struct tokenizer *t, const char *what, struct buf *out);

#endif
