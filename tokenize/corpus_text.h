/*
 * The documents that a tokenizer is trained on or that are encoded: a corpus folder, a .jsonl or
 * .jsonl.zst file, a .txt file (one document) or a folder of .txt files (each one document, in the
 * order of their names).
 */
#ifndef TUNDISH_TOKENIZE_CORPUS_TEXT_H
#define TUNDISH_TOKENIZE_CORPUS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "store/documents.h"

struct corpus_text;
MUST_USE enum status corpus_text_open(const char *path, struct corpus_text **out);
/* The next document; *got false at the end. Spans are valid until the next call. The text of .jsonl
 * is UTF-8, that of .txt any bytes. */
MUST_USE enum status corpus_text_next(struct corpus_text *c, struct document *d, bool *got);
/* The text of the document handed out last is wanted from upto on only: what is before it leaves
 * memory, if it is a file's. */
void corpus_text_forget(struct corpus_text *c, const char *upto);
/* Bytes of all texts where that is known beforehand, for a progress bar; else 0. */
uint64_t corpus_text_total(const struct corpus_text *c);
void corpus_text_close(struct corpus_text *c);

#endif
