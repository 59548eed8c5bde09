/*
 * The spool: documents that wait on disk between two passes, whole, with all that is known of them.
 *
 * A group of documents is written as one file, in the order in which they came or, for a shuffle, by a key; then
 * any number of such files are opened as one sequence, which many threads read in any order. The file stays until
 * what was made of it is safe, so that a run that ended goes on behind it.
 *
 * The file (FORMATS.md, "A corpus that is not finished"): records, an index of them, and a tail that says how many.
 * It is mapped, index and all; in memory a document costs SPOOL_INDEX_BYTES.
 */
#ifndef TUNDISH_CURATE_SPOOL_H
#define TUNDISH_CURATE_SPOOL_H

#include "curate/chain/doc.h"

#define SPOOL_INDEX_BYTES 1
#define SPOOL_DOCUMENT_BYTES 160       /* about what a document costs beside its text: its record and its id, or its entry */
#define SPOOL_FILES_MAX 60000          /* that can be open as one: Linux lets a process have 65,530 maps */

/* What the numbers in a record mean: the chain's parts and reasons (curate/run/chain_phases.h). */
struct phases;

/* ---- writing ---- */

struct spool_writer;
struct spool_writer_args {
    const char *path;
    const struct phases *phases;
    bool by_key;                     /* records are put into the order of their keys when it is closed */
};
MUST_USE enum status spool_writer_open(const struct spool_writer_args *args, struct spool_writer **out);
/* key: its place where the file is ordered by keys; documents of one key stay in the order in which they came. */
MUST_USE enum status spool_writer_add(struct spool_writer *w, const struct doc *d, uint64_t key);
/* Finishes and frees, also after an error. Not synced. */
MUST_USE enum status spool_writer_close(struct spool_writer *w);
void spool_writer_abort(struct spool_writer *w);

/* ---- reading ---- */

struct spool;
/* Opens the files as one. ST_LIMIT: more than SPOOL_FILES_MAX; ST_FORMAT: not what the format says. */
MUST_USE enum status spool_open(const char *const *paths, size_t count, const struct phases *phases,
                                struct spool **out);
void spool_close(struct spool *s);

size_t spool_count(const struct spool *s);
/* Document i's file is the last one whose first document is not behind i. */
size_t spool_files(const struct spool *s);
size_t spool_first_of(const struct spool *s, size_t file);    /* also of file spool_files(): the count */
uint64_t spool_bytes(const struct spool *s);                  /* of text, of all */
uint64_t spool_file_bytes(const struct spool *s, size_t file);
uint64_t spool_key(const struct spool *s, size_t i);
/* Borrowed until spool_close(). */
struct span spool_text(const struct spool *s, size_t i);
const char *spool_id(const struct spool *s, size_t i);
const char *spool_language(const struct spool *s, size_t i);    /* NULL: not asked */
/* A copy, owned by the caller. */
struct doc *spool_doc(const struct spool *s, size_t i);

/* Those that were dropped before they came here are not alive (they are kept only where the user wants to see them). */
bool spool_alive(const struct spool *s, size_t i);
void spool_kill(struct spool *s, size_t i);
size_t spool_alive_count(const struct spool *s);
uint64_t spool_alive_bytes(const struct spool *s);      /* of text */
uint64_t spool_memory(const struct spool *s);           /* of the index */

#endif
