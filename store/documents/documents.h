/*
 * Documents at rest: *.jsonl.zst shards, one document a line (FORMATS.md, "corpus").
 *
 * A line is a JSON object with `id`, `text` and, optionally, `source`, `created`, `metadata` (any
 * JSON). The writer cuts a shard when it holds more than shard_bytes of lines; names are
 * `part-00000.jsonl.zst`, ... The same documents in the same order give the same bytes.
 */
#ifndef TUNDISH_STORE_DOCUMENTS_H
#define TUNDISH_STORE_DOCUMENTS_H

#include "base/arena.h"
#include "base/file.h"
#include "base/status.h"
#include "base/str.h"

struct document {
    struct span id;
    struct span text;         /* UTF-8 */
    struct span source;       /* where it came from; n = 0: absent */
    struct span created;      /* date, ISO 8601; n = 0: absent */
    struct span metadata;     /* raw JSON text of an object; n = 0: absent */
};

/* Scans one JSONL line (no newline). String values are unescaped into scratch (reset by the
 * caller); unknown members are skipped; a missing id or text, a wrong type or invalid JSON is
 * ST_FORMAT with the byte column. Spans point into line or scratch. `text_key` names the text's
 * member (NULL: "text"). `id_optional` is for lines from outside: a missing id is allowed, a
 * number serves as one, and source, created or metadata of another type than ours count as
 * unknown members. Elsewhere null stands for an absent source, created or metadata; a member of
 * ours that stands twice is refused. `\u` escapes of surrogates that make no pair become U+FFFD.
 * Nesting is bounded at 64. */
struct document_scan {
    const char *text_key;
    bool id_optional;
};
MUST_USE enum status document_parse(const struct document_scan *how, struct span line,
                                    struct arena *scratch, struct document *out);
/* Appends the line with its final newline: members in the order of the struct, absent ones left
 * out, strings escaped as little as JSON allows; bytes of them that are not UTF-8 become U+FFFD.
 * parse(print(d)) gives d. */
void document_print(struct buf *out, const struct document *d);

struct document_writer;
/* Writes part-*.jsonl.zst into an existing folder. */
MUST_USE enum status document_writer_open(const char *folder, uint64_t shard_bytes,
                                          struct document_writer **out);
MUST_USE enum status document_writer_add(struct document_writer *w, const struct document *d);
/* Bytes of lines in the shard that is being written; 0: none is. */
uint64_t document_writer_grown(const struct document_writer *w);
/* finishes and frees, also after an error */
MUST_USE enum status document_writer_close(struct document_writer *w);
void document_writer_abort(struct document_writer *w);

/* Reads all documents of a corpus folder (shards in name order; of a finished corpus without its parts, which lie in
 * folders of their own) or of one .jsonl[.zst] file. */
struct document_reader;
MUST_USE enum status document_reader_open(const char *path, struct document_reader **out);
/* The files that it would read, in their order, with full paths; and a reader of some files only. */
MUST_USE enum status document_files(struct arena *a, const char *path, struct file_list *out);
MUST_USE enum status document_reader_open_files(const struct file_list *files,
                                                struct document_reader **out);
/* The next document; *got false at the end. Spans are valid until the next call. Errors
 * name file and line. */
MUST_USE enum status document_reader_next(struct document_reader *r, struct document *d, bool *got);
/* Passes over n documents without looking into them; *passed is fewer if there are no more. */
MUST_USE enum status document_reader_skip(struct document_reader *r, uint64_t n, uint64_t *passed);
/* Where the document handed out last stands: the number of its file among those that are read, from 0,
 * and its line there, from 1. */
struct document_place {
    size_t file;
    uint64_t line;
};
struct document_place document_reader_place(const struct document_reader *r);
/* bytes of the files, as they lie on disk, read so far */
uint64_t document_reader_file_bytes(const struct document_reader *r);
/* decompressed bytes of lines read so far */
uint64_t document_reader_bytes(const struct document_reader *r);
void document_reader_close(struct document_reader *r);

#endif
