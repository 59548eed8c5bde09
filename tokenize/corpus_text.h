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
#include "store/documents/documents.h"

/* The files of a corpus, in the order in which they are read. */
struct corpus_file {
    const char *path;
    const char *name;                /* below the corpus; "" where the corpus is this file */
    uint64_t bytes;                  /* on disk */
};
struct corpus_files {
    const char *root;
    bool texts;                      /* .txt files; else .jsonl and .jsonl.zst */
    struct corpus_file *v;
    size_t count;
};
MUST_USE enum status corpus_files_list(struct arena *a, const char *path, struct corpus_files *out);

struct corpus_text;
MUST_USE enum status corpus_text_open(const char *path, struct corpus_text **out);
/* Reads `count` of the files from `first` on; `all` lives as long as the reader. */
MUST_USE enum status corpus_text_open_files(const struct corpus_files *all, size_t first, size_t count,
                                            struct corpus_text **out);
/* The next document; *got false at the end. Spans are valid until the next call. The text of .jsonl
 * is UTF-8, that of .txt any bytes. */
MUST_USE enum status corpus_text_next(struct corpus_text *c, struct document *d, bool *got);
/* Passes over n documents without looking into them; *passed is fewer if there are no more. */
MUST_USE enum status corpus_text_skip(struct corpus_text *c, uint64_t n, uint64_t *passed);
/* Where the document handed out last stands: the number of its file in the list, and its line there from 1 (0: the
 * file is the document). */
struct document_place corpus_text_place(const struct corpus_text *c);
/* Bytes of the files, as they lie on disk, read so far. */
uint64_t corpus_text_file_bytes(const struct corpus_text *c);
/* The text of the document handed out last is wanted from upto on only: what is before it leaves
 * memory, if it is a file's. */
void corpus_text_forget(struct corpus_text *c, const char *upto);
/* Bytes of all texts where that is known beforehand, for a progress bar; else 0. */
uint64_t corpus_text_total(const struct corpus_text *c);
void corpus_text_close(struct corpus_text *c);

#endif
