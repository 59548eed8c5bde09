/*
 * BPE training: from counted pieces to a vocabulary and its merges (Sennrich et al. 2016),
 * in Hugging Face's order.
 *
 * Ids: the special tokens, then the 256 bytes in the order of their code points in the byte-level
 * alphabet, then one new token a merge. The pair that occurs most often is merged next; of equals
 * the one with the smallest (left id, right id). Within a piece pairs are merged from the left and
 * do not overlap ("aaa" -> "aa" "a").
 *
 * The one idea: all pieces lie behind each other in one array of symbols, one place a byte; a
 * token's id stands at its first and its last byte, so that both neighbours of a place are found at
 * once and a merge costs the same in short and in long pieces. Each pair in the heap carries the
 * places where it came to be; what no longer holds there is passed over.
 *
 * A token's text arises from one pair only: where two tokens stand side by side no merge has
 * crossed their outer ends, so all merges inside went as they would in that text alone. Hence
 * merges and new tokens are as many, and no text need be looked up.
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

struct bpe_train_args {
    const char *const *specials;     /* different, not empty */
    size_t special_count;
    uint32_t vocab;                  /* tokens wanted: at least special_count + 256 */
    uint64_t min_frequency;          /* a pair that occurs less often is not merged; at least 1 */
    uint32_t max_token_length;       /* bytes, at least 2; 0: unbounded */
    uint64_t memory;                 /* bytes; ST_LIMIT when the pieces need more */
};
struct bpe_pair {
    uint32_t left, right;
};
struct bpe_trained {
    struct arena arena;
    struct span *tokens;      /* by id: a special token's text, or the token's bytes */
    uint32_t vocab;           /* tokens there are: fewer than wanted when no pair was left */
    struct bpe_pair *merges;  /* by rank */
    size_t merge_count;
    uint64_t text_tokens;     /* tokens that the counted text has now, special tokens not counted */
};
/* Adds to the progress bar one for each new token, if one is up; ST_INTERRUPTED when a stop is
 * asked for. The result does not depend on the order of words. */
MUST_USE enum status bpe_train(const struct bpe_train_args *args, const struct bpe_words *words,
                               struct bpe_trained *out);
void bpe_trained_release(struct bpe_trained *t);

#endif
