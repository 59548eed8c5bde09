/*
 * All documents that are left, as a step over all of them sees them (step_kind.all):
 * a spool, threads, a bound on memory, and where drops go.
 *
 * Rules for such a step: results do not depend on the number of threads; every table is asked for
 * with corpus_memory() before it is made; cost grows linearly with the text.
 */
#ifndef TUNDISH_CURATE_CORPUS_H
#define TUNDISH_CURATE_CORPUS_H

#include "base/pool.h"
#include "curate/run/spool.h"
#include "curate/chain/step.h"

struct report_step;
struct phases;
struct verdict;

struct corpus {
    struct spool *spool;
    struct pool *pool;
    uint64_t memory, taken;            /* the bound of the tables, and what of it is taken */
    uint64_t seed;
    const char *label;                 /* of the step, for messages */
    struct report_step *report;
    const struct phases *phases;
    size_t step;                       /* its place in the chain */
    struct verdict *verdict;           /* what it drops goes here, too; NULL: nobody wants to see it */
    uint64_t counts[STEP_COUNTERS];
};

/* Drops document i of the spool; `of`, if not SIZE_MAX, is the document it is a copy of. Called by
 * one thread, in an order that is the same in every run (the report keeps the first as samples). */
void corpus_drop(struct corpus *c, size_t i, const struct drop_reason *reason, double value,
                 double threshold, size_t of);

/* ST_INTERRUPTED if the user wants an end; asked for every wave of documents,
 * which are then counted as progress. */
MUST_USE enum status corpus_goes_on(struct corpus *c, size_t documents);

/* Takes `bytes` for `what` ("signatures of 1,000 documents"),
 * or fails with ST_LIMIT and words on what to do. */
MUST_USE enum status corpus_memory(struct corpus *c, uint64_t bytes, const char *what);
void corpus_memory_back(struct corpus *c, uint64_t bytes);

/* The documents that are alive, sorted: owned by the caller (free()).
 * Takes CORPUS_LIST_BYTES a document while it works, 4 after. */
#define CORPUS_LIST_BYTES 20
enum corpus_order { CORPUS_AS_IS, CORPUS_LONGEST_FIRST };   /* ties: first come first */
uint32_t *corpus_list(const struct corpus *c, enum corpus_order order, size_t *count);

#endif
