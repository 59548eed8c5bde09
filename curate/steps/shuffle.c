#include "curate/steps/shuffle.h"

#include "base/rng.h"

#define STREAM UINT64_C(0x73687566666c65)       /* "shuffle" */

const struct opt shuffle_opts[] = {
    OPT_INT(struct shuffle_cfg, seed, "seed", "0", 0, 9e18, "another one gives another order"),
    OPT_END
};
const struct drop_reason *const shuffle_reasons[] = { NULL };

uint64_t shuffle_key(const void *cfg, const struct doc *d)
{
    return rng_at((uint64_t)((const struct shuffle_cfg *)cfg)->seed, STREAM, d->number);
}
