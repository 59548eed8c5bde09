/*
 * Counting pieces: how often each piece stands in the text, by many threads.
 *
 * Each worker counts in a small table of its own, which it empties into a common one (64
 * parts, each with its lock) when it is full: so frequent pieces cost no lock, and the
 * memory for rare ones does not multiply by the threads. The result is a set: it does not
 * depend on threads or order.
 */
#ifndef TUNDISH_TOKENIZE_BPE_COUNT_H
#define TUNDISH_TOKENIZE_BPE_COUNT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

struct bpe_counter;
/* memory: bytes that the common table may take. */
struct bpe_counter *bpe_counter_new(int workers, uint64_t memory);
void bpe_counter_free(struct bpe_counter *c);
/* Counts one occurrence; ST_LIMIT when there are more different pieces than memory holds. */
MUST_USE enum status bpe_counter_add(struct bpe_counter *c, int worker, struct span piece);

struct bpe_word {
    const char *p;
    uint32_t n;
    uint64_t count;
};
struct bpe_words {
    struct bpe_word *v;   /* bytes borrowed from the counter; the array is the caller's to free() */
    size_t count;
};
/* All pieces, in no order. No worker may be counting. */
MUST_USE enum status bpe_counter_finish(struct bpe_counter *c, struct bpe_words *out);

#endif
