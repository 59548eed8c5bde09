/*
 * What the metrics.json of tokenizers (FORMATS.md) says, as pieces of a page: of one tokenizer, or of
 * several beside each other. Members that are missing are left out.
 */
#ifndef TUNDISH_STORE_TOKENIZER_PAGE_H
#define TUNDISH_STORE_TOKENIZER_PAGE_H

#include "base/json.h"

/* A sentence and the main figures, then sections: sources, languages and scripts, where they part,
 * the vocabularies, texts coloured by token. */
void tokenizer_page_sections(struct buf *out, const json_t *metrics);

/* ---- its parts ---- */
/* One vocabulary; alone: it need not be named (tokenizer_page_vocab.c). */
void tokenizer_page_vocab(struct buf *out, const json_t *tokenizer, bool alone);
/* Overlap of vocabularies, where texts part (tokenizer_page_pairs.c). */
void tokenizer_page_pairs(struct buf *out, const json_t *metrics);
/* One of metrics' tokenizers by its number: its name, "" if there is none. */
const char *tokenizer_page_name(const json_t *metrics, size_t i);
/* A token's text between tags: spaces, tabs and line feeds as signs that are seen. */
void tokenizer_page_token(struct buf *out, const char *p, size_t n);

#endif
