/*
 * The counting half of training: a corpus to its different pieces and how often each stands in it,
 * in parallel. Long documents are cut where that changes nothing (pretok_safe_cut()). Ranks share the
 * text: each reads all of it and counts every so many batches.
 */
#ifndef TUNDISH_TOKENIZE_TRAIN_TEXT_H
#define TUNDISH_TOKENIZE_TRAIN_TEXT_H

#include "base/pool.h"
#include "comm/comm.h"
#include "tokenize/learn/bpe_count.h"
#include "tokenize/corpus_text.h"
#include "tokenize/pretok/pretok.h"

struct train_text_totals {
    uint64_t documents, bytes, pieces, other_bytes;  /* other_bytes: not UTF-8, and so no piece's */
};
struct train_text_args {
    struct pool *pool;
    struct corpus_text *corpus;
    const struct pretok *pretok;
    struct bpe_counter *counter;     /* with pool_threads(pool) workers */
    struct comm *comm;
    bool nfc;                        /* text is normalized first */
    uint64_t memory;                 /* bytes for the text in hand; a document that cannot be cut
                                        may take more */
};
/* Counts this rank's share of the corpus. documents and bytes are those of all ranks, pieces and
 * other_bytes this rank's. */
MUST_USE enum status train_text_count(const struct train_text_args *args,
                                      struct train_text_totals *totals);

#endif
