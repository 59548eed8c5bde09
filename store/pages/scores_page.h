/*
 * What a report's metrics.json (FORMATS.md) says, as pieces of a page: the evaluation's own page
 * and the report of a run show the same. Members that are missing are left out.
 */
#ifndef TUNDISH_STORE_SCORES_PAGE_H
#define TUNDISH_STORE_SCORES_PAGE_H

#include "base/json.h"

/* A sentence, and a table of the model's bits per byte beside the yardsticks'. */
void scores_page_sections(struct buf *out, const json_t *metrics);

#endif
