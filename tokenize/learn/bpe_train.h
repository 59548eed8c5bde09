/*
 * BPE training: from counted pieces to a vocabulary and its merges (Sennrich et al. 2016),
 * in Hugging Face's order.
 *
 * Ids: the special tokens, then the 256 bytes in the order of their code points in the byte-level
 * alphabet, then one new token a merge. The pair that occurs most often is merged next; of equals
 * the one with the smallest (left id, right id). Within a piece pairs are merged from the left and
 * do not overlap ("aaa" -> "aa" "a").
 *
 * How the pieces lie while they are merged is bpe_text.h's idea; which pairs are looked at,
 * pair_index.h's. Both are exact, and so is paged_array.h, which takes over when the memory allowed is
 * less than the pieces need.
 *
 * A token's text arises from one pair only: where two tokens stand side by side no merge has
 * crossed their outer ends, so all merges inside went as they would in that text alone. Hence
 * merges and new tokens are as many. That does not hold behind a vocabulary from elsewhere (base):
 * there a text that is a token already keeps its id, as in Hugging Face's trainer.
 *
 * The merges are those of Hugging Face's BpeTrainer (tested against it). Where we differ on
 * purpose: counts have 64 bits; a pair that would spell a special token is never merged;
 * max_token_length counts bytes and includes the limit (there it is the first length left out).
 */
#ifndef TUNDISH_TOKENIZE_BPE_TRAIN_H
#define TUNDISH_TOKENIZE_BPE_TRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"
#include "tokenize/learn/bpe_count.h"

enum bpe_ties {              /* which of equally frequent pairs is first: that of the smaller ids, */
    BPE_TIES_HF,             /* bytes having theirs in the order of the byte-level alphabet */
    BPE_TIES_RAW,            /* bytes having theirs in the order of their values (rustbpe) */
};
/* A vocabulary that training goes on from: its merges were applied to a piece before others are. */
struct bpe_base {
    const struct span *tokens;           /* by id; p NULL: no token */
    uint32_t vocab;                      /* new tokens get ids from here on */
    const bool *special;                 /* by id: a text that is never merged */
    const uint32_t *byte_id;             /* [256] */
    /* Appends the ids of a piece as it is encoded now. */
    enum status (*encode)(void *ctx, struct span piece, struct buf *ids);
    void *ctx;
};
struct bpe_train_args {
    const char *const *specials;     /* different, not empty; none with a base */
    size_t special_count;
    uint32_t vocab;                  /* tokens wanted: at least special_count + 256 */
    uint64_t min_frequency;          /* a pair that occurs less often is not merged; at least 1 */
    uint64_t min_piece_count;        /* a piece that occurs less often is left out: that changes the
                                        result; 0, 1: none is */
    uint32_t max_token_length;       /* bytes, at least 2; 0: unbounded */
    enum bpe_ties ties;
    const struct bpe_base *base;     /* NULL: begin with bytes */
    const uint32_t *stops;           /* smaller vocabularies to tell of, rising */
    size_t stop_count;
    const struct span *required;     /* pieces that are one token in the end; vocab has room */
    size_t required_count;
    uint64_t memory;                 /* bytes of this process; what does not fit is in `folder` */
    const char *folder;              /* borrowed; it must exist */
};
struct bpe_pair {
    uint32_t left, right;
};
/* The text at some size of the vocabulary. */
struct bpe_stop {
    uint32_t vocab;
    size_t merge_count;
    uint64_t text_tokens;
};
struct bpe_trained {
    struct arena arena;
    struct span *tokens;      /* by id: a special token's text, or the token's bytes */
    uint32_t vocab;           /* tokens there are: fewer than wanted when no pair was left */
    struct bpe_pair *merges;  /* by rank; with a base: those behind its own */
    size_t merge_count;
    uint64_t text_tokens;     /* tokens that the counted text has now, special tokens not counted */
    struct bpe_stop *stops;   /* those that were reached */
    size_t stop_count;
    uint64_t pieces;          /* different ones that were used */
    unsigned scans;           /* times that pairs were indexed */
    bool paged;               /* the pieces lay in files */
};

struct bpe_trainer;
struct bpe_trainer *bpe_trainer_new(const struct bpe_train_args *args);   /* args are borrowed */
void bpe_trainer_free(struct bpe_trainer *t);
/* New tokens that it shall make. */
uint32_t bpe_trainer_wanted(const struct bpe_trainer *t);
/* Takes all words over; what they came from may be freed behind it. Called once. */
MUST_USE enum status bpe_trainer_fill(struct bpe_trainer *t, const struct bpe_words *words);
/* Adds to the progress bar one for each new token, if one is up; ST_INTERRUPTED when a stop is
 * asked for. The result does not depend on the order of words. */
MUST_USE enum status bpe_trainer_run(struct bpe_trainer *t, struct bpe_trained *out);
/* All three. */
MUST_USE enum status bpe_train(const struct bpe_train_args *args, const struct bpe_words *words,
                               struct bpe_trained *out);
void bpe_trained_release(struct bpe_trained *t);

#endif
