/*
 * Documents in a lineage: from a model to each document of the stores that its weights were trained
 * on, and from a document's id to every artifact that holds it or was made with it.
 *
 * What is known: a corpus holds documents by id; a token store holds each one's part and place in
 * the stream; a checkpoint's options and steps say which tokens training has read
 * (lineage_reading.h). What is not: which documents curation dropped (a corpus keeps counts, and
 * a few samples of each reason), and what a model remembers of what it has read.
 *
 * Cost: --documents is a pass over the stores' document records; --document also reads the text of
 * every corpus of the chain once, shards in parallel. Memory is bounded by one document a thread.
 */
#ifndef TUNDISH_PIPELINES_LINEAGE_DOCUMENTS_H
#define TUNDISH_PIPELINES_LINEAGE_DOCUMENTS_H

#include "pipelines/lineage/lineage.h"

/* Writes a line for each document of each store on the way of the weights: part, id, source,
 * tokens, tokens read ("-": not known), or the same as JSON. */
MUST_USE enum status lineage_documents(const struct lineage *l, bool json);
/* Writes where the document is (extends l). ST_FAILED, with the nearest ids, where it is nowhere.
 */
MUST_USE enum status lineage_document(struct lineage *l, const char *id, bool json);

bool lineage_is_weights(const struct lineage_node *n);      /* a checkpoint or a model */

#endif
