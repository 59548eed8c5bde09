/*
 * What a corpus' report.json (FORMATS.md) says, as pieces of a page: curation's own page and the
 * report of a run show the same. Members that are missing count as nothing.
 */
#ifndef TUNDISH_STORE_CORPUS_PAGE_H
#define TUNDISH_STORE_CORPUS_PAGE_H

#include "base/json.h"

/* A sentence, then tables: funnel, drops with examples, what was not read, lengths, steps. */
void corpus_page_sections(struct buf *out, const json_t *json);

#endif
