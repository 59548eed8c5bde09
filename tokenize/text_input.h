/*
 * The texts that a command is given: files, folders and the standard input, one after the other, as
 * documents for encode_stream(). A document is a whole file (folders of .txt: each of them), a line,
 * or a line's "text". Whole files come in parts, so a file of any size takes a fixed amount of
 * memory.
 */
#ifndef TUNDISH_TOKENIZE_TEXT_INPUT_H
#define TUNDISH_TOKENIZE_TEXT_INPUT_H

#include <stdatomic.h>

#include "tokenize/corpus_text.h"
#include "tokenize/encode/encode_stream.h"
#include "tokenize/line_input.h"

enum text_read {
    READ_AUTO,           /* .jsonl, .jsonl.zst and folders: their documents; else READ_TEXT */
    READ_TEXT,
    READ_LINES,
    READ_JSONL,
};
extern const char *const text_read_choices[];    /* their names, for an option */

struct text_input {                  /* {.in.paths, .read} before use */
    struct line_input in;
    enum text_read read;
    struct corpus_text *corpus;      /* of the open path, or NULL: in.file */
    char *chunk;
    bool inside;                     /* of a whole file */
    uint64_t tag;                    /* of the open path, from 0 on */
    uint64_t opened;                 /* paths so far */
    struct arena scratch;
    _Atomic uint64_t skip;           /* tag + 1 of a path whose rest is not wanted */
};
/* Bytes of all files, where they are known: a hint for a progress bar. 0: unknown. */
uint64_t text_input_total(const struct text_input *t);
/* As encode_stream.next; tag is the number of the path, from 0 on. Errors
 * name file and line. */
MUST_USE enum status text_input_next(struct text_input *t, struct stream_text *s, bool *got);
/* The rest of the path's text is not wanted, if it is one that comes in parts; from any thread. */
void text_input_skip(struct text_input *t, uint64_t tag);
/* The path with that number, for people. */
const char *text_input_name(const struct text_input *t, uint64_t tag);
void text_input_close(struct text_input *t);

#endif
