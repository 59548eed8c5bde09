/*
 * Counting pieces: how often each piece stands in the text, by many threads and ranks, in bounded
 * memory.
 *
 * Each worker counts in a table of its own. When that is full it is written as a sorted run to a
 * temporary file and emptied. In the end runs and tables are merged, in an order that depends on
 * the pieces alone. The result is a set with 64-bit counts: it does not depend on threads, ranks,
 * order or memory.
 */
#ifndef TUNDISH_TOKENIZE_BPE_COUNT_H
#define TUNDISH_TOKENIZE_BPE_COUNT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "comm/comm.h"
#include "tokenize/learn/piece_runs.h"

struct bpe_counter_args {
    int workers;
    uint64_t memory;         /* bytes that all tables, and later the merge of runs, may take */
    const char *folder;      /* of the temporary file; it must exist when memory is spent. Borrowed */
};
struct bpe_counter;
struct bpe_counter *bpe_counter_new(const struct bpe_counter_args *args);
void bpe_counter_free(struct bpe_counter *c);
/* Counts n pieces of text: piece i ends at ends[i] and begins where the one before ends, the first
 * at `from`. COUNT_PADDING bytes behind the text must be readable. A piece has less than 4 GiB. */
struct bpe_pieces {
    const char *text;
    size_t from;
    const uint32_t *ends;
    size_t n;
};
MUST_USE enum status bpe_counter_add(struct bpe_counter *c, int worker, const struct bpe_pieces *p);
/* Collective: rank 0 gets what the others have counted, the others are left with nothing. No worker
 * may be counting. */
MUST_USE enum status bpe_counter_gather(struct bpe_counter *c, struct comm *comm);

/* Words that come one by one, in an order that only they determine. */
struct bpe_words {
    enum status (*next)(void *ctx, struct bpe_word *out, bool *got);
    void *ctx;
    uint64_t places;         /* at most so many bytes and words together */
};
/* Those of a list. */
struct bpe_word_list {
    const struct bpe_word *v;
    size_t count, next;
};
struct bpe_words bpe_words_of(struct bpe_word_list *list);
/* All pieces, each once; read before the counter is freed. No worker may be counting any more, and
 * this is called once. */
MUST_USE enum status bpe_counter_finish(struct bpe_counter *c, struct bpe_words *out);
/* Runs that this rank's tables were written to so far, because memory was spent. */
size_t bpe_counter_runs(const struct bpe_counter *c);

#endif
