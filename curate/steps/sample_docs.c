#include "curate/steps/sample_docs.h"

#include "base/hash.h"
#include "base/rng.h"

#define STREAM UINT64_C(0x73616d706c65)         /* "sample" */

const struct opt sample_opts[] = {
    OPT_REAL(struct sample_cfg, fraction, "fraction", NULL, 0, 1, "share of the documents that is kept",
             .flags = OPT_REQUIRED),
    OPT_INT(struct sample_cfg, seed, "seed", "0", 0, 9e18, "another one keeps others"),
    OPT_END
};

static const struct drop_reason left_out = {
    "not_sampled", "the draw of its id (0 to 1) is not below the fraction",
};
const struct drop_reason *const sample_reasons[] = { &left_out, NULL };

double id_draw(struct id_draw how, const struct doc *d)
{
    uint64_t hash = rng_at(how.seed, how.stream, 0);

    if (d->source)
        hash = xxh3_seed(d->source, strlen(d->source), hash);
    hash = xxh3_seed(d->id, strlen(d->id), hash);
    return rng_unit(hash);
}

enum status sample_each(const void *cfg, struct doc *d, struct step_work *w)
{
    const struct sample_cfg *c = cfg;
    double draw = id_draw((struct id_draw){ (uint64_t)c->seed, STREAM }, d);

    (void)w;
    return draw < c->fraction ? ST_OK : doc_drop(d, &left_out, draw, c->fraction);
}
