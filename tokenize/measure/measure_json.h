/*
 * What was measured, and what the vocabularies are, as the JSON of metrics.json (FORMATS.md, "What
 * tokenizers make of a corpus"). The same input gives the same JSON, whatever the threads.
 */
#ifndef TUNDISH_TOKENIZE_MEASURE_JSON_H
#define TUNDISH_TOKENIZE_MEASURE_JSON_H

#include "base/json.h"
#include "tokenize/measure/token_measure.h"

/* names: of args->tokenizers. Encodes each entry of each vocabulary once, and the samples. The
 * caller owns the object. */
MUST_USE enum status measure_json(const struct measure_args *args, const char *const *names,
                                  const struct token_measure *m, json_t **out);

/* Do the ids of all mean the same? True where at least nine of ten entries that a vocabulary shares
 * with the first have the same id in both. */
bool measure_same_ids(const struct measure_args *args);

/* ---- of one vocabulary (vocab_json.c) ---- */

struct vocab_use {
    const char *name;
    const struct tokenizer *tokenizer;
    const uint64_t *counts;          /* how often each token occurs */
    const struct measure_group *all; /* what it occurs in */
    uint64_t tokens, pieces, whole_pieces;
};
MUST_USE enum status vocab_json(const struct vocab_use *use, json_t **out);

#endif
