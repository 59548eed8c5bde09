/*
 * A lineage as people and programs read it: text, one JSON object, OpenLineage events
 * (openlineage.c) and, of a corpus, Croissant (croissant.c). What is written for people shows texts
 * from manifests with their control characters escaped.
 */
#ifndef TUNDISH_PIPELINES_LINEAGE_PRINT_H
#define TUNDISH_PIPELINES_LINEAGE_PRINT_H

#include "pipelines/lineage/lineage.h"

/* The tree, shared branches once, and behind it the sources from outside and what is missing. */
void lineage_text(const struct lineage *l, struct buf *out);
/* {"lineage": 1, "artifact": digest, "nodes": [...]}: FORMATS.md, "what lineage prints". The caller
 * owns it. */
json_t *lineage_json(const struct lineage *l);
/* A START and a COMPLETE event for each stage of the chain, in an order in which inputs come first;
 * one JSON object a line. */
void openlineage_print(const struct lineage *l, struct buf *out);
/* The description of the corpus that the lineage begins with; any other kind is ST_CONFIG. */
MUST_USE enum status croissant_print(const struct lineage *l, struct buf *out);

/* Nodes so that what one was made from stands before it; place[0 .. count): owned by the caller. */
size_t *lineage_order(const struct lineage *l);
/* Bytes of an artifact's files, and how many they are. */
uint64_t lineage_bytes(const struct lineage_node *n, size_t *files);
/* A JSON value on one line, for people: reals with the digits that tell them apart. A text is
 * itself. Owned by the caller. */
char *lineage_words(const json_t *value);

#endif
