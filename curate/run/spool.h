/*
 * The spool: documents that wait on disk while a step looks at all of them.
 * Written in order, then sealed, then read in any order by any number of threads.
 *
 * It is one file without a name (made in a folder, unlinked at once), so nothing is left behind
 * however the process ends. In memory it costs SPOOL_INDEX_BYTES a document.
 */
#ifndef TUNDISH_CURATE_SPOOL_H
#define TUNDISH_CURATE_SPOOL_H

#include "curate/chain/doc.h"

#define SPOOL_INDEX_BYTES 17

struct spool;
MUST_USE enum status spool_new(const char *folder, struct spool **out);
void spool_free(struct spool *s);
MUST_USE enum status spool_add(struct spool *s, const struct doc *d);
/* No more is added; the rest may be called from now on. */
MUST_USE enum status spool_seal(struct spool *s);

size_t spool_count(const struct spool *s);
/* Borrowed until spool_free(). */
struct span spool_text(const struct spool *s, size_t i);
const char *spool_id(const struct spool *s, size_t i);
/* A copy, owned by the caller. */
struct doc *spool_doc(const struct spool *s, size_t i);

bool spool_alive(const struct spool *s, size_t i);
void spool_kill(struct spool *s, size_t i);
size_t spool_alive_count(const struct spool *s);
uint64_t spool_alive_bytes(const struct spool *s);      /* of text */
uint64_t spool_memory(const struct spool *s);           /* of the index */

#endif
