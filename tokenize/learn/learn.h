/*
 * Training from text to merges, within one bound of memory: counting pieces over threads and ranks,
 * then merging pairs on rank 0.
 *
 * The bound is that of the whole process, what it had before included, as the kernel counts it
 * (resident set). What does not fit lies in nameless temporary files (spill_file.h).
 */
#ifndef TUNDISH_TOKENIZE_LEARN_H
#define TUNDISH_TOKENIZE_LEARN_H

#include "tokenize/learn/bpe_train.h"
#include "tokenize/learn/train_text.h"

struct learn_args {
    struct pool *pool;
    struct corpus_text *corpus;
    const struct pretok *pretok;
    bool nfc;                        /* text is normalized to NFC first */
    struct comm *comm;
    struct bpe_train_args train;     /* memory and folder are used for counting, too */
};
/* Seconds of each phase. */
struct learn_seconds {
    double count, fill, merge;
};
struct learnt {
    struct train_text_totals totals; /* of all ranks */
    size_t runs;                     /* that counting has written, on this rank */
    struct learn_seconds seconds;
    struct bpe_trained trained;      /* on rank 0 */
};
/* Collective. Shows progress. ST_FORMAT: the corpus has no text; ST_CONFIG: less memory than
 * training needs to begin. */
MUST_USE enum status learn(const struct learn_args *args, struct learnt *out);
void learnt_release(struct learnt *l);

#endif
