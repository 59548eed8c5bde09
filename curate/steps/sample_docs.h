/*
 * `sample`: a share of the documents. Whether one is kept depends on its source, its id and the seed alone, so it
 * stays when others come or go, and a larger fraction keeps what a smaller one kept.
 */
#ifndef TUNDISH_CURATE_SAMPLE_DOCS_H
#define TUNDISH_CURATE_SAMPLE_DOCS_H

#include "curate/chain/step.h"

struct sample_cfg {
    double fraction;
    int64_t seed;
};
extern const struct opt sample_opts[];
extern const struct drop_reason *const sample_reasons[];
MUST_USE enum status sample_each(const void *cfg, struct doc *d, struct step_work *w);

/* A number in [0, 1) of a document's source and id; `stream` keeps draws of different uses apart. */
struct id_draw {
    uint64_t seed, stream;
};
double id_draw(struct id_draw how, const struct doc *d);

#endif
