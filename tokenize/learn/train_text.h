/*
 * The counting half of training: a corpus to its different pieces and how often each stands in it,
 * in parallel. Long documents are cut where that changes nothing (pretok_safe_cut()).
 */
#ifndef TUNDISH_TOKENIZE_TRAIN_TEXT_H
#define TUNDISH_TOKENIZE_TRAIN_TEXT_H

#include "base/pool.h"
#include "tokenize/learn/bpe_count.h"
#include "tokenize/corpus_text.h"
#include "tokenize/pretok/pretok.h"

struct train_text_totals {
    uint64_t documents, bytes, pieces, other_bytes;  /* other_bytes: not UTF-8, and so no piece's */
};
/* Counts all of the corpus into c, which has pool_threads(pool) workers. */
MUST_USE enum status train_text_count(struct pool *pool, struct corpus_text *corpus,
                                      const struct pretok *pretok, struct bpe_counter *c,
                                      struct train_text_totals *totals);

#endif
