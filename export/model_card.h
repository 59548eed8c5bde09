/*
 * The model card: README.md with YAML front matter as model hubs read it, made from manifests,
 * never by hand.
 */
#ifndef TUNDISH_EXPORT_MODEL_CARD_H
#define TUNDISH_EXPORT_MODEL_CARD_H

#include "base/json.h"
#include "base/str.h"
#include "model/model.h"

struct model_card {
    const char *name;
    const struct model_config *config;
    int64_t parameters;
    const char *stored;       /* "float32" */
    const json_t *checkpoint; /* manifests; those that are NULL are left out */
    const json_t *corpus;
    const json_t *report;
    const json_t *metrics; /* metrics.json of the report */
};
void model_card_print(struct buf *out, const struct model_card *card);

#endif
