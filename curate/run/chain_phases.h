/*
 * The chain as what is done one after the other: phases.
 *
 * The chain is cut where a step wants all documents: steps over all of them (dedup), and orders (shuffle). Between
 * the cuts documents pass alone, group by group. So a run is a list of phases that follow each other:
 *
 *     PASS   groups of documents, each from its source (the files of the sources, the spool of the pass before, or
 *            a range of keys of all spools) through some steps into its spool, or at last into shards
 *     ALL    steps over all documents look at the spools of the pass before and say which live
 *
 * A pass's groups are worked on apart from each other, by any thread of any rank; between two phases all ranks meet.
 */
#ifndef TUNDISH_CURATE_CHAIN_PHASES_H
#define TUNDISH_CURATE_CHAIN_PHASES_H

#include "curate/chain/step.h"

enum phase_kind { PHASE_PASS, PHASE_ALL };
enum phase_from { PHASE_SOURCES, PHASE_SPOOLS, PHASE_RANGES };

struct phase {
    enum phase_kind kind;
    size_t first, last;              /* steps of the chain, [first, last) */
    /* A pass: */
    enum phase_from from;
    size_t input;                    /* the pass whose spools it reads (ALL, too) */
    size_t verdict;                  /* the ALL whose verdict stands between; SIZE_MAX: none */
    size_t order;                    /* the step that orders what it writes; SIZE_MAX: as it came */
    bool final;                      /* it writes shards */
};
struct phases {
    struct phase *v;
    size_t count;
    const struct chain *chain;
    const char **parts;              /* where documents may go beside the corpus itself */
    size_t part_count;
};

/* Where dropped documents go when the user wants to see them: a part of its own, the last one. */
#define PART_DROPPED "dropped"
void phases_make(struct arena *a, const struct chain *chain, bool keep_dropped, struct phases *out);

/* The number of a part by its name; of those that the chain's steps name. */
size_t phases_part(const struct phases *p, const char *part);
/* The number of a reason in its step: as step_kind.reasons, and drop_invalid_utf8 behind them; and back. */
size_t phases_reason(const struct phases *p, size_t step, const struct drop_reason *reason);
const struct drop_reason *phases_reason_at(const struct phases *p, size_t step, size_t number);

#endif
