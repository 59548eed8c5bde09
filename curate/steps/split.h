/*
 * `split`: shares of the documents go into parts of the corpus, folders of their own that are read as corpora
 * (`--corpus OUT/test`), while who reads OUT gets the others. Where a document goes depends on its source, its id and
 * the seed alone, never on the other documents.
 *
 *     - split: {test: 0.01, validation: 0.01}
 *     - split: {parts: [dev=0.02, holdout=0.001]}
 *
 * A document that an earlier split has put somewhere stays there.
 */
#ifndef TUNDISH_CURATE_SPLIT_H
#define TUNDISH_CURATE_SPLIT_H

#include "curate/chain/step.h"

struct split_part {
    char *name;                      /* owned */
    double until;                    /* draws below this, and not of the parts before */
};
struct split_cfg {
    double test, validation;
    struct opt_list parts;
    int64_t seed;
    struct split_part *v;            /* made by split_load() */
    size_t count;
};
extern const struct opt split_opts[];
extern const struct drop_reason *const split_reasons[];
MUST_USE enum status split_check(const void *cfg, const struct yaml *at);
MUST_USE enum status split_load(void *cfg);
void split_unload(void *cfg);
MUST_USE enum status split_each(const void *cfg, struct doc *d, struct step_work *w);
const char *split_part(const void *cfg, size_t i);

#endif
